"""Stretches of whole local days that reports are about: a month, a quarter, a year, or one's own dates.

Written as `2026-11`, `2026-Q4`, `2026`, or as two dates. What cannot be read is the present month, so that an address
that somebody typed never ends in an error; a period longer than five years is cut.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
LONGEST = 5 * 366 * DAY
MONTHS_IN_QUARTER = 3
DECEMBER = 12
_WRITTEN = re.compile(r"(20\d\d)(?:-(?:Q([1-4])|(0[1-9]|1[0-2])))?", re.ASCII)


@dataclass(frozen=True)
class Period:
    """From the first day to the last, both included. `text` is how it is written."""

    first_day: date
    last_day: date
    text: str

    def instants(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return where it begins and ends in a zone."""
        after = self.last_day + DAY
        return (
            datetime.combine(self.first_day, time.min, zone),
            datetime.combine(after, time.min, zone),
        )

    @property
    def is_month(self) -> bool:
        """Whether it is written as one month."""
        return len(self.text) == len("2026-11") and "Q" not in self.text


def month_of(day: date) -> Period:
    """Return the month that holds a date."""
    first = day.replace(day=1)
    return Period(first, _first_after(first) - DAY, f"{first:%Y-%m}")


def _first_after(first: date, months: int = 1) -> date:
    number = first.year * DECEMBER + first.month - 1 + months
    return date(number // DECEMBER, number % DECEMBER + 1, 1)


def months_until(last: Period, count: int) -> list[Period]:
    """Return so many months in a row, ending with the one that holds the last day of a period."""
    first = last.last_day.replace(day=1)
    return [month_of(_first_after(first, number)) for number in range(1 - count, 1)]


def find_period(text: str) -> Period | None:
    """Return a written month, quarter or year, or None."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    year, quarter, month = int(found[1]), found[2], found[3]
    if month:
        return month_of(date(year, int(month), 1))
    if quarter:
        first = date(year, (int(quarter) - 1) * MONTHS_IN_QUARTER + 1, 1)
        return Period(first, _first_after(first, MONTHS_IN_QUARTER) - DAY, text)
    return Period(date(year, 1, 1), date(year, 12, 31), text)


def asked_period(text: str, first: str, last: str, today: date) -> Period:
    """Return the period of an address: own dates where there are both, else the written one, else this month."""
    try:
        begin, end = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        return find_period(text) or month_of(today)
    if not 2000 <= begin.year <= end.year <= 2199 or end < begin:  # noqa: PLR2004  no report reaches further
        return find_period(text) or month_of(today)
    return Period(begin, min(end, begin + LONGEST), f"{begin}_{end}")
