"""The response clock: from a case's arrival to the first qualified answer.

Rules (the clauses of the specification):
- RC-3 A confirmed call opens every instant after it, where the severity's promise says so.
- RC-4 The end is the first instant at which the working time since the start equals the target.
- RC-5 Without a target there is no end: the case is `best_effort`.
- RC-6 Raising the severity: the earlier of the end so far and the raise + the rest of the new target.
- RC-7 Lowering it: the later of the end so far and submission + the new target.
- RC-8 The end is a fold over the events; a call folds them again. No counter is kept anywhere.
- RC-9 The first qualified answer stops the clock for good. RC-14 A voided one was never given.
- RC-10 Strictly after the end unanswered is a breach, and permanent.
- RC-11 Nothing pauses this clock. RC-12 Calendar and policy are arguments, so they are the frozen ones.
- RC-13 Everything is judged as of an instant that is an argument too; what comes after it has not happened.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from guardia.features.sla.rules.calendars import Calendar
from guardia.features.sla.rules.events import Event, History
from guardia.features.sla.rules.expectations import Malformed
from guardia.features.sla.rules.instants import NOTHING, in_utc
from guardia.features.sla.rules.policies import Policy, Promise
from guardia.features.sla.rules.timetable import LATEST, BeyondHorizon, Interval

State = Literal["running", "best_effort", "met", "answered", "breached"]

# Acknowledgements and voided answers change nothing: this clock never pauses (RC-11).
_MOVES_THE_END: Final = ("severity_changed", "phone_confirmed")


class TargetBeyondHorizon(BeyondHorizon):
    """The target of this severity ends after the last year that is reckoned with."""

    def __init__(self, severity: int) -> None:
        self.severity = severity
        super().__init__(f"the target of severity {severity} ends after the last year that is reckoned with")


@dataclass(frozen=True)
class Reading:
    """The clock as of an instant. Instants are in UTC.

    `remaining` is the working time left under the coverage then in force: nothing once the end has passed, None without
    an end or once answered. `steps` are the covered intervals from the start of the end in force (submission, or the
    raise that set it) to that end; together they are as long as the target, or as the rest that the raise left of it.
    """

    state: State
    due_at: datetime | None
    breached_at: datetime | None
    answered_at: datetime | None
    remaining: timedelta | None
    steps: tuple[Interval, ...]


def evaluate(calendar: Calendar, policy: Policy, events: Sequence[Event] | History, as_of: datetime) -> Reading:
    """Judge a case as of an instant (RC-13).

    Raises Malformed when the events are no history of a case or begin after `as_of`, TargetBeyondHorizon when a promise
    reaches further than the calendar is reckoned.
    """
    history = events if isinstance(events, History) else History.of(events)
    now = in_utc(as_of)
    submitted = history.events[0]
    if now < submitted.at:
        raise Malformed("as_of", f"an instant not before the submission at {submitted.at.isoformat()}", now.isoformat())

    fold = _Fold(calendar, policy, submitted)
    answer = history.answer_as_of(now)
    breached_at: datetime | None = None
    for position, event in enumerate(history.events):
        if event.at > now:
            break
        if position == answer:
            return _reading(fold, breached_at or fold.breach_before(event.at), event.at, now)
        if event.type in _MOVES_THE_END:
            breached_at = breached_at or fold.breach_before(event.at)
            fold.take(event)
    return _reading(fold, breached_at or fold.breach_before(now), None, now)


def next_deadline(reading: Reading) -> datetime | None:
    """The instant strictly after which this reading turns into a breach by itself; None if it never does."""
    return reading.due_at if reading.state == "running" else None


class _End(NamedTuple):
    """An end of the clock and what set it: counted from there, under this severity's coverage."""

    due_at: datetime
    start: datetime
    severity: int


class _Stretch(NamedTuple):
    """From here on the case has this severity."""

    start: datetime
    severity: int


class _Fold:
    """The end so far, folded over submission and changes of severity under the call that is known (RC-8)."""

    __slots__ = ("_called_at", "_policy", "_stretches", "_timetable", "end", "severity")

    def __init__(self, calendar: Calendar, policy: Policy, submitted: Event) -> None:
        self._timetable = calendar.timetable
        self._policy = policy
        self._called_at: datetime | None = None
        self.severity = submitted.severity or 0  # An Event that is a submission has one.
        self._stretches = [_Stretch(submitted.at, self.severity)]
        self.end = self._from_submission(self.severity)

    def breach_before(self, at: datetime) -> datetime | None:
        """The end in force, if it passed strictly before this instant (RC-10)."""
        return self.end.due_at if self.end is not None and self.end.due_at < at else None

    def take(self, event: Event) -> None:
        """One event more; a change to the same severity is none (RC-13)."""
        if event.type == "severity_changed":
            if event.severity is not None and event.severity != self.severity:
                self._change(_Stretch(event.at, event.severity))
        elif event.type == "phone_confirmed" and self._called_at is None:
            self._called_at = event.at
            self._fold_again()

    def _fold_again(self) -> None:
        first, *changes = self._stretches
        self._stretches = [first]
        self.severity = first.severity
        self.end = self._from_submission(first.severity)
        for change in changes:
            self._change(change)

    def _change(self, change: _Stretch) -> None:
        raised = change.severity < self.severity
        self.end = self._raised(change) if raised else self._lowered(change)
        self._stretches.append(change)
        self.severity = change.severity

    def _raised(self, change: _Stretch) -> _End | None:  # RC-6
        target = self._policy[change.severity].target
        if target is None:
            return self.end
        rest = max(NOTHING, target - self._spent_by(change))
        end = self._reach(change.start, rest, change.severity)
        return self.end if self.end is not None and self.end.due_at <= end.due_at else end

    def _lowered(self, change: _Stretch) -> _End | None:  # RC-7
        end = self._from_submission(change.severity)
        return self.end if end is not None and self.end is not None and self.end.due_at >= end.due_at else end

    def _from_submission(self, severity: int) -> _End | None:
        target = self._policy[severity].target
        if target is None:
            return None  # RC-5
        return self._reach(self._stretches[0].start, target, severity)

    def _spent_by(self, change: _Stretch) -> timedelta:
        """The working time so far at the new severity or a graver one, each stretch under its own coverage (RC-6)."""
        spent, until = NOTHING, change.start
        for stretch in reversed(self._stretches):
            if stretch.severity <= change.severity:
                spent += self.covered(stretch.start, until, stretch.severity)
            until = stretch.start
        return spent

    def _reach(self, start: datetime, duration: timedelta, severity: int) -> _End:
        """The end that lies so much covered time after the start (RC-4). Raises TargetBeyondHorizon."""
        try:
            due_at = self._advance(start, duration, self._policy[severity])
        except (BeyondHorizon, OverflowError) as error:
            raise TargetBeyondHorizon(severity) from error
        if due_at >= LATEST:
            raise TargetBeyondHorizon(severity)
        return _End(due_at, start, severity)

    def _opens_at(self, promise: Promise, start: datetime) -> datetime | None:
        """From when on, at or after the start, every instant is covered; None for never (RC-2, RC-3)."""
        if promise.coverage == "always":
            return start
        if not promise.phone_opens_24x7 or self._called_at is None:
            return None
        return max(start, self._called_at)

    def _advance(self, start: datetime, duration: timedelta, promise: Promise) -> datetime:
        opens_at = self._opens_at(promise, start)
        if opens_at is None:
            return self._timetable.advance(start, duration)
        # What was consumed before the call stays consumed (RC-3).
        rest = duration - self._timetable.elapsed(start, opens_at)
        return opens_at + rest if rest > NOTHING else self._timetable.advance(start, duration)

    def covered(self, start: datetime, end: datetime, severity: int) -> timedelta:
        """The time in `[start, end)` that this severity's coverage counts."""
        opens_at = self._opens_at(self._policy[severity], start)
        if opens_at is None or opens_at >= end:
            return self._timetable.elapsed(start, end)
        return self._timetable.elapsed(start, opens_at) + (end - opens_at)

    def steps(self) -> tuple[Interval, ...]:
        """The covered intervals that make up the end in force."""
        if self.end is None or self.end.due_at <= self.end.start:
            return ()
        due_at, start, severity = self.end
        promise = self._policy[severity]
        opens_at = self._opens_at(promise, start)
        if opens_at is None or opens_at >= due_at:
            return tuple(self._timetable.intervals(start, due_at))
        opened = Interval(opens_at, due_at, "always" if promise.coverage == "always" else "call")
        return (*self._timetable.intervals(start, opens_at), opened)


def _reading(fold: _Fold, breached_at: datetime | None, answered_at: datetime | None, now: datetime) -> Reading:
    due_at = None if fold.end is None else fold.end.due_at
    remaining = None
    if due_at is not None and answered_at is None:
        remaining = fold.covered(now, due_at, fold.severity) if now < due_at else NOTHING
    return Reading(_state(due_at, breached_at, answered_at), due_at, breached_at, answered_at, remaining, fold.steps())


def _state(due_at: datetime | None, breached_at: datetime | None, answered_at: datetime | None) -> State:
    if breached_at is not None:
        return "breached"  # RC-10: whatever came after it.
    if answered_at is not None:
        return "answered" if due_at is None else "met"
    return "best_effort" if due_at is None else "running"
