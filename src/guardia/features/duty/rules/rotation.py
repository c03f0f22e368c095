"""Who has a duty at an instant, from the roster's versions and overrides.

Rules:
- Of the versions whose `holds_from` has come, the one with the latest holds; before the first, nobody has the duty.
- Within a version four things may name the person, and the first that does so speaks: an override, the cover of a
  public holiday, the first layer whose hours hold the instant, the base rotation. The base rotation has people and no
  end in either direction, so exactly one person has the duty at every instant.
- Overrides may overlap: the latest made wins, and where it ends the one below goes on. One that was taken back counts
  until then, so that what was stays what it was.
- Hand-overs are wall times of the roster's zone (`wall_time`): the one with the number n belongs to the person n modulo
  the number of people. A hand-over on a public holiday may wait for the next working day (Monday to Friday, no
  holiday); the person is that of the highest number that has come: one that waited undoes no later one.
- Hours of a layer are wall times too: an hour that occurs twice belongs to them twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from guardia.features.duty.rules.wall_time import DAY, changes_on, first_shown, occurrences, shown_at

SATURDAY = 5
Why = Literal["rotation", "layer", "holiday", "override"]
Hours = tuple[tuple[timedelta, timedelta], ...]


@dataclass(frozen=True)
class HandOver:
    """Every so many days at a wall time; on a weekday where the days are whole weeks."""

    every_days: int
    at: timedelta
    weekday: int | None = None


@dataclass(frozen=True)
class Rotation:
    """People in their order, the first of them from the first hand-over on or after `starts_on`."""

    people: tuple[UUID, ...]
    hand_over: HandOver
    starts_on: date

    @property
    def first_on(self) -> date:
        """The date of the hand-over with the number 0."""
        wanted = self.hand_over.weekday
        return self.starts_on if wanted is None else self.starts_on + (wanted - self.starts_on.weekday()) % 7 * DAY

    def number_on(self, day: date) -> int:
        """The number of the last hand-over that the calendar has on or before a date."""
        return (day - self.first_on).days // self.hand_over.every_days

    def date_of(self, number: int) -> date:
        """The date that the calendar has for a hand-over."""
        return self.first_on + number * self.hand_over.every_days * DAY

    def person(self, number: int) -> UUID:
        """Whose duty begins with a hand-over."""
        return self.people[number % len(self.people)]


@dataclass(frozen=True)
class Layer:
    """A rotation of its own for some hours of the week, Monday first."""

    name: str
    weekly: tuple[Hours, ...]
    rotation: Rotation

    def holds(self, wall: datetime) -> bool:
        """Whether a wall time lies in the layer's hours."""
        since_midnight = wall - datetime.combine(wall.date(), time.min)
        return any(start <= since_midnight < end for start, end in self.weekly[wall.weekday()])


@dataclass(frozen=True)
class Holidays:
    """Public holidays by date with their names by language, and what they do: move hand-overs, or give the day to
    `people` in turn.
    """

    dates: Mapping[date, Mapping[str, str]] = field(default_factory=dict, hash=False)
    people: tuple[UUID, ...] = ()
    moves_hand_over: bool = False

    def cover(self, day: date) -> UUID | None:
        """Who has a holiday; None on other days, or where nobody covers holidays."""
        if not self.people or day not in self.dates:
            return None
        return self.people[sum(other < day for other in self.dates) % len(self.people)]

    def moved(self, day: date) -> date:
        """The date on which a hand-over of `day` takes place."""
        if not self.moves_hand_over or day not in self.dates:
            return day
        while day in self.dates or day.weekday() >= SATURDAY:
            day += DAY
        return day


@dataclass(frozen=True)
class Rules:
    """What one version of a roster says."""

    zone: ZoneInfo
    base: Rotation
    layers: tuple[Layer, ...] = ()
    holidays: Holidays = field(default_factory=Holidays)

    def instant_of(self, rotation: Rotation, number: int) -> datetime:
        """The instant of a hand-over."""
        day = self.holidays.moved(rotation.date_of(number))
        return first_shown(self.zone, datetime.combine(day, time.min) + rotation.hand_over.at)

    def number_at(self, rotation: Rotation, at: datetime) -> int:
        """The highest number of a hand-over that has come."""
        number = rotation.number_on(shown_at(self.zone, at).date()) + 1
        while self.instant_of(rotation, number) > at:
            number -= 1
        return number

    def named(self, at: datetime) -> tuple[UUID, Why, str]:
        """Who has the duty at an instant without overrides, why, and the layer that says so."""
        wall = shown_at(self.zone, at)
        if cover := self.holidays.cover(wall.date()):
            return cover, "holiday", ""
        for layer in self.layers:
            if layer.holds(wall):
                return layer.rotation.person(self.number_at(layer.rotation, at)), "layer", layer.name
        return self.base.person(self.number_at(self.base, at)), "rotation", ""

    def turns(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The instants after `start` and before `end` at which the answer may change; others may be among them."""
        for rotation in (self.base, *(layer.rotation for layer in self.layers)):
            last = rotation.number_on(shown_at(self.zone, end).date()) + 1
            for number in range(self.number_at(rotation, start) + 1, last + 1):
                yield self.instant_of(rotation, number)
        if self.layers or self.holidays.people:
            day, last_day = (shown_at(self.zone, at).date() for at in (start, end))
            while day <= last_day:
                yield from self._turns_on(day)
                day += DAY

    def _turns_on(self, day: date) -> Iterator[datetime]:
        midnight = datetime.combine(day, time.min)
        edges = {edge for layer in self.layers for hours in layer.weekly[day.weekday()] for edge in hours}
        for edge in {timedelta(0), *edges}:
            yield from occurrences(self.zone, midnight + edge)
        yield from changes_on(self.zone, day)


@dataclass(frozen=True)
class Version:
    """Rules from an instant on."""

    holds_from: datetime
    number: int
    rules: Rules


@dataclass(frozen=True)
class Override:
    """Somebody else has the duty in `[starts_at, ends_at)`, or until it was taken back."""

    id: UUID
    person: UUID
    starts_at: datetime
    ends_at: datetime
    made_at: datetime
    reason: str = ""
    revoked_at: datetime | None = None

    @property
    def over_at(self) -> datetime:
        """When it ends or was taken back."""
        return self.ends_at if self.revoked_at is None else min(self.ends_at, self.revoked_at)

    def holds(self, at: datetime) -> bool:
        """Whether it speaks at an instant."""
        return self.starts_at <= at < self.over_at


@dataclass(frozen=True)
class Shift:
    """A stretch of one person's duty. `detail` is the layer or the reason of the override; `instead` is
    whose duty it would have been without the override.
    """

    person: UUID
    starts_at: datetime
    ends_at: datetime
    why: Why
    detail: str = ""
    override: UUID | None = None
    instead: UUID | None = None


def version_at(versions: Sequence[Version], at: datetime) -> Version | None:
    """The version that holds at an instant."""
    begun = [version for version in versions if version.holds_from <= at]
    return max(begun, key=lambda version: (version.holds_from, version.number), default=None)


def override_at(overrides: Sequence[Override], at: datetime) -> Override | None:
    """The override that speaks at an instant: of several the latest made."""
    return max((row for row in overrides if row.holds(at)), key=lambda row: (row.made_at, row.id), default=None)


def who(versions: Sequence[Version], overrides: Sequence[Override], at: datetime) -> UUID | None:
    """Who has the duty at an instant; None before the first version."""
    return _person(_said(versions, overrides, at))


def next_people(versions: Sequence[Version], overrides: Sequence[Override], at: datetime) -> tuple[UUID, ...]:
    """The others of the base rotation in their order: after whoever is on duty, or, where the duty is somebody's from
    outside it, from the one on whose turn it would be.
    """
    version = version_at(versions, at)
    if version is None:
        return ()
    base, on_duty = version.rules.base, who(versions, overrides, at)
    first = base.people.index(on_duty) if on_duty in base.people else version.rules.number_at(base, at)
    people = (base.person(first + step) for step in range(len(base.people)))
    return tuple(dict.fromkeys(person for person in people if person != on_duty))


def shifts(versions: Sequence[Version], overrides: Sequence[Override], start: datetime, end: datetime) -> list[Shift]:
    """The shifts that fill `[start, end)` in order, cut at both ends; nothing before the first version."""
    found: list[Shift] = []
    for begins, ends in _stretches(versions, overrides, start, end):
        said = _said(versions, overrides, begins)
        if said is None:
            continue
        shift = Shift(said[0], begins, ends, *said[1:])
        before = found[-1] if found else None
        if before and before.ends_at == begins and _same(before, shift):
            found[-1] = Shift(said[0], before.starts_at, ends, *said[1:])
        else:
            found.append(shift)
    return found


_Said = tuple[UUID, Why, str, UUID | None, UUID | None]


def _said(versions: Sequence[Version], overrides: Sequence[Override], at: datetime) -> _Said | None:
    version = version_at(versions, at)
    if version is None:
        return None
    person, why, detail = version.rules.named(at)
    override = override_at(overrides, at)
    if override is None:
        return person, why, detail, None, None
    return override.person, "override", override.reason, override.id, person


def _person(said: _Said | None) -> UUID | None:
    return said[0] if said else None


def _same(one: Shift, other: Shift) -> bool:
    return (one.person, one.why, one.detail, one.override, one.instead) == (
        other.person,
        other.why,
        other.detail,
        other.override,
        other.instead,
    )


def _stretches(
    versions: Sequence[Version], overrides: Sequence[Override], start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    turns = {start, *(row.starts_at for row in overrides), *(row.over_at for row in overrides)}
    turns.update(version.holds_from for version in versions)
    edges = sorted(turn for turn in turns if start <= turn < end)
    for begins, ends in zip(edges, [*edges[1:], end], strict=True):
        version = version_at(versions, begins)
        inner = set(version.rules.turns(begins, ends)) if version else set()
        marks = [begins, *sorted(turn for turn in inner if begins < turn < ends), ends]
        yield from pairwise(marks)
