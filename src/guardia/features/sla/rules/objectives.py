"""The clocks that pause: next answer, resolution, assignment. Internal objectives, which no contract promises.

All of them count the working time of the contract's calendar (P16), and the targets are those of the severity in force.

- O-1 Next answer starts at a customer's message once a qualified answer stands (P3, P12), and at a customer's
  reopening; the oldest message that waits is the one that is timed. A public word of a person of the vendor's stops it
  (P4): not an internal note, not an automatic or system event, not a third party (P19, P20). It pauses while the case
  waits for the customer. Where the last qualified answer is voided it is off: the response clock runs instead.
- O-2 Resolution starts at submission, pauses while the case waits for the customer or a solution is offered (until the
  customer writes again), and ends when the case is closed, rejected or merged. Reopening goes on with what was used,
  without the time between (P7).
- O-3 Assignment starts at submission, and when the case is put back; it ends when somebody has the case.
- O-4 An end of the case ends all of them (P8, P10).
- O-5 A change of severity keeps what was used, pauses excluded, and counts the rest of the new target from there (P17).
- O-6 While paused there is no end: none is shown (P22).
- O-7 A breach is the end that passed, strictly, while the clock ran; it is for good until the clock starts anew.
- O-8 Events are taken in the order of their instants, ties in the order of the log; later ones than `as_of` have not
  happened. Nothing is kept in a counter: every reading is folded from the log (P5, P6).
- O-9 A joining that was undone never was: the clocks went on.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol, Self

from guardia.features.sla.rules import expectations
from guardia.features.sla.rules.calendars import Calendar
from guardia.features.sla.rules.expectations import SEVERITIES, inside
from guardia.features.sla.rules.instants import NOTHING, in_utc
from guardia.features.sla.rules.timetable import BeyondHorizon, Interval
from guardia.kernel.vocabulary import Clock

ObjectiveState = Literal["running", "paused", "met", "breached", "none"]
CLOCKS: Final = (Clock.NEXT_ANSWER, Clock.RESOLUTION, Clock.ASSIGNMENT)

_ENDS: Final = frozenset({"closed", "rejected", "merged"})
_WORDS: Final = frozenset({"message", "answered", "solution"})
_OFFERS: Final = frozenset({"solution", "released"})
_MOVES: Final = frozenset({"taken", "assigned", "state_changed"})


class LoggedAct(Protocol):
    """An event of a case's log, with who did it."""

    @property
    def type(self) -> str: ...
    @property
    def actor(self) -> Mapping[str, str]: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Objectives:
    """The targets by clock and severity; where there is none, nothing is timed."""

    targets: Mapping[tuple[Clock, int], timedelta] = field(default_factory=dict)

    @classmethod
    def parse(cls, value: object, place: str = "objectives") -> Self:
        """The objectives that `{"1": {"next_answer": "PT8H" or null, "resolution", "assignment"}, ...}` describes.

        Severities and clocks may be missing. Raises Malformed.
        """
        severities = tuple(str(severity) for severity in SEVERITIES)
        parts = expectations.mapping(value, place, 'an object with objectives for severities "1" to "4"')
        expectations.known_keys(parts, place, severities)
        targets: dict[tuple[Clock, int], timedelta] = {}
        for severity, written in parts.items():
            where = inside(place, severity)
            clocks = expectations.mapping(written, where, "an object with next_answer, resolution and assignment")
            expectations.known_keys(clocks, where, [clock.value for clock in CLOCKS])
            for clock, target in clocks.items():
                if target is not None:
                    targets[Clock(clock), int(severity)] = expectations.duration(target, inside(where, clock))
        return cls(targets)


@dataclass(frozen=True)
class ObjectiveReading:
    """One clock as of an instant, in UTC. `remaining` is the working time left: None without a target or once ended.

    `steps` are the covered intervals from the start to the end in force, pauses left out: as long as the target, unless
    a change of severity left no rest.
    """

    state: ObjectiveState
    due_at: datetime | None = None
    breached_at: datetime | None = None
    target: timedelta | None = None
    remaining: timedelta | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    steps: tuple[Interval, ...] = ()


def read_objectives(
    calendar: Calendar, objectives: Objectives, log: Iterable[LoggedAct], as_of: datetime
) -> dict[Clock, ObjectiveReading]:
    """Judge the three clocks of a case as of an instant. The log begins with the submission."""
    now = in_utc(as_of)
    clocks = {clock: _Stopwatch(calendar, objectives, clock) for clock in CLOCKS}
    course = _Course(clocks)
    for event in sorted(_without_undone(log), key=_instant_of):
        at = in_utc(event.occurred_at)
        if at > now:
            break
        for listen in (course.hear_severity, course.hear_life, course.hear_words, course.hear_holder):
            listen(event, at)
    return {clock: watch.read(now) for clock, watch in clocks.items()}


def _without_undone(log: Iterable[LoggedAct]) -> list[LoggedAct]:
    """The log without joinings that were undone (O-9)."""
    kept: list[LoggedAct] = []
    for event in log:
        if event.type == "merge_undone":
            last = max(place for place, one in enumerate(kept) if one.type == "merged")
            del kept[last]
        else:
            kept.append(event)
    return kept


def _instant_of(event: LoggedAct) -> datetime:
    return event.occurred_at


class _Stopwatch:
    """One clock: working time while it runs, an end that is reckoned anew whenever something changes."""

    def __init__(self, calendar: Calendar, objectives: Objectives, clock: Clock) -> None:
        self._calendar = calendar
        self._target_of: Callable[[int], timedelta | None] = lambda severity: objectives.targets.get((clock, severity))
        self._severity = 0
        self._reset()

    def _reset(self) -> None:
        self._used = NOTHING
        self._runs: list[tuple[datetime, datetime]] = []
        self._running_since: datetime | None = None
        self._started_at: datetime | None = None
        self._ended_at: datetime | None = None
        self._due_at: datetime | None = None
        self._breached_at: datetime | None = None

    @property
    def is_on(self) -> bool:
        """Whether it was started and has not ended; it may be paused."""
        return self._started_at is not None and self._ended_at is None

    @property
    def has_ended(self) -> bool:
        return self._ended_at is not None

    def start(self, at: datetime) -> None:
        """From nothing, whatever was before."""
        self._reset()
        self._started_at = at
        self._run(at)

    def pause(self, at: datetime) -> None:
        if self.is_on and self._running_since is not None:
            self._stand(at)
            self._due_at = None  # O-6

    def resume(self, at: datetime) -> None:
        if self.is_on and self._running_since is None:
            self._run(at)

    def end(self, at: datetime) -> None:
        if self.is_on:
            self._stand(at)
            self._ended_at = at

    def go_on(self, at: datetime) -> None:
        """Run on after an end, with what was used before it."""
        if self.has_ended:
            self._ended_at = None
            self._run(at)

    def switch_off(self) -> None:
        self._reset()

    def weigh(self, severity: int, at: datetime) -> None:
        """The severity in force from here on (O-5)."""
        if severity == self._severity:
            return
        self._severity = severity
        if self._running_since is not None:
            self._stand(at)
            self._run(at)

    def _run(self, at: datetime) -> None:
        self._running_since = at
        target = self._target_of(self._severity)
        self._due_at = None if target is None else self._reach(at, max(NOTHING, target - self._used))

    def _stand(self, at: datetime) -> None:
        if self._running_since is None:
            return
        self._note_breach(at)
        self._used += self._calendar.elapsed(self._running_since, at)
        self._runs.append((self._running_since, at))
        self._running_since = None

    def _reach(self, at: datetime, rest: timedelta) -> datetime | None:
        try:
            return self._calendar.advance(at, rest)
        except (
            BeyondHorizon
        ):  # An objective that no working time reaches is none; a case is never kept from being written.
            return None

    def _note_breach(self, at: datetime) -> None:
        if self._breached_at is None and self._due_at is not None and self._due_at < at:
            self._breached_at = self._due_at  # O-7

    def read(self, now: datetime) -> ObjectiveReading:
        if self._running_since is not None:
            self._note_breach(now)
        target = self._target_of(self._severity) if self._started_at is not None else None
        state = self._state(target)
        if state == "none":
            return ObjectiveReading("none")
        remaining = None
        if target is not None and self.is_on:
            running = NOTHING if self._running_since is None else self._calendar.elapsed(self._running_since, now)
            remaining = max(NOTHING, target - self._used - running)
        return ObjectiveReading(
            state,
            self._due_at,
            self._breached_at,
            target,
            remaining,
            self._started_at,
            self._ended_at,
            self._steps(),
        )

    def _state(self, target: timedelta | None) -> ObjectiveState:
        if self._breached_at is not None:
            return "breached"
        if target is None or (self._due_at is None and self._running_since is not None):
            return "none"
        if self.has_ended:
            return "met"
        return "running" if self._running_since is not None else "paused"

    def _steps(self) -> tuple[Interval, ...]:
        runs = list(self._runs)
        if self._running_since is not None and self._due_at is not None:
            runs.append((self._running_since, self._due_at))
        return tuple(step for start, end in runs for step in self._calendar.intervals(start, end))


class _Course:
    """What the events of a case mean to the three clocks."""

    def __init__(self, clocks: Mapping[Clock, _Stopwatch]) -> None:
        self._clocks = clocks
        self._next = clocks[Clock.NEXT_ANSWER]
        self._resolution = clocks[Clock.RESOLUTION]
        self._assignment = clocks[Clock.ASSIGNMENT]
        self._standing = 0
        self._has_ended = False
        self._is_held = False

    def hear_severity(self, event: LoggedAct, at: datetime) -> None:
        """O-5, and the severity of the submission."""
        if event.type in {"submitted", "severity_changed"}:
            severity = event.payload["severity" if event.type == "submitted" else "to"]
            for watch in self._clocks.values():
                watch.weigh(severity, at)

    def hear_life(self, event: LoggedAct, at: datetime) -> None:
        """O-2 and O-4: submission, states, ends."""
        if event.type == "submitted":
            self._resolution.start(at)
        elif event.type in _ENDS:
            self._has_ended = True
            for watch in self._clocks.values():
                watch.end(at)
        elif event.type == "reopened":
            self._has_ended = False
            self._resolution.go_on(at)
        elif event.type in _OFFERS:
            self._resolution.pause(at)
        elif event.type in _MOVES:
            self._hear_state(str(event.payload.get("state", "")), at)

    def _hear_state(self, state: str, at: datetime) -> None:
        for watch in (self._next, self._resolution):
            if state == "waiting_customer":
                watch.pause(at)
            elif state != "solution_offered" or watch is self._next:
                watch.resume(at)

    def hear_words(self, event: LoggedAct, at: datetime) -> None:
        """O-1: what customers and the vendor's people say to each other."""
        if event.type == "answered" and event.payload.get("qualified", True):
            self._standing += 1
        elif event.type == "answer_voided":
            self._standing -= 1
            if not self._standing:
                self._next.switch_off()
        if self._has_ended or event.payload.get("internal"):
            return
        side, is_person = event.actor.get("side"), event.actor.get("kind") == "person"
        if event.type in _WORDS and side == "staff" and is_person:
            self._next.end(at)
        elif side == "customer" and event.type in {"message", "reopened"}:
            self._resolution.resume(at)
            if self._standing and not self._next.is_on:
                self._next.start(at)
            self._next.resume(at)

    def hear_holder(self, event: LoggedAct, at: datetime) -> None:
        """O-3."""
        if event.type in {"taken", "assigned"}:
            self._is_held = True
            self._assignment.end(at)
        elif event.type == "put_back":
            self._is_held = False
        is_free = event.type in {"submitted", "put_back", "reopened"} and not self._is_held
        if is_free and not self._has_ended and not self._assignment.is_on:
            self._assignment.start(at)
