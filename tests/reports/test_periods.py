"""Months, quarters, years and own dates, as an address writes them."""

from datetime import date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardia.kernel.zones import get_zone
from guardia.reports.periods import DAY, LONGEST, asked_period, find_period, month_of, months_until

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_a_written_period_has_its_days(text: str, first: date, last: date) -> None:
    period = find_period(text)
    assert period is not None
    assert (period.first_day, period.last_day, period.text) == (first, last, text)


@pytest.mark.parametrize("text", ["", "2026-13", "2026-00", "2026-Q5", "26-11", "2026-1", "1999-01", "2026-11-23"])
def test_what_is_no_period_is_none(text: str) -> None:
    assert find_period(text) is None
    assert asked_period(text, "", "", TODAY) == month_of(TODAY)


@given(st.dates(date(2001, 1, 1), date(2150, 12, 31)), st.integers(1, 40))
def test_months_follow_each_other_without_a_gap(day: date, count: int) -> None:
    months = months_until(month_of(day), count)
    assert len(months) == count
    assert months[-1].first_day <= day <= months[-1].last_day
    assert all(one.last_day + DAY == other.first_day for one, other in pairwise(months))


def test_own_dates_go_before_the_written_period_and_are_cut_where_they_are_too_long() -> None:
    asked = asked_period("2026-01", "2026-03-05", "2026-04-06", TODAY)
    assert (asked.first_day, asked.last_day) == (date(2026, 3, 5), date(2026, 4, 6))
    assert asked_period("", "2001-01-01", "2199-12-31", TODAY).last_day == date(2001, 1, 1) + LONGEST
    assert asked_period("2026-01", "2026-04-06", "2026-03-05", TODAY).text == "2026-01"


def test_a_month_begins_and_ends_at_midnight_where_the_contract_is() -> None:
    start, end = month_of(date(2026, 10, 9)).instants(get_zone("Europe/Madrid"))
    assert (start.isoformat(), end.isoformat()) == ("2026-10-01T00:00:00+02:00", "2026-11-01T00:00:00+01:00")
    assert isinstance(start, datetime)
