"""The phone calls about a case, for staff, and what was recorded of them, by the events of the case that tell of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from guardia.features.calls.models import Call, Recording
from guardia.features.calls.queries import calls_of_case, recordings_of_calls, recordings_of_case
from guardia.features.calls.rules.hearing import is_for_customers, may_hear
from guardia.features.cases.queries import get_case_for
from guardia.kernel.vocabulary import Actor
from guardia.reports.call_words import direction_title, kind_title, outcome_title, step_title
from guardia.reports.showing import RecordingView


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
    calls = list(calls_of_case(case.id))
    recorded = recordings_of_calls(call.id for call in calls)
    return tuple(_call(actor, call, [row for row in recorded.get(call.id, ()) if row.case_id == case.id], case.number)
                 for call in calls)  # fmt: skip


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


def _call(actor: Actor, call: Call, recordings: list[Recording], number: str) -> CaseCall:
    is_live = call.ended_at is None
    return CaseCall(
        id=call.id,
        title=direction_title(call.direction),
        person=call.person_name,
        started_at=call.started_at,
        is_live=is_live,
        outcome=step_title(call.step, call.step_detail) if is_live else outcome_title(call.outcome),
        confirms=any(note.get("what") == "confirmed" for note in call.log) or call.outcome == "confirmed",
        engineer=call.connected_name,
        duration_s=(call.ended_at - call.started_at).total_seconds() if call.ended_at else None,
        recordings=tuple(recording_view(row, number) for row in recordings),
        may_hear=may_hear(actor),
    )
