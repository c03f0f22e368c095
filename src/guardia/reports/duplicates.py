"""What may be the same problem as a case, and what joining two cases would do: for the vendor's staff.

A joining is judged here by the rules and the fold that the journey asks: what the page foretells is what happens, as
long as nothing else happens before it is done.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.cases import queries
from guardia.features.cases.models import Case
from guardia.features.cases.rules.duplicates import Likely, likely
from guardia.features.cases.rules.joining import (
    moves_clock,
    promised_class,
    refusal_of_clocks,
    refusal_of_pair,
    side_of,
)
from guardia.features.cases.rules.projection import EventFact, fold
from guardia.features.cases.search import alike_cases
from guardia.features.contracts.queries import standing_charge
from guardia.features.sla.queries import JoinForeseen, clocked, foresee_join
from guardia.kernel.errors import NotFound
from guardia.kernel.vocabulary import Actor

REASONS: Final[Mapping[str, Callable[[], str]]] = {
    "same_file": lambda: _("the same file"),
    "same_detection": lambda: _("the same detection name"),
    "similar_words": lambda: _("similar words"),
    "same_sender": lambda: _("opened by the same person within 72 hours"),
    "other_channel": lambda: _("came by another channel"),
}
_SAID: Final = ("not_duplicate", "duplicate_again")


@dataclass(frozen=True)
class Proposal:
    """A case that may be the same problem. The refusals say why a direction is closed; empty: it is open.

    `joins_other` is this case into the other one, `joins_this` the other one into this.
    """

    number: str
    subject: str
    state: str
    case_class: str
    channel: str
    submitted_at: datetime
    opened_by: str
    why: tuple[str, ...]
    joins_other: str
    joins_this: str


@dataclass(frozen=True)
class JoinPreview:
    """What joining a case into the other, `number`, would do; only `refusal` is set where it is refused.

    `charge` is "given_back", "stays" or "none".
    """

    number: str
    refusal: str = ""
    subject: str = ""
    case_class: str = ""
    arrived_at: datetime | None = None
    moves_arrival: bool = False
    due_before: datetime | None = None
    due_after: datetime | None = None
    becomes_late: bool = False
    brings_call: bool = False
    charge: str = "none"


@dataclass(frozen=True)
class Duplicates:
    """`joined` are the numbers of the cases that stand joined with this one, `dismissed` of those that are not."""

    proposals: tuple[Proposal, ...] = ()
    dismissed: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    preview: JoinPreview | None = None


def why_words(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the reasons of a proposal in words; one that is not known any more as its code."""
    return tuple(REASONS[code]() if code in REASONS else code for code in codes)


def duplicates_of(actor: Actor, now: datetime, number: str, into: str = "") -> Duplicates:
    """Return what the page of a case says about duplicates; `into` is a case to look at joining with."""
    if not actor.is_staff:
        return Duplicates()
    case = queries.get_case_for(actor, number)
    log = queries.facts_of(case)
    found = likely(alike_cases(case, now), case.submitted_at) if case.closed_at is None else []
    not_same = _dismissed(case, log, found)
    proposals = _proposals(actor, now, case, log, [one for one in found if one.case_id not in not_same])
    standing = {one.case for one in fold(log).joined}
    names = {e.payload["case"]: e.payload["number"] for e in log if e.type == "merged_from"}
    return Duplicates(
        proposals=proposals,
        dismissed=tuple(not_same.values()),
        joined=tuple(names[case_id] for case_id in names if case_id in standing),
        preview=_preview(actor, now, case, log, into.replace(" ", "")) if into else None,
    )


def _dismissed(case: Case, log: list[EventFact], found: list[Likely]) -> dict[UUID, str]:
    """The cases that somebody took for another problem, on this page or on theirs, by id; the last word counts."""
    others = queries.facts_of_many([one.case_id for one in found], _SAID)
    numbers = {one.case_id: one.number for one in found}
    said = [(e.occurred_at, UUID(e.payload["case"]), e) for e in log if e.type in _SAID]
    said += [
        (e.occurred_at, other, e) for other, told in others.items() for e in told if e.payload["case"] == str(case.id)
    ]
    numbers |= {other: e.payload["number"] for _at, other, e in said if other not in numbers}
    last = {other: e.type for _at, other, e in sorted(said, key=lambda one: one[0])}
    return {other: numbers[other] for other, kind in last.items() if kind == "not_duplicate"}


def _proposals(
    actor: Actor, now: datetime, case: Case, log: list[EventFact], found: list[Likely]
) -> tuple[Proposal, ...]:
    if not found:
        return ()
    ids = [one.case_id for one in found]
    rows = {row.id: row for row in queries.cases_for(actor).filter(id__in=ids)}
    logs = queries.logs_of(ids)
    return tuple(
        Proposal(
            number=row.number,
            subject=row.subject,
            state=row.state,
            case_class=row.case_class,
            channel=row.channel,
            submitted_at=row.submitted_at,
            opened_by=row.opened_by_name,
            why=why_words(one.why),
            joins_other=_judged(case, log, row, logs[row.id], now)[0],
            joins_this=_judged(row, logs[row.id], case, log, now)[0],
        )
        for one in found
        if (row := rows.get(one.case_id)) is not None
    )


def _judged(
    duplicate: Case, its_log: list[EventFact], kept: Case, kept_log: list[EventFact], now: datetime
) -> tuple[str, JoinForeseen | None]:
    """Why the two are not joined in this direction, in words, and what the clocks would say."""
    refusal = refusal_of_pair(side_of(duplicate), side_of(kept))
    if refusal is not None:
        return _(refusal.sentence), None
    moves = moves_clock(promised_class(duplicate), promised_class(kept))
    seen = foresee_join(clocked(duplicate, its_log), clocked(kept, kept_log), now, moves_clock=moves)
    sides = (side_of(duplicate, seen.duplicate), side_of(kept, seen.kept))
    refusal = refusal_of_clocks(*sides, seen.after.due_at, seen.after.breached_at)
    return (_(refusal.sentence) if refusal else ""), seen


def _preview(actor: Actor, now: datetime, case: Case, log: list[EventFact], into: str) -> JoinPreview:
    try:
        kept = queries.get_case_for(actor, into)
    except NotFound as unknown:
        return JoinPreview(into, unknown.sentence)
    refusal, seen = _judged(case, log, kept, queries.facts_of(kept), now)
    if refusal or seen is None:
        return JoinPreview(into, refusal)
    return JoinPreview(
        number=kept.number,
        subject=kept.subject,
        case_class=kept.case_class,
        arrived_at=min(case.submitted_at, kept.submitted_at),
        moves_arrival=case.submitted_at < kept.submitted_at,
        due_before=seen.kept.due_at,
        due_after=seen.after.due_at,
        becomes_late=seen.after.breached_at is not None and seen.kept.breached_at is None,
        brings_call=seen.brought["called_at"] is not None and kept.called_at is None,
        charge=_charge(case, kept),
    )


def _charge(duplicate: Case, kept: Case) -> str:
    if standing_charge(duplicate.id, duplicate.company_id) is None:
        return "none"
    is_charged = any(standing_charge(one, kept.company_id) is not None for one in queries.group_of(kept))
    return "given_back" if is_charged else "stays"
