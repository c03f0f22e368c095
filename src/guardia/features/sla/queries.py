"""Calendar versions, and the response clock of a case under its frozen terms."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID

from guardia.features.sla.models import CalendarVersion
from guardia.features.sla.rules.calendars import Calendar
from guardia.features.sla.rules.clock import Reading, evaluate
from guardia.features.sla.rules.events import Event
from guardia.features.sla.rules.policies import Policy


class LoggedEvent(Protocol):
    """An event of a case's log, as far as the clock reads it."""

    @property
    def type(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...


def get_calendar(version_id: UUID) -> CalendarVersion:
    """Return a calendar version that a contract or case names."""
    return CalendarVersion.objects.get(id=version_id)


@lru_cache(maxsize=256)
def compiled_calendar(version_id: UUID) -> Calendar:
    """Return a calendar version, compiled once for each process: versions never change."""
    return Calendar.parse(get_calendar(version_id).rules)


def clock_events(log: Iterable[LoggedEvent]) -> list[Event]:
    """Return the events of a case's log that the response clock knows, in its own terms."""
    known = []
    for event in log:
        if event.type == "submitted":
            known.append(Event(at=event.occurred_at, type="submitted", severity=event.payload["severity"]))
        elif event.type == "answered":
            known.append(Event(at=event.occurred_at, type="answered", qualified=True))
        elif event.type == "phone_confirmed":
            known.append(Event(at=event.occurred_at, type="phone_confirmed"))
    return known


def read_clock(version_id: UUID, policy: Mapping[str, Any], log: Iterable[LoggedEvent], as_of: datetime) -> Reading:
    """Return a case's response clock as of an instant (not before its last event), with its arithmetic."""
    known = clock_events(log)
    latest = max(event.at for event in known)
    return evaluate(compiled_calendar(version_id), Policy.parse(dict(policy)), known, max(as_of, latest))
