"""Working time: which instants a calendar covers, and how far a duration reaches in it (RC-1).

Rules:
- An instant is working time iff its wall time in the calendar's zone lies in a window `[start, end)` of its local date.
- `open_on` for a date replaces every other rule for it (no window closes it); else `closed_on` closes it; else the
  weekly windows of its weekday hold. `24:00` ends a day, so midnight loses nothing (P1).
- Durations are elapsed time: a 24x7 day of 25 hours has 25 (P2).
- Overlapping, empty or reversed windows, an unknown zone, and a week without any window are malformed (P14, P15).
- A calendar is a value: a changed one is another calendar, and what the old one answered stays (P27, RC-12).

Instants given are aware; instants returned are in UTC.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from guardia.features.sla.rules import expectations
from guardia.features.sla.rules.expectations import Malformed, inside, shown
from guardia.features.sla.rules.instants import DAY, in_utc
from guardia.features.sla.rules.timetable import Day, Interval, Timetable, Window
from guardia.features.sla.rules.zones import find_zone, get_zone

Windows = tuple[Window, ...]

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WALL_TIME: Final = re.compile(r"(\d{2}):([0-5]\d)", re.ASCII)
_ZONE_EXPECTED: Final = "the name of a zone of the tz database, like Europe/Madrid"
_WEEK_EXPECTED: Final = 'at least one window in the week, like {"mon": [["09:00", "19:00"]]}'
_WINDOW_EXPECTED: Final = 'a window ["HH:MM", "HH:MM"] that ends after it starts, at 24:00 at the latest'


@dataclass(frozen=True)
class Calendar:
    """One version of a contract's working time. Keep it where you can: it compiles itself, once.

    Build it with `Calendar.parse`. `weekly` has the windows of Monday to Sunday. Raises Malformed.
    """

    zone: str
    weekly: tuple[Windows, ...]
    closed_on: frozenset[date] = frozenset()
    open_on: Mapping[date, Windows] = field(default_factory=dict, hash=False)
    timetable: Timetable = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if find_zone(self.zone) is None:
            raise Malformed("calendar.zone", _ZONE_EXPECTED, shown(self.zone))
        if len(self.weekly) != len(WEEKDAYS) or not any(self.weekly):
            raise Malformed("calendar.weekly", _WEEK_EXPECTED, "no window")
        object.__setattr__(self, "open_on", MappingProxyType(dict(self.open_on)))
        object.__setattr__(self, "timetable", Timetable(self.tzinfo, self.day_rule))

    @classmethod
    def parse(cls, value: object, place: str = "calendar") -> Self:
        """The calendar that a JSON object `{zone, weekly, closed_on, open_on}` describes. Raises Malformed."""
        parts = expectations.mapping(value, place, "an object with zone, weekly, closed_on and open_on")
        expectations.known_keys(parts, place, ("zone", "weekly", "closed_on", "open_on"))
        return cls(
            zone=_parse_zone(parts, place),
            weekly=_parse_week(parts, place),
            closed_on=_parse_closures(parts, place),
            open_on=_parse_openings(parts, place),
        )

    @property
    def tzinfo(self) -> ZoneInfo:
        """The zone in which people read this calendar's instants."""
        return get_zone(self.zone)

    def day_rule(self, day: date) -> Day:
        """The windows that hold on this local date, by the order of RC-1."""
        if day in self.open_on:
            return Day(self.open_on[day], "opening")
        return Day(() if day in self.closed_on else self.weekly[day.weekday()], "calendar")

    def is_open(self, at: datetime) -> bool:
        """Whether the instant is working time. Raises BeyondHorizon."""
        return self.timetable.is_open(in_utc(at))

    def next_opening(self, at: datetime) -> datetime:
        """The first instant of working time at or after `at`. Raises BeyondHorizon."""
        return self.timetable.next_opening(in_utc(at))

    def advance(self, start: datetime, duration: timedelta) -> datetime:
        """The first instant at which the working time since `start` equals `duration` (RC-4); `start` itself for none.

        Raises ValueError for a negative duration, BeyondHorizon.
        """
        return self.timetable.advance(in_utc(start), duration)

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """The working time in `[start, end)`; nothing when `end` is not after `start`. Raises BeyondHorizon."""
        return self.timetable.elapsed(in_utc(start), in_utc(end))

    def intervals(self, start: datetime, end: datetime) -> list[Interval]:
        """The working time in `[start, end)`, in order, joined where it goes on under the same rule.

        Raises BeyondHorizon.
        """
        return self.timetable.intervals(in_utc(start), in_utc(end))


def _parse_zone(parts: dict[str, Any], place: str) -> str:
    where = inside(place, "zone")
    zone = expectations.required(parts, "zone", place, _ZONE_EXPECTED)
    if not isinstance(zone, str) or find_zone(zone) is None:
        raise Malformed(where, _ZONE_EXPECTED, shown(zone))
    return zone


def _parse_week(parts: dict[str, Any], place: str) -> tuple[Windows, ...]:
    where = inside(place, "weekly")
    value = expectations.required(parts, "weekly", place, _WEEK_EXPECTED)
    week = expectations.mapping(value, where, _WEEK_EXPECTED)
    expectations.known_keys(week, where, WEEKDAYS)
    weekly = tuple(_parse_windows(week.get(name, []), inside(where, name)) for name in WEEKDAYS)
    if not any(weekly):
        raise Malformed(where, _WEEK_EXPECTED, shown(value))
    return weekly


def _parse_closures(parts: dict[str, Any], place: str) -> frozenset[date]:
    where = inside(place, "closed_on")
    days = expectations.sequence(parts.get("closed_on", []), where, 'a list of dates, like ["2026-12-25"]')
    return frozenset(expectations.day(day, f"{where}[{number}]") for number, day in enumerate(days))


def _parse_openings(parts: dict[str, Any], place: str) -> dict[date, Windows]:
    where = inside(place, "open_on")
    openings = expectations.mapping(parts.get("open_on", {}), where, "an object of dates and their windows")
    return {
        expectations.day(day, inside(where, day)): _parse_windows(windows, inside(where, day))
        for day, windows in openings.items()
    }


def _parse_windows(value: object, place: str) -> Windows:
    listed = expectations.sequence(value, place, f"a list of windows, each {_WINDOW_EXPECTED}")
    windows = sorted((_parse_window(window, f"{place}[{number}]"), number) for number, window in enumerate(listed))
    for (earlier, _), (later, number) in pairwise(windows):
        if later.opens < earlier.closes:
            raise Malformed(f"{place}[{number}]", "a window that overlaps no other", shown(listed[number]))
    return tuple(window for window, _ in windows)


def _parse_window(value: object, place: str) -> Window:
    ends = [_wall_time(end) for end in value] if isinstance(value, list) else []
    match ends:
        case [timedelta() as opens, timedelta() as closes] if opens < closes:
            return Window(opens, closes)
        case _:
            raise Malformed(place, _WINDOW_EXPECTED, shown(value))


def _wall_time(value: object) -> timedelta | None:
    """The time since midnight of a wall time, or None if it is none."""
    found = _WALL_TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    since_midnight = timedelta(hours=int(found[1]), minutes=int(found[2]))
    return since_midnight if since_midnight <= DAY else None
