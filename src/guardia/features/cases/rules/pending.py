"""What waits for somebody's word on a case: a proposed severity, a disputed one, facts that were entered late.

Rules:
- A proposal waits until the customer answers it, or until the severity changes; a newer one takes its place.
- A dispute waits until staff settle it, or until the severity changes.
- A late entry waits until it is settled: each by its own seq.
- The answer that stands is the latest qualified one, by its instant, that was not voided (RC-14).
Pure folds over the log, like everything else about a case.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from guardia.features.cases.rules.projection import EventFact


@dataclass(frozen=True)
class Proposal:
    """A severity that the vendor proposes, for the customer to agree to."""

    seq: int
    to: int
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Dispute:
    """The severity that the customer wants instead, and why."""

    seq: int
    wanted: int
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True)
class LateEntry:
    """A fact that would undo what was announced: it waits for a duty manager other than who entered it."""

    seq: int
    type: str
    occurred_at: datetime
    text: str
    reason: str
    by: str
    by_id: str
    recorded_at: datetime


def open_proposal(events: Iterable[EventFact]) -> Proposal | None:
    """Return the proposal that the customer has not answered, or None."""
    found: Proposal | None = None
    for event in events:
        if event.type == "severity_proposed":
            said = event.payload
            found = Proposal(event.seq, said["to"], said["reason"], event.actor["name"], event.occurred_at)
        elif event.type in {"severity_changed", "severity_declined"}:
            found = None
    return found


def open_dispute(events: Iterable[EventFact]) -> Dispute | None:
    """Return the dispute that nobody has settled, or None."""
    found: Dispute | None = None
    for event in events:
        if event.type == "severity_disputed":
            said = event.payload
            found = Dispute(event.seq, said["wanted"], said["reason"], event.actor["name"], event.occurred_at)
        elif event.type in {"severity_changed", "dispute_settled"}:
            found = None
    return found


def waiting_entries(events: Iterable[EventFact]) -> tuple[LateEntry, ...]:
    """Return the late entries that nobody has settled, oldest first."""
    found: dict[int, LateEntry] = {}
    for event in events:
        if event.type == "late_entry":
            found[event.seq] = _entry(event)
        elif event.type == "late_settled":
            found.pop(event.payload["entry"], None)
    return tuple(found.values())


def _entry(event: EventFact) -> LateEntry:
    said = event.payload
    return LateEntry(
        seq=event.seq,
        type=said["type"],
        occurred_at=datetime.fromisoformat(said["occurred_at"]),
        text=said["payload"].get("text", ""),
        reason=said["reason"],
        by=event.actor["name"],
        by_id=event.actor["id"],
        recorded_at=event.occurred_at,
    )


def standing_answer(events: Iterable[EventFact]) -> EventFact | None:
    """Return the latest qualified answer that was not voided, or None."""
    log = list(events)
    voided = {event.payload["answer"] for event in log if event.type == "answer_voided"}
    answers = [
        event
        for event in log
        if event.type == "answered" and event.payload.get("qualified", True) and event.seq not in voided
    ]
    return max(answers, key=lambda event: (event.occurred_at, event.seq), default=None)
