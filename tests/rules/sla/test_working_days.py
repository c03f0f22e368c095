"""So many working days back: the same wall time, over weekends, closures and changes of the clock."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardia.features.sla.rules.calendars import Calendar
from guardia.features.sla.rules.working_days import working_days_before

OFFICE = {day: [["09:00", "19:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
MADRID = Calendar.parse({"zone": "Europe/Madrid", "weekly": OFFICE, "closed_on": ["2026-12-08"]})
MONDAY_10 = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "days", "before"),
    [
        (MONDAY_10, 1, datetime(2026, 11, 20, 9, tzinfo=UTC)),
        (MONDAY_10, 5, datetime(2026, 11, 16, 9, tzinfo=UTC)),
        (MONDAY_10 - timedelta(days=1), 1, datetime(2026, 11, 20, 9, tzinfo=UTC)),
        (datetime(2026, 12, 9, 9, tzinfo=UTC), 1, datetime(2026, 12, 7, 9, tzinfo=UTC)),
        (MONDAY_10, 21, datetime(2026, 10, 23, 8, tzinfo=UTC)),
    ],
)
def test_days_without_windows_do_not_count_and_the_wall_time_stays(at: datetime, days: int, before: datetime) -> None:
    """P2: the last one lies in summer time, an hour earlier in UTC."""
    assert working_days_before(MADRID, at, days) == before


def test_no_day_and_a_calendar_without_so_many_are_refused() -> None:
    """P15: the search ends."""
    with pytest.raises(ValueError, match="at least one"):
        working_days_before(MADRID, MONDAY_10, 0)
    always_shut = Calendar.parse(
        {"zone": "UTC", "weekly": {"mon": [["09:00", "10:00"]]},
         "closed_on": [str(date(2018, 1, 1) + timedelta(days=n)) for n in range(3300)]}
    )  # fmt: skip
    with pytest.raises(ValueError, match="no 1 working days"):
        working_days_before(always_shut, MONDAY_10, 1)


@given(st.integers(1, 300), st.integers(0, 365 * 24))
def test_between_then_and_now_lie_so_many_working_days(days: int, hours: int) -> None:
    at = MONDAY_10 + timedelta(hours=hours)
    first = working_days_before(MADRID, at, days).astimezone(MADRID.tzinfo).date()
    last = at.astimezone(MADRID.tzinfo).date()
    between = [first + timedelta(days=n) for n in range((last - first).days)]
    assert sum(bool(MADRID.day_rule(day).windows) for day in between) == days
