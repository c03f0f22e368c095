"""The phone calls about a case, for staff, and what was recorded of them, by the events of the case that tell of it.

One call may be about several cases, and its row names the last of them. So a case finds its calls by its own events
too, and what a call was for a case is read from these and from the notes that bear its number.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from guardia.features.calls.models import Call, Recording
from guardia.features.calls.queries import calls_of_case, recordings_of_calls, recordings_of_case
from guardia.features.calls.rules.handing_in import ENDED
from guardia.features.calls.rules.hearing import is_for_customers, may_hear
from guardia.features.cases.models import Case
from guardia.features.cases.queries import events_of, get_case_for
from guardia.kernel.vocabulary import Actor
from guardia.reports.call_words import direction_title, kind_title, outcome_title, step_title
from guardia.reports.showing import RecordingView

_TELL_OF_A_CALL: Final = ("submitted", "message", "phone_confirmed", "call_taken")
_OF_ONE_CASE: Final = frozenset({"confirmed", "opened", "heard", "message"})
"""Notes with a case's number, and outcomes that speak of the last such note."""


@dataclass(frozen=True)
class CaseCall:
    """A call about a case. `recordings` are those that belong to the case; `confirms`: it was the confirmation."""

    id: UUID
    title: str
    person: str
    started_at: datetime
    is_live: bool
    outcome: str
    confirms: bool
    engineer: str
    duration_s: float | None
    recordings: tuple[RecordingView, ...]
    may_hear: bool


def case_calls(actor: Actor, number: str) -> tuple[CaseCall, ...]:
    """Return the calls about a case, the oldest first; none for customers; raise NotFound for a stranger's case."""
    case = get_case_for(actor, number)
    if not actor.is_staff:
        return ()
    told = _told(case)
    calls = list(calls_of_case(case.id, case.company_id, {*told}))
    recorded = recordings_of_calls(call.id for call in calls)
    return tuple(
        _call(
            actor,
            call,
            [row for row in recorded.get(call.id, ()) if row.case_id == case.id],
            case.number,
            told.get(call.id, ()),
        )
        for call in calls
    )


def recording_views(actor: Actor, case_id: UUID) -> Mapping[int, tuple[RecordingView, ...]]:
    """Return the recordings of a case, already access-checked, by the event that tells of them."""
    found: dict[int, tuple[RecordingView, ...]] = {}
    for row in recordings_of_case(case_id):
        is_shown = may_hear(actor) if actor.is_staff else is_own(row)
        if row.event_seq is not None and is_shown:
            found[row.event_seq] = (*found.get(row.event_seq, ()), recording_view(row))
    return found


def is_own(row: Recording) -> bool:
    """Whether the people of the case's company may hear it."""
    return is_for_customers(row.kind, waits_for_staff=row.waits_for_staff)


def recording_view(row: Recording, case_number: str = "") -> RecordingView:
    """Return a recording as pages show it."""
    return RecordingView(
        id=str(row.id),
        number=row.number,
        title=kind_title(row.kind),
        started_at=row.started_at,
        seconds=row.seconds,
        kept_days=settings.GUARDIA.line_kept_days,
        is_erased=row.erased_at is not None,
        is_waiting=row.waits_for_staff and row.settled_at is None,
        settled_at=row.settled_at,
        settled_by=row.settled_by_name,
        settled_why=row.settled_why,
        case_number=case_number,
    )


def _told(case: Case) -> dict[UUID, set[str]]:
    """Return the calls of which the events of a case tell, each with the types of those events."""
    rows = events_of(case).filter(type__in=_TELL_OF_A_CALL, payload__has_key="call")
    found: dict[UUID, set[str]] = {}
    for kind, call_id in rows.exclude(payload__call="").values_list("type", "payload__call"):
        found.setdefault(UUID(call_id), set()).add(kind)
    return found


def _call(actor: Actor, call: Call, recordings: list[Recording], number: str, told: Collection[str]) -> CaseCall:
    is_live = call.ended_at is None
    notes = [note for note in call.log if note.get("what") in _OF_ONE_CASE and note.get("number") == number]
    return CaseCall(
        id=call.id,
        title=direction_title(call.direction),
        person=call.person_name,
        started_at=call.started_at,
        is_live=is_live,
        outcome=step_title(call.step, call.step_detail) if is_live else outcome_title(_outcome(call, notes)),
        confirms="phone_confirmed" in told or any(_confirms(note) for note in notes),
        engineer=call.connected_name,
        duration_s=(call.ended_at - call.started_at).total_seconds() if call.ended_at else None,
        recordings=tuple(recording_view(row, number) for row in recordings),
        may_hear=may_hear(actor),
    )


def _confirms(note: Mapping[str, Any]) -> bool:
    return note["what"] == "confirmed" and note.get("is_first", True) is True


def _outcome(call: Call, notes: list[Mapping[str, Any]]) -> str:
    """Return how a call ended for the case of these notes: what it was for another case is not told of this one."""
    if call.outcome not in _OF_ONE_CASE:
        return call.outcome
    if notes:
        return str(notes[-1]["what"])
    is_of_another = any(note.get("what") == call.outcome and note.get("number") for note in call.log)
    return ENDED if is_of_another else call.outcome
