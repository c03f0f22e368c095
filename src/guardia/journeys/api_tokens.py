"""API tokens: made by oneself, told once, revoked at any time. Those of staff belong to the vendor's company."""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.accounts import operations, queries
from guardia.features.accounts.queries import vendor_company
from guardia.journeys.once import once
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Forbidden, Invalid
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor

LONGEST_NAME = 80


def create_token(actor: Actor, now: datetime, name: str, *, idempotency_key: str | None = None) -> str:
    """Return a new token that acts as the actor for a year."""
    if actor.company_id is None and not actor.is_staff:
        raise Forbidden("people_only", _("Tokens are for people."))
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise Invalid(
            "name_missing",
            _("The token was not made."),
            {"name": _("Name what will use it, with at most 80 characters.")},
        )
    issued: list[str] = []
    with journey():
        company_id = actor.company_id or vendor_company().id

        def do() -> dict[str, str]:
            row, secret = operations.issue_token(
                UUID(actor.id), company_id, name, now, "gs" if actor.is_staff else "gt"
            )
            issued.append(secret)  # told, never kept: a repetition cannot tell it again
            record(actor, now, "token_issued", f"token {name}", company_id=company_id)
            return {"token_id": str(row.id)}

        once(actor, now, idempotency_key, "create_token", {"name": name}, do)
    if not issued:
        raise Invalid(
            "token_told", _("This form was sent before: its token is told once only. Revoke it and make another.")
        )
    return str(issued[0])


def revoke_token(actor: Actor, now: datetime, token_id: UUID) -> None:
    """Let a token of the actor's own in no more."""
    with journey():
        token = queries.get_own_token(actor, token_id)
        operations.revoke_token(token, now)
        record(actor, now, "token_revoked", f"token {token.name}", company_id=token.company_id)
