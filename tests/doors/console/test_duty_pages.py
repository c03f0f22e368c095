"""Roster, duty board, reports and statements through the browser: forms without script, bad input, both languages."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.doors.stage import Stage, page_of, what_runs, with_token

from guardia.features.duty.models import DutyOverride, Roster, RosterVersion
from guardia.features.duty.queries import who_has
from guardia.journeys.override_duty import override_duty

pytestmark = pytest.mark.django_db
ROTATION = "/console/roster/on_duty/rotation/"
PAGES = (
    "/console/duty/",
    "/console/roster/",
    "/console/roster/?roster=duty_manager&from=2027-03-22",
    ROTATION,
    "/console/reports/",
    "/console/reports/?period=2026&contract=MSA-4071",
    "/console/contracts/MSA-4071/statements/",
    "/console/contracts/MSA-4071/statements/2026-11/",
)


def form(stage: Stage, **changes: Any) -> dict[str, Any]:
    people = [stage.cast.actors[part].id for part in ("engineer", "analyst")]
    facts = {"every": "P1W", "weekday": "mon", "time": "09:00", "starts_on": "2026-11-23", "zone": "Europe/Madrid"}
    rest = {"people": people, "holidays-by": "none", "layers": "0", "reason": "A new order"}
    return with_token(**{**facts, **rest, **changes})


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_whole_and_runs_nothing_of_its_own(stage: Stage, address: str, language: str) -> None:
    browser = stage.browser("duty_manager")
    browser.cookies["django_language"] = language
    answer = browser.get(address)
    page = page_of(answer)
    assert answer.status_code == 200
    assert what_runs(page) == []
    assert f'<html lang="{language}"' in page


@pytest.mark.parametrize("part", ["engineer", "releaser", "duty_manager"])
def test_every_console_page_says_who_is_on_duty_and_until_when(stage: Stage, part: str) -> None:
    for address in ("/console/queue/", "/console/lab/", "/console/releases/", f"/console/cases/{stage.incident}/"):
        page = page_of(stage.browser(part).get(address))
        assert page.count("g-onduty__who") == 4, "twice: beside the page, and above it on a phone"
        assert "Marta Ibáñez" in page.split('class="g-onduty"')[1]


def test_an_empty_roster_warns_on_every_page(stage: Stage) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE duty_rosterversion DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM duty_rosterversion")
        cursor.execute("ALTER TABLE duty_rosterversion ENABLE TRIGGER USER")
    assert "Nobody is on duty" in page_of(stage.browser("engineer").get("/console/queue/"))
    assert "Nobody is on duty: this roster has no rotation yet" in page_of(
        stage.browser("engineer").get("/console/roster/")
    )
    assert stage.browser("duty_manager").get(ROTATION).status_code == 200


def test_up_down_add_and_remove_change_the_order_without_saving(stage: Stage) -> None:
    browser = stage.browser("duty_manager")
    marta, tomas, elena = (stage.cast.actors[part].id for part in ("engineer", "analyst", "duty_manager"))

    def people(**sent: Any) -> list[str]:
        answer = browser.post(ROTATION, form(stage, **sent))
        assert answer.status_code == 200
        return [str(person) for person in answer.context["form"].base.people]

    assert people(do="up:people:1") == [tomas, marta]
    assert people(do="down:people:0") == [tomas, marta]
    assert people(do="drop:people:0") == [tomas]
    assert people(do="add:people", **{"people-add": elena}) == [marta, tomas, elena]
    for nothing in (
        "up:people:0",
        "down:people:1",
        "up:people:99",
        "drop:people:x",
        "up:nobody:1",
        "add:people",
        "sing",
    ):
        assert people(do=nothing) == [marta, tomas]
    assert RosterVersion.objects.filter(roster_id="on_duty").count() == 1


def test_a_rotation_with_a_layer_and_holidays_is_saved_and_shown_again(stage: Stage) -> None:
    browser = stage.browser("duty_manager")
    layer = {"l0-name": "Office", "l0-people": stage.cast.duty_manager.id, "l0-every": "P1D", "l0-time": "08:00"}
    layer |= {"l0-starts_on": "2026-11-23", "l0-mon": "09:00-14:00, 15:00-19:00", "layers": "1"}
    free = {"holidays-by": "people", "holidays-country": "es", "holidays-region": "MD"}
    sent = form(stage, **layer, **free, **{"holidays-people": stage.cast.analyst.id})
    assert browser.post(ROTATION, sent).status_code == 303
    assert who_has("on_duty", stage.cast.now) == UUID(stage.cast.duty_manager.id)
    page = page_of(browser.get(ROTATION))
    assert 'value="09:00-14:00, 15:00-19:00"' in page
    assert browser.post(ROTATION, sent).status_code == 303
    assert RosterVersion.objects.filter(roster_id="on_duty").count() == 2, "sent twice, saved once"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"people": []}, "people"),
        ({"zone": "Nowhere"}, "zone"),
        ({"time": "25:00"}, "hand_over.time"),
        ({"starts_on": ""}, "starts_on"),
        ({"holds_from": "2020-01-01T00:00"}, "holds_from"),
        ({"holds_from": "soon"}, "holds_from"),
        ({"reason": ""}, "reason"),
        ({"layers": "1", "l0-name": "Night", "l0-mon": "22:00-06:00"}, "layers.0.weekly.mon"),
        ({"layers": "1", "l0-name": "Night", "l0-mon": "always"}, "layers.0.weekly.mon"),
        ({"holidays-by": "next_working_day", "holidays-country": "ZZ"}, "holidays.country"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    stage: Stage, changes: dict[str, Any], field: str
) -> None:
    answer = stage.browser("duty_manager").post(ROTATION, form(stage, **{"reason": "Kept words", **changes}))
    page = page_of(answer)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in page
    assert field == "reason" or "Kept words" in page
    assert RosterVersion.objects.filter(roster_id="on_duty").count() == 1


def test_somebody_takes_over_and_it_is_taken_back(stage: Stage) -> None:
    browser, analyst = stage.browser("engineer"), stage.cast.analyst.id
    sent = {"person": analyst, "starts_at": "2026-11-23T10:00", "ends_at": "2026-11-23T12:00", "reason": "Dentist"}
    assert browser.post("/console/roster/on_duty/overrides/", with_token(**sent)).status_code == 303
    assert who_has("on_duty", stage.cast.now) == UUID(analyst)
    page = page_of(browser.get("/console/roster/"))
    assert "for Marta Ibáñez" in page
    made = DutyOverride.objects.get()
    assert browser.post(f"/console/roster/overrides/{made.id}/revoke/").status_code == 303
    assert who_has("on_duty", stage.cast.now) == UUID(stage.cast.engineer.id)


def test_a_takeover_that_is_refused_keeps_what_was_typed(stage: Stage) -> None:
    sent = {"person": stage.cast.analyst.id, "starts_at": "2026-11-23T12:00", "ends_at": "x", "reason": "Kept words"}
    answer = stage.browser("engineer").post("/console/roster/on_duty/overrides/", with_token(**sent))
    assert answer.status_code == 422
    assert "Kept words" in page_of(answer)
    assert 'id="ends_at-error"' in page_of(answer)
    assert not DutyOverride.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        "/console/roster/?roster=none&from=x",
        "/console/roster/?from=9999-12-31",
        "/console/roster/?from=0001-01-01",
        "/console/reports/?period=%00&from=1&to=2",
        "/console/reports/?from=2026-12-01&to=2026-01-01",
    ],
)
def test_an_address_that_somebody_typed_never_ends_in_an_error(stage: Stage, address: str) -> None:
    assert stage.browser("engineer").get(address).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "/console/roster/night/rotation/",
        "/console/reports/?contract=NONE",
        "/console/contracts/NONE/statements/",
        "/console/contracts/MSA-4071/statements/2031-01/",
        "/console/contracts/MSA-4071/statements/x/",
    ],
)
def test_what_is_not_there_is_not_found(stage: Stage, address: str) -> None:
    assert stage.browser("duty_manager").get(address).status_code == 404


def test_the_board_shows_what_is_due_past_due_and_who_has_how_much(stage: Stage) -> None:
    number, browser = stage.incident, stage.browser("engineer")
    assert f"/console/cases/{number}/" in page_of(browser.get("/console/duty/"))
    board = browser.get("/console/duty/").context["page"]
    assert board.running >= 1
    assert any(row.number == number for row in board.due)
    assert {row.load.name for row in board.load} >= {"Elena Soto", "Marta Ibáñez"}


def test_the_board_costs_as_many_queries_with_many_cases_as_with_few(stage: Stage) -> None:
    browser = stage.browser("engineer")

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            browser.get("/console/duty/")
        return len(seen)

    browser.get("/console/duty/")
    few = queries()
    for _ in range(6):
        stage.cast.open("plus", severity=1)
    assert queries() <= few + 1, "the reports of signature changes are asked for together"


def test_a_report_and_a_statement_come_as_tables_that_no_spreadsheet_takes_for_formulas(stage: Stage) -> None:
    stage.cast.open("plus", subject="=HYPERLINK(1)")
    browser = stage.browser("duty_manager")
    answer = browser.get("/console/contracts/MSA-4071/statements/2026-11/cases.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "'=HYPERLINK(1)" in page_of(answer)
    assert page_of(browser.get("/console/reports/report.csv")).count("\r\n") >= 3


def test_the_roster_shows_holidays_in_the_readers_language(stage: Stage) -> None:
    browser = stage.browser("engineer")
    address = "/console/roster/?from=2026-12-07"
    browser.cookies["django_language"] = "es"
    assert "Inmaculada" in page_of(browser.get(address))
    browser.cookies["django_language"] = "en"
    assert "Immaculate" in page_of(browser.get(address))


def test_a_person_who_left_is_told_on_the_roster(stage: Stage) -> None:
    cast = stage.cast
    override_duty(
        cast.duty_manager,
        cast.now,
        "on_duty",
        UUID(cast.analyst.id),
        cast.now,
        cast.now + timedelta(hours=2),
        "Dentist",
    )
    cast.people["analyst"].is_active = False
    cast.people["analyst"].save()
    page = page_of(stage.browser("engineer").get("/console/roster/"))
    assert "Tomás Vega stands in the rotation, but has left" in page
    assert "has left: change the rotation" in page
    assert Roster.objects.count() == 2
