"""Clear the quarantine: a member of staff says for whom a message counts, or refuses it with a reason.

Engineers and duty managers decide, everybody of the staff reads. The message is locked, so that of two people at once
one decides and the other is told who did. What is accepted is taken up again by the mail worker and counts from its
arrival; what is refused stays, with its reason, and can be put back.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.accounts.queries import active_people_by_id, find_person_by_email
from guardia.features.mail import operations, queries
from guardia.features.mail.rules.clearing import may_clear
from guardia.journeys.once import once
from guardia.journeys.post import wake_post
from guardia.journeys.proof_mails import refusal_told
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor

LONGEST_REASON: Final = 300
Mail = Any


def accept_mail(
    actor: Actor, now: datetime, mail_id: UUID, person_id: UUID, reason: str, *, idempotency_key: str | None = None
) -> None:
    """Let a message count for a contact of a customer; it joins the case that it continues, or opens a new one.

    Raises Forbidden, NotFound, Invalid without a reason or for anybody but a present contact, Refused where it was
    settled before.
    """

    def do(mail: Mail) -> None:
        person = active_people_by_id([person_id]).get(person_id)
        if person is None or person.company is None or person.company.is_vendor:
            sentence = _("Choose a contact of a customer.")
            raise Invalid("not_a_contact", sentence, {"person": sentence})
        _demand_waiting(mail)
        operations.save_mail(
            mail,
            outcome="accepted",
            person_id=person.id,
            company_id=person.company_id,
            **_settled(actor, now, "accepted", reason),
        )
        detail = {"for": str(person.id), "sender": mail.sender, "was": mail.reason, "reason": reason}
        record(actor, now, "mail_accepted", f"mail {mail.id}", company_id=person.company_id, detail=detail)

    asked = {"person": str(person_id), "reason": reason}
    _decide(actor, now, mail_id, "accept_mail", asked, do, idempotency_key)


def refuse_mail(
    actor: Actor,
    now: datetime,
    mail_id: UUID,
    reason: str,
    *,
    tell_sender: bool = False,
    idempotency_key: str | None = None,
) -> None:
    """Refuse a message with a reason, visibly; the sender is told only where the address is a present contact's.

    Raises Forbidden, NotFound, Invalid without a reason, Refused where it was settled before.
    """

    def do(mail: Mail) -> None:
        _demand_waiting(mail)
        operations.save_mail(mail, outcome="refused", **_settled(actor, now, "refused", reason))
        person = find_person_by_email(mail.sender) if tell_sender and mail.sender else None
        is_told = person is not None and person.is_active and person.company_id is not None
        if person is not None and is_told:
            operations.post_mails([refusal_told(mail, person, reason, now)], now)
            wake_post()
        detail = {"sender": mail.sender, "was": mail.reason, "reason": reason, "told": is_told}
        record(actor, now, "mail_refused", f"mail {mail.id}", detail=detail)

    asked = {"reason": reason, "tell": tell_sender}
    _decide(actor, now, mail_id, "refuse_mail", asked, do, idempotency_key)


def put_back(actor: Actor, now: datetime, mail_id: UUID, reason: str, *, idempotency_key: str | None = None) -> None:
    """Put a message that was refused by a person back into the quarantine; what was mailed about it stays mailed.

    Raises Forbidden, NotFound, Invalid without a reason, Refused where no person refused it.
    """

    def do(mail: Mail) -> None:
        if mail.outcome != "refused" or mail.settled_how != "refused":
            raise Refused("not_refused", _("Only a message that a person refused goes back into the quarantine."))
        before = {"by": mail.settled_by_name, "why": mail.settled_why}
        operations.save_mail(
            mail, outcome="quarantined", settled_at=None, settled_by_name="", settled_how="", settled_why=""
        )
        record(actor, now, "mail_put_back", f"mail {mail.id}", detail={"reason": reason, "refused": before})

    _decide(actor, now, mail_id, "put_back_mail", {"reason": reason}, do, idempotency_key)


def _decide(
    actor: Actor,
    now: datetime,
    mail_id: UUID,
    act: str,
    asked: Mapping[str, Any],
    do: Callable[[Mail], None],
    key: str | None,
) -> None:
    if not may_clear(actor):
        raise Forbidden("role_missing", _("Engineers and duty managers decide about messages in quarantine."))
    if not asked["reason"]:
        sentence = _("Say why, for whoever reads it later.")
        raise Invalid("reason_missing", sentence, {"reason": sentence})
    if len(asked["reason"]) > LONGEST_REASON:
        sentence = _("The reason is longer than %(limit)s characters.") % {"limit": LONGEST_REASON}
        raise Invalid("reason_too_long", sentence, {"reason": sentence})
    with journey():
        queries.get_mail_for(actor, mail_id)
        mail = operations.lock_mail(mail_id)

        def once_only() -> dict[str, str]:
            do(mail)
            return {}

        once(actor, now, key, act, {"mail": str(mail_id), **asked}, once_only)


def _demand_waiting(mail: Mail) -> None:
    if mail.outcome == "quarantined" and mail.settled_at is None:
        return
    if mail.settled_by_name:
        name = {"name": mail.settled_by_name}
        raise Refused("mail_settled", _("%(name)s has settled this message in the meantime.") % name)
    raise Refused("mail_not_waiting", _("This message does not wait in quarantine."))


def _settled(actor: Actor, now: datetime, how: str, why: str) -> dict[str, Any]:
    return {"settled_at": now, "settled_by_name": actor.name, "settled_how": how, "settled_why": why}
