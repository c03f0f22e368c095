"""A statement agrees with the pages of its cases, tells missed targets, and stays what it is."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.support.cast import Cast

from guardia.features.cases.queries import get_case_for
from guardia.journeys.answer_case import answer_case
from guardia.journeys.move_case import close_case
from guardia.journeys.open_case import open_case
from guardia.journeys.take_case import take_case
from guardia.kernel.errors import NotFound
from guardia.reports.case_page import case_page
from guardia.reports.monthly_statement import (
    months_of,
    own_months,
    own_statement_of,
    statement_of_month,
    table_of_cases,
)
from guardia.reports.quota_statement import own_statement
from guardia.reports.service_report import Asked, service_report

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CONTRACT = "MSA-4071"


def opened(cast: Cast, at: datetime, part: str = "plus", **facts: Any) -> str:
    return open_case(cast.actors[part], at, cast.request(**facts), str(uuid4())).number


def answered(cast: Cast, number: str, at: datetime, part: str = "engineer") -> None:
    take_case(cast.actors[part], at, number)
    answer_case(cast.actors[part], at, number, "The cause is known.", "analysis")


def a_month(cast: Cast) -> dict[str, str]:
    """October 2026: one target met, one missed and answered, one missed and open, one best effort, one closed."""
    monday = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
    numbers = {name: opened(cast, monday + hours * HOUR) for name, hours in (("met", 0), ("late", 1), ("open", 2))}
    numbers["effort"] = opened(cast, monday + 3 * HOUR, severity=3, case_class="standard")
    numbers["withdrawn"] = opened(cast, monday + 4 * HOUR, part="plus_second", severity=4, case_class="standard")
    answered(cast, numbers["met"], monday + 2 * HOUR)
    answered(cast, numbers["late"], monday + 7 * HOUR, "analyst")
    answered(cast, numbers["effort"], monday + 5 * HOUR)
    close_case(cast.plus_second, monday + 5 * HOUR, numbers["withdrawn"], "withdrawn", "Not needed any more")
    return numbers


def test_a_statement_says_what_every_case_page_says(cast: Cast) -> None:
    """The story: five cases of a month, through the journeys; each line and every sum is compared with the pages."""
    numbers = a_month(cast)
    statement = own_statement_of(cast.plus, cast.now, "2026-10")
    lines = {case.number: case for case in statement.cases}
    assert set(lines) == set(numbers.values())
    for number, line in lines.items():
        page = case_page(cast.plus, cast.now, number)
        case = get_case_for(cast.plus, number)
        assert (line.subject, line.severity, line.case_class) == (page.subject, page.severity, page.case_class)
        assert (line.due_at, line.answered_at, line.taken_s) == (
            page.clock.due_at,
            page.clock.answered_at,
            case.answer_s,
        )
        if page.clock.answered_at and page.clock.target_s:
            assert (line.outcome == "met") == (page.clock.state == "met")
    outcomes = {name: lines[number].outcome for name, number in numbers.items()}
    assert outcomes == {
        "met": "met",
        "late": "breached",
        "open": "breached",
        "effort": "answered",
        "withdrawn": "ended",
    }
    assert lines[numbers["late"]].answered_by == "Tomás Vega"
    assert lines[numbers["met"]].taken_s == 2 * 3600
    assert {case.number for case in statement.missed} == {numbers["late"], numbers["open"]}


def test_the_sums_of_a_statement_are_those_of_the_report(cast: Cast) -> None:
    a_month(cast)
    statement = statement_of_month(cast.duty_manager, cast.now, CONTRACT, "2026-10")
    report = service_report(cast.duty_manager, cast.now, Asked(period="2026-10", contract=CONTRACT))
    assert statement.total == report.total
    assert statement.lines == report.lines
    assert sum(line.figures.volume for line in statement.lines) == len(statement.cases) == 5


def test_premium_incidents_stand_as_they_did_when_the_month_ended(cast: Cast) -> None:
    a_month(cast)
    opened(cast, cast.now)
    october, november = (own_statement_of(cast.plus, cast.now, month) for month in ("2026-10", "2026-11"))
    assert (october.premium_used, october.premium_left) == (3, 9)
    assert (november.premium_used, november.premium_left) == (4, 8)
    ledger = own_statement(cast.plus, cast.now).years[0]
    assert november.premium_left == ledger.left
    moved = [*october.movements, *november.movements]
    assert {move.case_number for move in moved if move.kind == "reserve"} <= {
        case.number for case in (*october.cases, *november.cases)
    }


def test_a_case_belongs_to_the_month_of_its_submission_where_the_contract_is(cast: Cast) -> None:
    late_in_october = datetime(2026, 10, 31, 22, 59, tzinfo=UTC)
    first, second = opened(cast, late_in_october), opened(cast, late_in_october + timedelta(minutes=2))
    october, november = (own_statement_of(cast.plus, cast.now, month) for month in ("2026-10", "2026-11"))
    assert [case.number for case in october.cases] == [first]
    assert [case.number for case in november.cases] == [second]


def test_a_statement_is_provisional_until_the_month_is_over(cast: Cast) -> None:
    assert not own_statement_of(cast.plus, cast.now, "2026-11").is_final
    assert own_statement_of(cast.plus, cast.now, "2026-10").is_final
    midnight = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
    assert own_statement_of(cast.plus, midnight, "2026-11").is_final


@pytest.mark.parametrize("month", ["2026-12", "2025-01", "2040-01", "2026-Q4", "2026", "x", ""])
def test_a_month_without_a_statement_is_not_found(cast: Cast, month: str) -> None:
    with pytest.raises(NotFound):
        own_statement_of(cast.plus, cast.now, month)
    with pytest.raises(NotFound):
        statement_of_month(cast.engineer, cast.now, CONTRACT, month)


def test_a_stranger_finds_no_statement_of_another_company(cast: Cast) -> None:
    a_month(cast)
    assert own_statement_of(cast.standard, cast.now, "2026-10").cases == ()
    with pytest.raises(NotFound):
        own_statement_of(cast.standard, cast.now, "2026-10", CONTRACT)
    with pytest.raises(NotFound):
        statement_of_month(cast.standard, cast.now, CONTRACT, "2026-10")


def test_the_months_are_listed_from_the_first_of_the_contract_to_this_one(cast: Cast) -> None:
    a_month(cast)
    months = own_months(cast.plus, cast.now).months
    assert (months[0].text, months[-1].text) == ("2026-11", "2026-02")
    assert {month.text: month.cases for month in months}["2026-10"] == 5
    assert [month.is_final for month in months[:2]] == [False, True]
    assert months_of(cast.engineer, cast.now, CONTRACT).months == months


def test_the_table_holds_the_same_cases_with_their_offsets(cast: Cast) -> None:
    a_month(cast)
    statement = own_statement_of(cast.plus, cast.now, "2026-10")
    head, *rows = table_of_cases(statement)
    assert [row[2] for row in rows] == [case.number for case in statement.cases]
    assert all(len(row) == len(head) for row in rows)
    assert str(rows[0][7]).endswith("+02:00")


def test_a_month_without_cases_is_a_statement_too(cast: Cast) -> None:
    statement = own_statement_of(cast.plus, cast.now, "2026-03")
    assert (statement.cases, statement.movements, statement.total.volume) == ((), (), 0)
    assert statement.premium_left == 12
