"""A second opinion on the clocks that pause: minute by minute, with no interval, no sum of stretches and no stopwatch.

For each minute it asks of the whole log before it: does this clock count now? It keeps one number of minutes used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from guardia.features.sla.rules.calendars import Calendar

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Logged:
    """An event of a case's log, on a whole minute."""

    type: str
    occurred_at: datetime
    side: str = "staff"
    payload: Mapping[str, Any] = field(default_factory=dict)
    kind: str = "person"

    @property
    def actor(self) -> Mapping[str, str]:
        return {"kind": self.kind, "side": self.side, "id": "x", "name": "X"}


class _Facts:
    """What is so after some events: asked anew for every minute."""

    def __init__(self, log: Sequence[Any]) -> None:
        self.severity = log[0].payload["severity"]
        self.state, self.is_held, self.standing = "submitted", False, 0
        self.asked_at: datetime | None = None
        self.free_since: datetime | None = log[0].occurred_at
        self.wrote_since_offer = False
        for event in log[1:]:
            self._take(event, dict(event.payload))

    @property
    def is_over(self) -> bool:
        return self.state in ("closed", "rejected", "merged")

    def _take(self, event: Any, said: dict[str, Any]) -> None:
        kind, at = event.type, event.occurred_at
        speaks = not said.get("internal") and event.kind == "person"
        if kind == "severity_changed":
            self.severity = said["to"]
        if kind in ("taken", "assigned", "put_back"):
            self.is_held = kind != "put_back"
            self.free_since = None if self.is_held else self.free_since or at
        if kind in ("taken", "assigned", "state_changed"):
            if self.state != said["state"] or said["state"] == "waiting_customer":
                self.wrote_since_offer = False
            self.state = said["state"]
        elif kind in ("closed", "rejected", "merged"):
            self.state, self.free_since = kind, None
        elif kind == "reopened":
            self.state, self.free_since = kind, None if self.is_held else at
        elif kind in ("solution", "released"):
            self.state, self.wrote_since_offer = "solution_offered", False
        self._hear(event, said, at, speaks=speaks)

    def _hear(self, event: Any, said: dict[str, Any], at: datetime, *, speaks: bool) -> None:
        if event.type == "answered":
            self.standing += said["qualified"]
        elif event.type == "answer_voided":
            self.standing -= 1
        if not self.standing or self.is_over:
            self.asked_at = None
        if self.is_over:
            return
        if speaks and event.side == "staff" and event.type in ("message", "answered", "solution"):
            self.asked_at = None
        if speaks and event.side == "customer" and event.type in ("message", "reopened"):
            self.wrote_since_offer = True
            if self.standing:
                self.asked_at = self.asked_at or at

    def counts(self, clock: str) -> bool:
        is_standing_still = self.state in ("waiting_customer", "solution_offered") and not self.wrote_since_offer
        if clock == "resolution":
            return not self.is_over and not is_standing_still
        if clock == "next_answer":
            waits = self.state == "waiting_customer" and not self.wrote_since_offer
            return self.asked_at is not None and not waits
        return self.free_since is not None and not self.is_over

    def cycle(self, clock: str) -> datetime | None:
        return {"next_answer": self.asked_at, "assignment": self.free_since}.get(clock)


def minutes_of(
    calendar: Calendar, targets: Mapping[str, Mapping[str, int]], clock: str, log: Sequence[Any], as_of: datetime
) -> tuple[int, datetime | None]:
    """Return the minutes used of the present (or last) run, and the breach: the first minute past the target."""
    used, breached_at, cycle, seen = 0, None, None, 0
    at, facts = log[0].occurred_at, _Facts(log[:1])
    while at < as_of:
        so_far = [event for event in log if event.occurred_at <= at]
        if len(so_far) != seen:
            facts, seen = _Facts(so_far), len(so_far)
        now_cycle = facts.cycle(clock)
        if clock == "next_answer" and not facts.standing:
            used, breached_at, cycle = 0, None, None
        if clock != "resolution" and now_cycle is not None and now_cycle != cycle:
            used, breached_at, cycle = 0, None, now_cycle
        target = targets.get(str(facts.severity), {}).get(clock)
        if facts.counts(clock):
            if target is not None and used >= target and breached_at is None:
                breached_at = at
            used += calendar.is_open(at)
        at += MINUTE
    return used, breached_at
