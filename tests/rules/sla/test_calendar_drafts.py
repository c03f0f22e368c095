"""Written calendars: what is complained of, month views, differences between versions."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from guardia.features.sla.rules.calendar_changes import changes_between
from guardia.features.sla.rules.calendars import WEEKDAYS, Calendar
from guardia.features.sla.rules.draft_calendar import Closure, DraftCalendar, OtherHours, check
from guardia.features.sla.rules.expectations import Malformed
from guardia.features.sla.rules.month import month_of

WEEK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-14:00, 16:00-19:00")
DRAFT = DraftCalendar("Office", "Europe/Madrid", WEEK, "2026", "2027", "ES", "MD")


def said(draft: DraftCalendar) -> dict[str, str]:
    return {complaint.field: complaint.form % complaint.parts for complaint in check(draft)[1]}


def written(draft: DraftCalendar) -> Any:
    found, complaints = check(draft)
    assert complaints == []
    return found


def test_a_whole_draft_becomes_rules_that_the_clock_reads() -> None:
    version = written(
        replace(
            DRAFT,
            removed=frozenset({"2026-12-08"}),
            closures=(Closure("2026-12-24", "Christmas Eve"),),
            exceptions=(OtherHours("2026-12-25", "10:00-12:00", "On call"),),
        )
    )
    calendar = Calendar.parse(version.rules)
    assert date(2026, 12, 24) in calendar.closed_on
    assert date(2026, 12, 8) not in calendar.closed_on
    assert calendar.day_rule(date(2026, 12, 25)).why == "opening", "other hours replace a holiday"
    assert version.labels["2026-12-24"] == "Christmas Eve"
    assert version.labels["2026-12-25"] == "On call"
    assert version.labels["2027-01-01"] == {"en": "New Year's Day", "es": "Año Nuevo"}


@pytest.mark.parametrize(
    ("window", "complaint"),
    [
        ("09:00-14:00, 13:59-19:00", "overlap"),
        ("19:00-09:00", "does not end after it starts"),
        ("09:00-09:00", "does not end after it starts"),
        ("09:00-24:01", "is none"),
        ("9-5", "is none"),
    ],
)
def test_windows_that_cannot_be_are_refused_at_their_day(window: str, complaint: str) -> None:
    assert complaint in said(replace(DRAFT, weekly={**WEEK, "wed": window}))["wed"]


def test_windows_that_touch_and_end_at_midnight_are_fine() -> None:
    """P1: 24:00 ends the day, so midnight loses nothing."""
    version = written(replace(DRAFT, weekly={"sat": "00:00-12:00, 12:00-24:00", "sun": "0:00\N{EN DASH}24:00"}))
    assert version.rules["weekly"] == {"sat": [["00:00", "12:00"], ["12:00", "24:00"]], "sun": [["00:00", "24:00"]]}


def test_a_year_in_which_nobody_works_is_refused() -> None:
    """P14, P15."""
    sundays = tuple(Closure((date(2026, 1, 4) + timedelta(weeks=week)).isoformat()) for week in range(52))
    only = DraftCalendar("One", "Europe/Madrid", {"sun": "09:00-10:00"}, "2026", "2027", closures=sundays)
    assert "2026" in said(only)["years"]


def test_dates_are_refused_outside_the_years_twice_and_against_each_other() -> None:
    wrong = replace(
        DRAFT,
        closures=(Closure("2029-01-02"), Closure("2026-03-03"), Closure("2026-03-03"), Closure("3 March")),
        exceptions=(OtherHours("2026-03-03", "09:00-10:00"),),
    )
    complaints = said(wrong)
    assert "outside the years" in complaints["closure-0"]
    assert "twice" in complaints["closure-2"]
    assert "is no date" in complaints["closure-3"]
    assert "closure above" in complaints["exception-0"]


def test_a_file_of_the_wrong_form_says_where() -> None:
    with pytest.raises(Malformed, match="weekly"):
        DraftCalendar.parse({"zone": "Europe/Madrid", "weekly": {"monday": []}})
    with pytest.raises(Malformed):
        DraftCalendar.parse([])


def test_a_month_counts_elapsed_time_and_marks_the_change_of_clocks() -> None:
    """P2: the night of 25 hours has 25."""
    always = Calendar.parse(
        {
            "zone": "Europe/Madrid",
            "weekly": {day: [["00:00", "24:00"]] for day in WEEKDAYS},
        }
    )
    october = month_of(always, {}, 2026, 10)
    assert october.working == timedelta(hours=31 * 24 + 1)
    assert [day.on.day for day in october.days if day.change == "back"] == [25]
    assert october.lead == 3, "the first of October 2026 is a Thursday"
    march = month_of(always, {}, 2026, 3)
    assert march.working == timedelta(hours=31 * 24 - 1)
    assert [day.on.day for day in march.days if day.change] == [29]


def test_a_month_tells_closures_exceptions_and_free_days_apart() -> None:
    version = written(replace(DRAFT, exceptions=(OtherHours("2026-12-31", "09:00-13:00", "Stocktaking"),)))
    month = month_of(Calendar.parse(version.rules), version.labels, 2026, 12)
    kinds = {day.on.day: day.kind for day in month.days}
    assert (kinds[1], kinds[5], kinds[25], kinds[31]) == ("open", "free", "closed", "exception")
    assert month.days[30].label == "Stocktaking"
    assert month.days[30].working == timedelta(hours=4)


def test_differences_name_each_date_and_weekday_once() -> None:
    old, new = (
        written(DRAFT),
        written(replace(DRAFT, weekly={**WEEK, "fri": "09:00-15:00"}, removed=frozenset({"2026-12-08"}))),
    )
    found = changes_between(old.rules, new.rules, {**old.labels, **new.labels})
    assert [(change.what, change.key) for change in found] == [("weekday", "fri"), ("not_closed", "2026-12-08")]
    assert changes_between(old.rules, old.rules, {}) == []
