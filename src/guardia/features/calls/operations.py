"""Changes to phone calls, recordings and the line's sign of life. Each can be repeated and changes nothing then."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from guardia.features.calls.models import Call, LineBeat, Recording
from guardia.kernel.transactions import operation


@operation
def draw_call(call_id: UUID, seen_at: datetime, **fields: Any) -> bool:
    """Draw a living call as it is at `seen_at`; return whether it was drawn.

    Never over a row that was handed in, nor over a later picture: pictures are drawn by several threads.
    """
    old = Call.objects.filter(id=call_id, handed_in_at=None, seen_at__lte=seen_at)
    if old.update(seen_at=seen_at, **fields):
        return True
    if Call.objects.filter(id=call_id).exists():
        return False
    Call.objects.bulk_create([Call(id=call_id, seen_at=seen_at, **fields)], ignore_conflicts=True)
    return True


@operation
def save_call(call_id: UUID, **fields: Any) -> Call:
    """Write what is known for certain of a call over whatever was drawn of it; return its row, locked."""
    return Call.objects.update_or_create(id=call_id, defaults=fields)[0]


@operation
def lock_call(call_id: UUID) -> Call | None:
    """Return a call, held until the transaction ends, or None."""
    return Call.objects.select_for_update().filter(id=call_id).first()


@operation
def add_recording(
    call: Call,
    number: int,
    kind: str,
    started_at: datetime,
    seconds: float,
    voiced_s: float,
    *,
    company_id: UUID | None = None,
    case_id: UUID | None = None,
    event_seq: int | None = None,
    waits_for_staff: bool = False,
) -> Recording:
    """Keep that something was recorded in a call, or return what was kept of the same number before."""
    facts = {
        "kind": kind,
        "started_at": started_at,
        "seconds": seconds,
        "voiced_s": voiced_s,
        "company_id": company_id,
        "case_id": case_id,
        "event_seq": event_seq,
        "waits_for_staff": waits_for_staff,
    }
    return Recording.objects.get_or_create(call=call, number=number, defaults=facts)[0]


@operation
def lock_recording(recording_id: UUID) -> Recording | None:
    """Return a recording, held until the transaction ends, or None."""
    return Recording.objects.select_for_update().filter(id=recording_id).first()


@operation
def settle_recording(
    recording: Recording,
    now: datetime,
    by_name: str,
    why: str,
    *,
    company_id: UUID | None = None,
    case_id: UUID | None = None,
    event_seq: int | None = None,
) -> None:
    """Let a recording wait for staff no more; with a case, it belongs to it from now on."""
    recording.settled_at, recording.settled_by_name, recording.settled_why = now, by_name, why
    columns = ["settled_at", "settled_by_name", "settled_why"]
    if case_id is not None:
        recording.company_id, recording.case_id, recording.event_seq = company_id, case_id, event_seq
        columns += ["company_id", "case_id", "event_seq"]
    recording.save(update_fields=columns)


@operation
def erase_recordings(call_ids: Iterable[UUID], now: datetime) -> int:
    """Keep that the sound of these calls was erased; return of how many recordings."""
    return Recording.objects.filter(call_id__in=list(call_ids), erased_at=None).update(erased_at=now)


@operation
def beat_line(
    name: str, started_at: datetime, seen_at: datetime, calls: int, trunk: str, facts: dict[str, Any] | None = None
) -> None:
    """Keep that a line is at work."""
    values = {"started_at": started_at, "seen_at": seen_at, "calls": calls, "trunk": trunk, "facts": facts or {}}
    LineBeat.objects.update_or_create(name=name, defaults=values)
