"""The same plain advance with two well-known packages, which know neither calls nor changes of severity.

Each gets the same week (Monday to Friday, 09:00 to 19:00 in Madrid), the same public holidays and the same instants. An
end that differs from the clock's is counted: pandas ends at the next opening where ours ends at the close (RC-4).
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from importlib.metadata import version
from time import perf_counter
from typing import Any, NamedTuple

import businesstimedelta
import holidays
import pandas as pd
import pytz

from guardia.features.sla.rules.calendars import Calendar

ZONE = "Europe/Madrid"
DAYS = ("mon", "tue", "wed", "thu", "fri")
CLOSED = sorted(holidays.country_holidays("ES", subdiv="MD", years=range(2025, 2046)))
STARTS = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=487 * n) for n in range(1_000)]
FOUR_HOURS, TEN_YEARS = 4, 10 * 2_500
ROUNDS = 2

Advance = Callable[[datetime], datetime]


class Row(NamedTuple):
    """One package: how many advances by 4 h a second, how long one over ten years takes, and how many ends differ."""

    what: str
    advances_a_second: float
    ten_years_ms: float
    other_ends: int


def guardia(hours: int) -> Advance:
    """Ours, compiled once."""
    week = {day: [["09:00", "19:00"]] for day in DAYS}
    calendar = Calendar.parse({"zone": ZONE, "weekly": week, "closed_on": [day.isoformat() for day in CLOSED]})
    duration = timedelta(hours=hours)
    calendar.advance(STARTS[0], timedelta(hours=TEN_YEARS))
    return lambda start: calendar.advance(start, duration)


def with_businesstimedelta(hours: int) -> Advance:
    zone = pytz.timezone(ZONE)
    workday = businesstimedelta.WorkDayRule(time(9), time(19), working_days=list(range(5)), tz=zone)
    rules = businesstimedelta.Rules([workday, businesstimedelta.HolidayRule(CLOSED, tz=zone)])
    duration = businesstimedelta.BusinessTimeDelta(rules, hours=hours)
    return lambda start: start + duration


def with_pandas(hours: int) -> Advance:
    offset = pd.offsets.CustomBusinessHour(
        n=hours, start="09:00", end="19:00", weekmask="Mon Tue Wed Thu Fri", holidays=CLOSED
    )
    return lambda start: (pd.Timestamp(start).tz_convert(ZONE) + offset).to_pydatetime()


def seconds_of(advance: Advance, starts: Sequence[datetime]) -> float:
    """The shortest of several runs over all starts."""
    taken: list[float] = []
    for _ in range(ROUNDS):
        began = perf_counter()
        for start in starts:
            advance(start)
        taken.append(perf_counter() - began)
    return min(taken)


def compared() -> list[Row]:
    """The table: ours first."""
    makers: dict[str, Callable[[int], Advance]] = {
        "guardia": guardia,
        f"businesstimedelta {version('businesstimedelta')}": with_businesstimedelta,
        f"pandas {pd.__version__} CustomBusinessHour": with_pandas,
    }
    ours = [guardia(FOUR_HOURS)(start) for start in STARTS]
    return [_row(what, make, ours) for what, make in makers.items()]


def _row(what: str, make: Callable[[int], Advance], ours: list[datetime]) -> Row:
    advance, long_way = make(FOUR_HOURS), make(TEN_YEARS)
    ends: list[Any] = [advance(start) for start in STARTS]
    return Row(
        what,
        len(STARTS) / seconds_of(advance, STARTS),
        seconds_of(long_way, STARTS[:1]) * 1_000,
        sum(end != own for end, own in zip(ends, ours, strict=True)),
    )
