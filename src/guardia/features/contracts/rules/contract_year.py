"""Contract years: the first starts on the contract's first day, each next on its anniversary (29 February: 28th).

A contract's days are those of its own zone: an incident at 23:30 UTC of 31 January is one of 1 February in Madrid.
"""

from datetime import date, datetime, timedelta

from guardia.kernel.zones import get_zone


def local_date(zone: str, now: datetime) -> date:
    """Return the date that `now` has in the zone."""
    return now.astimezone(get_zone(zone)).date()


def _anniversary(start: date, years: int) -> date:
    try:
        return start.replace(year=start.year + years)
    except ValueError:  # 29 February in a common year
        return start.replace(year=start.year + years, day=28)


def _years_before(start: date, today: date) -> int:
    years = max(0, today.year - start.year)
    return years - 1 if years and _anniversary(start, years) > today else years


def contract_year(start: date, today: date) -> tuple[date, date]:
    """Return the first and the last day of the contract year that holds `today` (not before `start`)."""
    years = _years_before(start, today)
    return _anniversary(start, years), _anniversary(start, years + 1) - timedelta(days=1)


def years_until(start: date, today: date) -> list[date]:
    """Return the first days of the contract years up to the one that holds `today`."""
    return [_anniversary(start, years) for years in range(_years_before(start, today) + 1)]
