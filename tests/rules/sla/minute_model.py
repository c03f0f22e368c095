"""A second opinion on the response clock: slow, tick by tick, and built like nothing in the product.

It reads the scenario's JSON itself, compares wall times as text, keeps no interval and no sum, and walks from the
submission to `as_of` one minute (or, where seconds occur, one second) at a time.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from guardia.features.sla.rules.zones import get_zone

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GIVE_UP_AFTER = timedelta(days=400)


class MinuteModel:
    def __init__(self, scenario: dict[str, Any]) -> None:
        self.calendar = scenario["calendar"]
        self.zone = get_zone(self.calendar["zone"])
        self.policy = scenario["policy"]
        self.as_of = datetime.fromisoformat(scenario["as_of"]).astimezone(UTC)
        events = [{**event, "at": datetime.fromisoformat(event["at"]).astimezone(UTC)} for event in scenario["events"]]
        self.events = self._without_voided([e for e in sorted(events, key=lambda e: e["at"]) if e["at"] <= self.as_of])
        instants = [self.as_of, *(event["at"] for event in events)]
        self.tick = timedelta(minutes=1) if all(t.second == 0 for t in instants) else timedelta(seconds=1)
        self.start: datetime = self.events[0]["at"]
        self.is_working = cache(self._is_working)

    @staticmethod
    def _without_voided(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        while (void := next((n for n, e in enumerate(events) if e["type"] == "answer_voided"), None)) is not None:
            answer = max(n for n in range(void) if events[n]["type"] == "answered" and events[n]["qualified"])
            events = [e for n, e in enumerate(events) if n not in (answer, void)]
        return events

    def _is_working(self, at: datetime) -> bool:
        local = at.astimezone(self.zone)
        day, wall = local.date().isoformat(), local.strftime("%H:%M:%S")
        if day in self.calendar.get("open_on", {}):
            windows = self.calendar["open_on"][day]
        elif day in self.calendar.get("closed_on", []):
            windows = []
        else:
            windows = self.calendar["weekly"].get(WEEKDAYS[local.weekday()], [])
        return any(f"{opens}:00" <= wall < f"{closes}:00" for opens, closes in windows)

    def is_covered(self, at: datetime, severity: int, known: list[dict[str, Any]]) -> bool:
        promise = self.policy[str(severity)]
        called = any(e["type"] == "phone_confirmed" and e["at"] <= at for e in known)
        opened = called and promise.get("phone_opens_24x7", False)
        return promise["coverage"] == "always" or opened or self.is_working(at)

    def severity_at(self, at: datetime, known: list[dict[str, Any]]) -> int:
        severity = 0
        for event in known:
            if event["at"] <= at and event["type"] in ("submitted", "severity_changed"):
                severity = event["severity"] if event["type"] == "submitted" else event["to"]
        return severity

    def covered(self, start: datetime, end: datetime, severity: int, known: list[dict[str, Any]]) -> timedelta:
        total, at = timedelta(0), start
        while at < end:
            total += self.tick * self.is_covered(at, severity, known)
            at += self.tick
        return total

    def reach(self, start: datetime, amount: timedelta, severity: int, known: list[dict[str, Any]]) -> datetime:
        at = start
        while amount > timedelta(0):
            amount -= self.tick * self.is_covered(at, severity, known)
            at += self.tick
            assert at - start < GIVE_UP_AFTER
        return at

    def target(self, severity: int) -> timedelta | None:
        text = self.policy[str(severity)]["target"]
        if text is None:
            return None
        number, unit = int(text[2:-1]), {"H": "hours", "M": "minutes"}[text[-1]]
        return timedelta(**{unit: number})

    def due(self, known: list[dict[str, Any]]) -> datetime | None:
        severity: int = known[0]["severity"]
        target = self.target(severity)
        end = None if target is None else self.reach(self.start, target, severity, known)
        for place, event in enumerate(known):
            if event["type"] == "severity_changed" and event["to"] != severity:
                before, severity = severity, event["to"]
                target = self.target(severity)
                if severity < before and target is not None:
                    spent = self.spent(severity, event["at"], known, known[:place])
                    raised = self.reach(event["at"], target - spent, severity, known)
                    end = raised if end is None else min(end, raised)
                elif severity > before:
                    whole = None if target is None else self.reach(self.start, target, severity, known)
                    end = whole if end is None or whole is None else max(end, whole)
        return end

    def spent(
        self, severity: int, until: datetime, known: list[dict[str, Any]], earlier: list[dict[str, Any]]
    ) -> timedelta:
        total, at = timedelta(0), self.start
        while at < until:
            then = self.severity_at(at, earlier)
            total += self.tick * (then <= severity and self.is_covered(at, then, known))
            at += self.tick
        return total

    def judge(self) -> dict[str, Any]:
        known: list[dict[str, Any]] = [self.events[0]]
        waiting = self.events[1:]
        due, breached, answered = self.due(known), None, None
        now = self.start
        while answered is None and now <= self.as_of:
            if breached is None and due is not None and due < now:
                breached = due
            while answered is None and waiting and waiting[0]["at"] == now:
                event = waiting.pop(0)
                if event["type"] == "answered":
                    answered = now if event["qualified"] else None
                else:
                    known.append(event)
                    due = self.due(known)
            now += self.tick
        remaining = None
        if due is not None and answered is None:
            remaining = self.covered(self.as_of, due, self.severity_at(self.as_of, known), known)
        if breached is not None:
            state = "breached"
        elif answered is not None:
            state = "answered" if due is None else "met"
        else:
            state = "best_effort" if due is None else "running"
        return {
            "state": state,
            "due_at": due,
            "breached_at": breached,
            "answered_at": answered,
            "remaining": remaining,
        }
