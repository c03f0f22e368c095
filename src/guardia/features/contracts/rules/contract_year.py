"""Contract years: the first starts on the contract's first day, each next on its anniversary (29 February: 28th)."""

from datetime import date, timedelta


def _anniversary(start: date, years: int) -> date:
    try:
        return start.replace(year=start.year + years)
    except ValueError:  # 29 February in a common year
        return start.replace(year=start.year + years, day=28)


def contract_year(start: date, today: date) -> tuple[date, date]:
    """Return the first and the last day of the contract year that holds `today` (not before `start`)."""
    years = max(0, today.year - start.year)
    if years and _anniversary(start, years) > today:
        years -= 1
    return _anniversary(start, years), _anniversary(start, years + 1) - timedelta(days=1)
