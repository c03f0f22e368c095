"""The customer's own pages beside cases and contract: machines and API tokens."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from guardia.features.accounts.queries import codes_for, machines_for, own_tokens
from guardia.features.contracts.queries import lane_of
from guardia.features.releases.queries import log, pointer
from guardia.kernel.vocabulary import Actor, Lane


@dataclass(frozen=True)
class MachineRow:
    """An enrolled machine and the release that it last reported."""

    id: str
    name: str
    lane: str
    release_label: str
    enrolled_at: datetime
    seen_at: datetime | None
    is_revoked: bool


@dataclass(frozen=True)
class MachinesPage:
    """The company's machines; `may_enrol` is true for its administrators."""

    rows: tuple[MachineRow, ...]
    open_codes: tuple[tuple[str, datetime], ...]
    may_enrol: bool
    server_url: str
    lane: str
    lane_release: str


@dataclass(frozen=True)
class TokenRow:
    """One of a person's own API tokens; the token itself is kept nowhere."""

    id: str
    name: str
    created_at: datetime
    expires_at: datetime
    state: str


def tokens_page(actor: Actor, now: datetime) -> tuple[TokenRow, ...]:
    """Return the actor's own tokens, newest first. `state`: open, over or revoked."""
    return tuple(
        TokenRow(
            str(token.id),
            token.name,
            token.created_at,
            token.expires_at,
            "revoked" if token.revoked_at else "open" if token.expires_at > now else "over",
        )
        for token in own_tokens(actor)
    )


def machines_page(actor: Actor, now: datetime) -> MachinesPage:
    """Return the machines of the actor's company."""
    lane = lane_of(actor.company_id, now) if actor.company_id else Lane.STANDARD
    shown = pointer(lane)
    labels = dict(log().values_list("number", "label"))
    rows = tuple(
        MachineRow(
            str(machine.id),
            machine.name,
            machine.lane,
            labels.get(machine.release_number or 0, ""),
            machine.enrolled_at,
            machine.seen_at,
            machine.revoked_at is not None,
        )
        for machine in machines_for(actor)
    )
    return MachinesPage(
        rows=rows,
        open_codes=tuple((code.machine_name, code.expires_at) for code in codes_for(actor, now)),
        may_enrol=actor.is_company_admin,
        server_url=settings.GUARDIA.public_url,
        lane=lane.value,
        lane_release=shown.release.label if shown else "",
    )
