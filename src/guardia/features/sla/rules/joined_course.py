"""What a duplicate brings to the response clock of the case that it was joined with.

- J-1 A duplicate that started its clock earlier moves the start there, with the severity that it had then, and with
  what became of that severity until the other case began; from there on the other's holds, as a change (RC-6, RC-7).
- J-2 A call that was confirmed about the duplicate was confirmed about the problem: it counts, from the start at most.
- J-3 A joining that was taken back never was. One under version 1, which tells no course, moves nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from guardia.features.sla.rules.events import Event


class LoggedJoin(Protocol):
    """An event of a case's log, as far as joinings are told by it."""

    @property
    def seq(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...


def standing_joins(log: Iterable[LoggedJoin]) -> frozenset[int]:
    """Return the seqs of the joinings that were not taken back (J-3)."""
    standing: dict[str, int] = {}
    for event in log:
        if event.type == "merged_from":
            standing[event.payload["case"]] = event.seq
        elif event.type == "merge_taken_back":
            standing.pop(event.payload["case"], None)
    return frozenset(standing.values())


def with_course(known: Sequence[Event], joined: Mapping[str, Any]) -> list[Event]:
    """Return the clock's events so far with what a joining brings (J-1, J-2)."""
    events = list(known)
    own = events[0]
    course = [(datetime.fromisoformat(at), severity) for at, severity in joined.get("course") or ()]
    before = [(at, severity) for at, severity in course if at < own.at]
    if before:
        (start, first), *changes = before
        events = [
            Event(at=start, type="submitted", severity=first),
            *(Event(at=at, type="severity_changed", severity=severity) for at, severity in changes),
            Event(at=own.at, type="severity_changed", severity=own.severity),
            *events[1:],
        ]
    if joined.get("called_at"):
        events.append(Event(at=datetime.fromisoformat(joined["called_at"]), type="phone_confirmed"))
    return events


def from_start(known: Sequence[Event]) -> list[Event]:
    """Return the events with every call at or after the start: an earlier one counts from there (J-2)."""
    start = known[0].at
    return [
        Event(at=start, type="phone_confirmed") if event.type == "phone_confirmed" and event.at < start else event
        for event in known
    ]


def course_of(known: Sequence[Event]) -> dict[str, Any]:
    """Return what a case with these clock events brings to the one that it is joined with, as its event keeps it."""
    calls = [event.at for event in known if event.type == "phone_confirmed"]
    return {
        "course": [[event.at.isoformat(), event.severity] for event in known if event.severity is not None],
        "called_at": min(calls).isoformat() if calls else None,
    }
