"""The customers' statements and report: whole in both languages, their own only, kept as a table."""

import pytest
from tests.doors.stage import Stage, page_of, what_runs

pytestmark = pytest.mark.django_db
PAGES = (
    "/contract/statements/",
    "/contract/statements/2026-11/",
    "/contract/statements/2026-03/",
    "/contract/report/",
    "/contract/report/?period=2026-Q4",
)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_whole_and_runs_nothing_of_its_own(stage: Stage, address: str, language: str) -> None:
    browser = stage.browser("plus")
    browser.cookies["django_language"] = language
    answer = browser.get(address)
    assert answer.status_code == 200
    assert what_runs(page_of(answer)) == []
    assert f'<html lang="{language}"' in page_of(answer)


def test_a_statement_names_its_cases_the_instant_it_was_made_and_the_zone(stage: Stage) -> None:
    number = stage.incident
    page = page_of(stage.browser("plus").get("/contract/statements/2026-11/"))
    assert f"/cases/{number}/" in page
    assert "2026-11-23 10:00 CET" in page
    assert "Europe/Madrid" in page
    assert "provisional" in page


def test_a_stranger_reads_nothing_of_another_company(stage: Stage) -> None:
    number = stage.incident
    for address in PAGES:
        assert number[:4] + "\u00a0" + number[4:] not in page_of(stage.browser("standard").get(address))
    assert stage.browser("standard").get("/contract/statements/2026-11/?contract=MSA-4071").status_code == 404
    assert stage.browser("standard").get("/contract/report/?contract=MSA-4071").status_code == 404


@pytest.mark.parametrize("month", ["2026-12", "1999-01", "2026-Q1", "x", "%00"])
def test_a_month_without_a_statement_is_not_found(stage: Stage, month: str) -> None:
    assert stage.browser("plus").get(f"/contract/statements/{month}/").status_code == 404


def test_the_table_has_a_line_for_each_case(stage: Stage) -> None:
    number = stage.incident
    table = page_of(stage.browser("plus").get("/contract/statements/2026-11/cases.csv"))
    assert table.startswith("\ufeff")
    assert number in table
