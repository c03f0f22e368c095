"""A calendar's month, day by day: what is open, why not, and how much working time there is.

Working time is elapsed time, so a day of a daylight-saving change may have an hour more or less than its windows (P2).
"""

import calendar as weeks
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from guardia.features.sla.rules.calendars import Calendar
from guardia.features.sla.rules.instants import DAY, NOTHING

DayKind = Literal["open", "free", "closed", "exception"]
Change = Literal["", "forward", "back"]


@dataclass(frozen=True)
class MonthDay:
    """A local date. `kind`: open by its weekday, free (no windows that weekday), closed on this date, exception.

    `label` is what the version keeps for the date: text, or a holiday's names by language. `change` says that the
    clocks go forward or back on it.
    """

    on: date
    kind: DayKind
    windows: tuple[str, ...]
    label: Any
    working: timedelta
    change: Change


@dataclass(frozen=True)
class Month:
    """The days of a month, Monday first: `lead` weekdays come before its first day."""

    first: date
    lead: int
    days: tuple[MonthDay, ...]

    @property
    def working(self) -> timedelta:
        """The working time of the whole month."""
        return sum((day.working for day in self.days), NOTHING)


def month_of(calendar: Calendar, labels: dict[str, Any], year: int, month: int) -> Month:
    """Return a month of a calendar version."""
    lead, length = weeks.monthrange(year, month)
    days = tuple(_day(calendar, labels, date(year, month, number)) for number in range(1, length + 1))
    return Month(date(year, month, 1), lead, days)


def _day(calendar: Calendar, labels: dict[str, Any], day: date) -> MonthDay:
    rule = calendar.day_rule(day)
    start, end = _midnight(calendar, day), _midnight(calendar, day + DAY)
    return MonthDay(
        on=day,
        kind=_kind(calendar, day),
        windows=tuple(f"{_wall(window.opens)}\N{EN DASH}{_wall(window.closes)}" for window in rule.windows),
        label=labels.get(day.isoformat(), ""),
        working=calendar.elapsed(start, end),
        change=_change(end - start),
    )


def _kind(calendar: Calendar, day: date) -> DayKind:
    if day in calendar.open_on:
        return "exception"
    if day in calendar.closed_on:
        return "closed"
    return "open" if calendar.weekly[day.weekday()] else "free"


def _change(length: timedelta) -> Change:
    return "" if length == DAY else "forward" if length < DAY else "back"


def _midnight(calendar: Calendar, day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=calendar.tzinfo).astimezone(UTC)


def _wall(since_midnight: timedelta) -> str:
    minutes = int(since_midnight.total_seconds()) // 60
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
