"""The calendar editor and its pages: errors stand at their fields, nothing typed is lost, previews save nothing."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client, override_settings
from tests.doors.conftest import PLAIN_FILES
from tests.doors.stage import Stage, page_of, what_runs, with_token

from guardia.features.sla.queries import find_calendar_version

pytestmark = pytest.mark.django_db
OFFICE, DASH = "office 09-19", "\N{EN DASH}"
WORKING = ("mon", "tue", "wed", "thu", "fri")
EDIT = "/console/calendars/office%2009-19/edit/"


@pytest.fixture
def boss(stage: Stage) -> Client:
    return stage.browser("duty_manager")


def calendar(**changes: str) -> dict[str, Any]:
    """A whole form, changed as said."""
    week = dict.fromkeys(WORKING, "09:00-14:00, 16:00-19:00")
    facts = {"zone": "Europe/Madrid", "country": "ES", "region": "MD", "first_year": "2026", "last_year": "2027"}
    return with_token(**{"after": "1", "do": "preview", **week, **facts, **changes})


WRONG = {
    "overlapping windows": ({"mon": "09:00-14:00, 13:00-19:00"}, "09:00-14:00 and 13:00-19:00 overlap."),
    "a reversed window": ({"mon": "19:00-09:00"}, "19:00-09:00 does not end after it starts."),
    "windows that are none": ({"tue": "nine to five"}, "“nine to five” is none."),
    "an unknown zone": ({"zone": "Europe/Vigo"}, "There is no time zone “Europe/Vigo”."),
    "an unknown region": ({"region": "XX"}, "“XX” is no region of this country."),
    "an unknown country": ({"country": "XX"}, "No public holidays are known for the country “XX”."),
    "reversed years": ({"first_year": "2028", "last_year": "2026"}, "Give a first and a last year"),
    "a date outside the years": ({"closure-0-on": "2031-01-05"}, "2031-01-05 is outside the years 2026 to 2027."),
    "a date that is none": ({"closure-0-on": "2026-02-30"}, "“2026-02-30” is no date."),
    "a date twice": ({"closure-0-on": "2026-03-03", "closure-1-on": "2026-03-03"}, "2026-03-03 stands here twice."),
    "no week": (dict.fromkeys(WORKING, ""), "Give at least one window in the week."),
}


@pytest.mark.parametrize("what", WRONG)
@override_settings(STORAGES=PLAIN_FILES)
def test_bad_input_is_refused_at_its_field_and_kept(boss: Client, what: str) -> None:
    """Bad input of the issue: each with a sentence, and nothing typed is lost."""
    changes, sentence = WRONG[what]
    answer = boss.post(EDIT, calendar(note="for the summer", **changes))
    page = page_of(answer)
    assert answer.status_code == 422
    assert sentence in page
    assert 'class="g-err"' in page
    assert "for the summer" in page
    assert all(value in page for value in changes.values())
    assert find_calendar_version(OFFICE, 2) is None


@override_settings(STORAGES=PLAIN_FILES)
def test_a_year_that_is_closed_throughout_is_refused(boss: Client) -> None:
    """P14, P15: one Sunday's opening is all the working time there is, and it lies in one year only."""
    week = dict.fromkeys(WORKING, "")
    only = {**week, "sun": "09:00-10:00", "country": "", "region": "", "first_year": "2026", "last_year": "2026"}
    sundays = {f"closure-{n}-on": day for n, day in enumerate(_sundays_of_2026())}
    page = page_of(boss.post(EDIT, calendar(**{**only, **sundays})))
    assert "In 2026 no day has any working time." in page


def _sundays_of_2026() -> list[str]:
    return [(date(2026, 1, 4) + timedelta(weeks=week)).isoformat() for week in range(52)]


@override_settings(STORAGES=PLAIN_FILES)
def test_a_preview_shows_the_month_and_the_differences_and_saves_nothing(boss: Client) -> None:
    form = calendar(**{"closure-0-on": "2026-11-24", "closure-0-label": "The office moves", "do": "preview:2026-11"})
    page = page_of(boss.post(EDIT, form))
    assert f"Monday: 09:00{DASH}14:00, 16:00{DASH}19:00 instead of 09:00{DASH}19:00" in page
    assert "2026-11-24, The office moves: closed now" in page
    assert "November 2026" in page
    assert "152&nbsp;h" in page or "152\xa0h" in page
    assert what_runs(page) == []
    assert find_calendar_version(OFFICE, 2) is None


@override_settings(STORAGES=PLAIN_FILES)
def test_a_saved_version_keeps_labels_source_author_and_tzdata(boss: Client) -> None:
    holidays = {"known": ["2026-12-25", "2026-12-08"], "keep": ["2026-12-25"]}
    form = calendar(do="save", note="Work on the 8th") | holidays
    assert boss.post(EDIT, form).status_code == 303
    version = find_calendar_version(OFFICE, 2)
    assert version is not None
    assert "2026-12-25" in version.rules["closed_on"]
    assert "2026-12-08" not in version.rules["closed_on"], "each single holiday can be taken out"
    assert version.labels["2026-12-25"] == {"en": "Christmas Day", "es": "Natividad del Señor"}
    assert version.source["removed"] == ["2026-12-08"]
    assert (version.made_by or {}).get("name") == "Elena Soto"
    assert version.tzdata
    page = page_of(boss.get("/console/calendars/office%2009-19/?version=2&year=2026&month=12"))
    assert "Christmas Day" in page
    assert "Work on the 8th" in page


@override_settings(STORAGES=PLAIN_FILES)
def test_the_editor_without_script_loads_holidays_and_rows(boss: Client) -> None:
    page = page_of(boss.post(EDIT, calendar(do="holidays", region="CT")))
    assert "Diada" in page or "National Day of Catalonia" in page
    assert 'name="keep" value="2026-12-26" checked' in page
    filled = {f"closure-{n}-on": f"2026-03-0{n + 1}" for n in range(4)}
    page = page_of(boss.post(EDIT, calendar(do="more", **filled)))
    assert all(day in page for day in filled.values())
    assert "closure-5-on" in page


@override_settings(STORAGES=PLAIN_FILES)
def test_whoever_comes_second_with_a_version_reads_who_was_first(stage: Stage, boss: Client) -> None:
    first, second = calendar(do="save", note="mine"), calendar(do="save", note="yours")
    assert boss.post(EDIT, first).status_code == 303
    answer = boss.post(EDIT, second)
    page = page_of(answer)
    assert answer.status_code == 409
    assert "Elena Soto saved version 2 meanwhile." in page
    assert "yours" in page


@override_settings(STORAGES=PLAIN_FILES)
def test_only_a_duty_manager_edits_and_everybody_reads(stage: Stage) -> None:
    engineer = stage.browser("engineer")
    assert engineer.get(EDIT).status_code == 403
    page = page_of(engineer.get("/console/calendars/"))
    assert "office 09-19" in page
    assert "New calendar" not in page


@override_settings(STORAGES=PLAIN_FILES)
def test_the_days_of_clock_changes_are_marked(boss: Client) -> None:
    page = page_of(boss.get("/console/calendars/office%2009-19/?year=2026&month=10"))
    assert "The clocks go back: a day of 25 hours" in page


@override_settings(STORAGES=PLAIN_FILES)
def test_open_cases_move_by_the_form_with_a_preview(stage: Stage, boss: Client) -> None:
    stage.cast.open("plus", severity=1)
    boss.post(EDIT, calendar(do="save"))
    move = "/console/calendars/office%2009-19/2/move/"
    page = page_of(boss.get(move))
    assert "What it would do now" in page
    answer = boss.post(move, with_token(reason=""))
    assert answer.status_code == 422
    assert "Say why, in one line." in page_of(answer)
    answer = boss.post(move, with_token(reason="Agreed with the company"))
    assert answer.status_code == 303
    page = page_of(boss.get(answer.headers["Location"]))
    assert "0 of 1 moved" in page
    assert "Agreed with the company" in page
