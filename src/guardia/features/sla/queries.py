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
    """Return the events of a case's log that the response clock knows, in its own terms.

    A case that becomes premium by consent after its submission starts its clock at that instant, with the severity it
    has then; a call that was confirmed before counts from there.
    """
    known: list[Event] = []
    for event in log:
        at = event.occurred_at
        if event.type == "submitted":
            known.append(Event(at=at, type="submitted", severity=event.payload["severity"]))
        elif event.type == "severity_changed":
            known.append(Event(at=at, type="severity_changed", severity=event.payload["to"]))
        elif event.type == "answered":
            known.append(Event(at=at, type="answered", qualified=bool(event.payload.get("qualified", True))))
        elif event.type == "phone_confirmed":
            known.append(Event(at=at, type="phone_confirmed"))
        elif event.type == "answer_voided":
            known.append(Event(at=at, type="answer_voided"))
        elif event.type == "class_changed" and event.payload["starts"] == "now":
            known = _started_anew(known, at)
    return known


def _started_anew(known: list[Event], at: datetime) -> list[Event]:
    severity = next(event.severity for event in reversed(known) if event.severity is not None)
    called = any(event.type == "phone_confirmed" for event in known)
    start = [Event(at=at, type="submitted", severity=severity)]
    return [*start, Event(at=at, type="phone_confirmed")] if called else start


def policy_of(terms: Mapping[str, Any], case_class: str) -> dict[str, Any]:
    """Return the frozen promise for a class; terms frozen before classes could change hold one promise only."""
    policies = terms.get("policies") or {}
    return dict(policies.get("standard" if case_class == "undecided" else case_class) or terms["policy"])


def read_clock(version_id: UUID, policy: Mapping[str, Any], log: Iterable[LoggedEvent], as_of: datetime) -> Reading:
    """Return a case's response clock as of an instant (not before its last event), with its arithmetic."""
    known = clock_events(log)
    latest = max(event.at for event in known)
    return evaluate(compiled_calendar(version_id), Policy.parse(dict(policy)), known, max(as_of, latest))


def time_to_answer(
    version_id: UUID, policy: Mapping[str, Any], log: Iterable[LoggedEvent], reading: Reading
) -> int | None:
    """Return the seconds that counted from the clock's start to the qualified answer, or None without one.

    Under the coverage of the severity that the case had at the answer, a confirmed call included; without a target, the
    calendar's hours: the reports compare what customers waited within hours in which they were served.
    """
    if reading.answered_at is None:
        return None
    known = [event for event in clock_events(log) if event.at <= reading.answered_at]
    start = known[0].at
    severity = next(event.severity for event in reversed(known) if event.severity is not None)
    promise = Policy.parse(dict(policy))[severity]
    calls = [event.at for event in known if event.type == "phone_confirmed"] if promise.phone_opens_24x7 else []
    opens_at = start if promise.coverage == "always" else min([*calls, reading.answered_at])
    working = compiled_calendar(version_id).elapsed(start, opens_at)
    return int((working + (reading.answered_at - opens_at)).total_seconds())
