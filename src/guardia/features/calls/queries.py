"""Which calls there were, and what was recorded. They are the vendor's rows: what a company's people may see of them is
reached through a case that was access-checked before, never by a call's own id alone.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from guardia.features.calls.models import Call, LineBeat, Recording


def get_call(call_id: UUID) -> Call:
    """Return a call that is known to exist."""
    return Call.objects.get(id=call_id)


def find_call(call_id: UUID) -> Call | None:
    """Return a call, or None."""
    return Call.objects.filter(id=call_id).first()


def live_calls() -> QuerySet[Call]:
    """Return the calls that live, the oldest first."""
    return Call.objects.filter(ended_at=None).order_by("started_at", "id")


def calls_by_arrival(before: tuple[datetime, UUID] | None = None) -> QuerySet[Call]:
    """Return calls, the newest first; `before`: those that stand behind the call of this start and id."""
    rows = Call.objects.order_by("-started_at", "-id")
    if before is None:
        return rows
    started_at, call_id = before
    return rows.filter(Q(started_at__lt=started_at) | Q(started_at=started_at, id__lt=call_id))


def calls_of_case(case_id: UUID, company_id: UUID, told: Collection[UUID] = ()) -> QuerySet[Call]:
    """Return the calls about a case of a company's, the oldest first: the last that they were about is the case, they
    left something in it, or it tells of them (`told`). A call of another company's person is none of them.
    """
    left = Recording.objects.filter(case_id=case_id, company_id=company_id).values("call_id")
    own = Q(case_id=case_id) & (Q(company_id=company_id) | Q(company_id=None))
    named = Q(id__in=told, company_id=company_id)
    return Call.objects.filter(own | Q(id__in=left) | named).order_by("started_at", "id")


def calls_not_handed_in(before: datetime) -> QuerySet[Call]:
    """Return calls that no line has drawn since `before` and that nobody handed in, the oldest first."""
    return Call.objects.filter(handed_in_at=None, seen_at__lt=before).order_by("started_at", "id")


def recordings_of_call(call_id: UUID) -> QuerySet[Recording]:
    """Return what was recorded in a call, in its order."""
    return Recording.objects.filter(call_id=call_id).order_by("number")


def recordings_of_calls(call_ids: Iterable[UUID]) -> dict[UUID, list[Recording]]:
    """Return what was recorded in calls, by call and in its order."""
    found: dict[UUID, list[Recording]] = {}
    for row in Recording.objects.filter(call_id__in=list(call_ids)).order_by("call_id", "number"):
        found.setdefault(row.call_id, []).append(row)
    return found


def recordings_of_case(case_id: UUID) -> QuerySet[Recording]:
    """Return the recordings of a case with their calls, the oldest first."""
    return Recording.objects.select_related("call").filter(case_id=case_id).order_by("started_at", "number")


def recordings_waiting() -> QuerySet[Recording]:
    """Return the messages that wait for staff with their calls, the oldest first."""
    rows = Recording.objects.select_related("call").filter(waits_for_staff=True, settled_at=None)
    return rows.order_by("started_at", "id")


def find_recording(recording_id: UUID) -> Recording | None:
    """Return a recording with its call, or None."""
    return Recording.objects.select_related("call").filter(id=recording_id).first()


def find_recording_of(call_id: UUID, number: int) -> Recording | None:
    """Return a recording by its call and its number in it, or None."""
    return Recording.objects.select_related("call").filter(call_id=call_id, number=number).first()


def recordings_to_erase(before: datetime) -> QuerySet[Recording]:
    """Return the recordings from before an instant whose sound is still kept, the oldest first.

    One that waits for staff is kept until somebody has dealt with it.
    """
    rows = Recording.objects.filter(started_at__lt=before, erased_at=None)
    return rows.exclude(waits_for_staff=True, settled_at=None).order_by("started_at", "id")


def line_beats() -> QuerySet[LineBeat]:
    """Return every line's last sign of life, the newest first."""
    return LineBeat.objects.order_by("-seen_at", "name")
