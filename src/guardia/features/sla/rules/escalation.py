"""Who is told what when: an escalation policy as data, and what a passed mark of a clock sets off.

Rules:
- A step says on which mark of which clock, for which severities and classes, whom it tells (`to`), by what (`by`), how
  long after the mark (`after`) and how often again (`repeat`, at most `at_most` times in all).
- `after` and `repeat` count in the clock's own coverage: for a calendar of 9 to 17 nothing is told at midnight (P13).
  A clock that a call has opened, or one that always runs, is covered at every instant.
- A step that falls due late (an outage) is taken at once within the coverage, else at the next opening (P24). Just
  after closing time somebody is still there: `GRACE` says how long.
- Of the marks of a clock that have passed together only the highest sets off steps (P25); a confirmed call always does.
- Where nobody stands behind a name, the next sensible one is told: holder, group, engineer on duty, duty manager.
- By phone people are called one after the other until somebody acknowledges (`paging.py`), not all of them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from guardia.features.sla.rules import expectations
from guardia.features.sla.rules.calendars import Calendar
from guardia.features.sla.rules.expectations import SEVERITIES, Malformed, inside, shown
from guardia.features.sla.rules.instants import NOTHING

MARKS: Final = ("50", "75", "90", "breach", "unassigned", "called")
PERCENTS: Final = (50, 75, 90)
CLOCKS: Final = ("response", "next_answer", "resolution", "assignment")
CLASSES: Final = ("premium", "standard", "undecided")
TARGETS: Final = ("holder", "group", "on_duty", "duty_manager", "account_manager")
WAYS: Final = ("console", "mail", "webhook", "phone")
MOST_STEPS: Final = 40
MOST_TIMES: Final = 12
SHORTEST_REPEAT: Final = timedelta(minutes=1)
LONGEST_AFTER: Final = timedelta(days=30)
GRACE: Final = timedelta(minutes=15)
AT_ONCE: Final = "PT0S"

INSTEAD: Final[Mapping[str, str]] = {
    "holder": "group",
    "group": "on_duty",
    "on_duty": "duty_manager",
    "account_manager": "duty_manager",
}
"""Who is told where nobody stands behind a name."""

_KEYS: Final = ("on", "clock", "severities", "classes", "after", "to", "by", "repeat", "at_most")
_CLOCKS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "unassigned": ("assignment",),
    "called": ("response",),
    **dict.fromkeys(("50", "75", "90", "breach"), ("response", "next_answer", "resolution")),
}


@dataclass(frozen=True)
class Step:
    """One step of a policy."""

    on: str
    clock: str
    to: str
    by: tuple[str, ...]
    severities: frozenset[int] = frozenset(SEVERITIES)
    classes: frozenset[str] = frozenset(CLASSES)
    after: timedelta = NOTHING
    repeat: timedelta | None = None
    at_most: int = 1

    @classmethod
    def parse(cls, value: object, place: str) -> "Step":
        """The step that a JSON object describes. Raises Malformed."""
        parts = expectations.mapping(value, place, "a step with on, clock, to and by")
        expectations.known_keys(parts, place, _KEYS)
        on = _one_of(parts, "on", place, MARKS)
        repeat = _duration(parts.get("repeat"), inside(place, "repeat"), SHORTEST_REPEAT)
        return cls(
            on=on,
            clock=_one_of(parts, "clock", place, _CLOCKS_OF[on]),
            to=_one_of(parts, "to", place, TARGETS),
            by=tuple(way for way in WAYS if way in _some_of(parts, "by", place, WAYS)),
            severities=frozenset(_some_of({"severities": list(SEVERITIES), **parts}, "severities", place, SEVERITIES)),
            classes=frozenset(_some_of({"classes": list(CLASSES), **parts}, "classes", place, CLASSES)),
            after=_after(parts.get("after", AT_ONCE), inside(place, "after")),
            repeat=repeat,
            at_most=_times(parts.get("at_most", 1), inside(place, "at_most"), repeats=repeat is not None),
        )

    def as_json(self) -> dict[str, Any]:
        """The step as it is kept."""
        return {
            "on": self.on,
            "clock": self.clock,
            "severities": sorted(self.severities),
            "classes": [one for one in CLASSES if one in self.classes],
            "after": written(self.after),
            "to": self.to,
            "by": list(self.by),
            "repeat": written(self.repeat) if self.repeat else None,
            "at_most": self.at_most,
        }


def parse_steps(value: object, place: str = "steps") -> tuple[Step, ...]:
    """The steps of a policy. Raises Malformed, naming the step by its position."""
    listed = expectations.sequence(value, place, "a list of steps")
    if not 0 < len(listed) <= MOST_STEPS:
        raise Malformed(place, f"from 1 to {MOST_STEPS} steps", str(len(listed)))
    steps = tuple(Step.parse(one, f"{place}[{number}]") for number, one in enumerate(listed))
    for number, step in enumerate(steps):
        if any(_is_same(step, earlier) for earlier in steps[:number]):
            raise Malformed(f"{place}[{number}]", "a step that tells nobody twice at the same time")
    return steps


def set_off(steps: Sequence[Step], clock: str, mark: str, severity: int, case_class: str) -> list[tuple[int, Step]]:
    """The steps, with their positions, that a mark of a clock sets off."""
    return [
        (number, step)
        for number, step in enumerate(steps)
        if (step.on, step.clock) == (mark, clock) and severity in step.severities and case_class in step.classes
    ]


def telling(marks: Collection[str]) -> list[str]:
    """Those of the marks passed together that set off steps: the highest, and a confirmed call."""
    ranked = [mark for mark in MARKS if mark in marks]
    called = [mark for mark in ranked if mark == "called"]
    return [mark for mark in ranked if mark not in called][-1:] + called


@dataclass(frozen=True)
class Coverage:
    """Which instants count for a clock: the calendar's, and from `opens_at` on every one."""

    calendar: Calendar
    opens_at: datetime | None = None

    def includes(self, at: datetime) -> bool:
        """Whether the instant counts."""
        return self._is_opened(at) or self.calendar.is_open(at)

    def advance(self, start: datetime, span: timedelta) -> datetime:
        """The instant that lies so much covered time after the start."""
        if self._is_opened(start):
            return start + span
        if self.opens_at is None:
            return self.calendar.advance(start, span)
        rest = span - self.calendar.elapsed(start, self.opens_at)
        return self.opens_at + rest if rest > NOTHING else self.calendar.advance(start, span)

    def next_covered(self, at: datetime) -> datetime:
        """The first instant that counts, at or after this one."""
        if self.includes(at):
            return at
        opening = self.calendar.next_opening(at)
        return opening if self.opens_at is None else min(opening, self.opens_at)

    def _is_opened(self, at: datetime) -> bool:
        return self.opens_at is not None and at >= self.opens_at


def taken_at(coverage: Coverage, step: Step, mark_at: datetime, now: datetime) -> datetime:
    """When a step is to be taken that a mark at `mark_at` set off; `now` where it is due."""
    if step.on == "called" and not step.after:
        return now  # Somebody is on the phone.
    due = coverage.advance(mark_at, step.after) if step.after else mark_at
    return due if due > now else put_off(coverage, due, now)


def put_off(coverage: Coverage, due: datetime, now: datetime) -> datetime:
    """`now` where a step that was due may be taken, else the next opening."""
    return now if now - due <= GRACE else coverage.next_covered(now)


def written(span: timedelta) -> str:
    """A duration as ISO 8601, in whole hours, minutes and seconds."""
    seconds = int(span.total_seconds())
    parts = ((seconds // 3600, "H"), (seconds % 3600 // 60, "M"), (seconds % 60, "S"))
    return "PT" + ("".join(f"{number}{unit}" for number, unit in parts if number) or "0S")


def _is_same(one: Step, other: Step) -> bool:
    same = (one.on, one.clock, one.to, one.after) == (other.on, other.clock, other.to, other.after)
    return same and bool(one.severities & other.severities) and bool(one.classes & other.classes)


def _one_of(parts: dict[str, Any], key: str, place: str, allowed: Sequence[str]) -> str:
    expected = f"one of {', '.join(allowed)}"
    value = expectations.required(parts, key, place, expected)
    if not isinstance(value, str) or value not in allowed:
        raise Malformed(inside(place, key), expected, shown(value))
    return value


def _some_of(parts: dict[str, Any], key: str, place: str, allowed: Sequence[Any]) -> list[Any]:
    expected = f"a list of at least one of {', '.join(map(str, allowed))}"
    value = expectations.required(parts, key, place, expected)
    if not isinstance(value, list) or not value:
        raise Malformed(inside(place, key), expected, shown(value))
    for one in value:
        if type(one) is bool or one not in allowed:
            raise Malformed(inside(place, key), expected, shown(one))
    return value


def _after(value: object, place: str) -> timedelta:
    if value == AT_ONCE:
        return NOTHING
    span = expectations.duration(value, place)
    if span > LONGEST_AFTER:
        raise Malformed(place, "at most 30 days", shown(value))
    return span


def _duration(value: object, place: str, shortest: timedelta) -> timedelta | None:
    if value is None:
        return None
    span = expectations.duration(value, place)
    if not shortest <= span <= LONGEST_AFTER:
        raise Malformed(place, "from 1 minute to 30 days", shown(value))
    return span


def _times(value: object, place: str, *, repeats: bool) -> int:
    if type(value) is not int or not 1 <= value <= MOST_TIMES:
        raise Malformed(place, f"a number of times from 1 to {MOST_TIMES}", shown(value))
    if repeats and value == 1:
        raise Malformed(place, "2 or more times, since the step repeats", "1")
    if value > 1 and not repeats:
        raise Malformed(place, "1, or say how long until the step repeats", shown(value))
    return value
