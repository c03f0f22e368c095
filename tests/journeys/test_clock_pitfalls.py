"""Pitfalls of known desks, told through the journeys; each docstring names its number in the list of pitfalls.

P1, P2, P13 to P16, P18 and P26 are arithmetic: tests/rules/sla. P8, P10, P11, P18, P21 and P23 to P25 are about the
ticker: test_clock_pitfalls_watch.py. `test_every_pitfall_has_its_test` holds them together.
"""

import ast
import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.journeys.promise_story import at, demand_rebuilt_alike, reading, row, types
from tests.support.cast import Cast
from tests.support.lab_bench import Bench

from guardia.features.cases.queries import facts_of
from guardia.features.sla.queries import compiled_calendar, find_calendar_version
from guardia.features.sla.rules.draft_calendar import Closure
from guardia.features.sla.rules.objectives import ObjectiveReading, Objectives, read_objectives
from guardia.journeys.answer_case import answer_case
from guardia.journeys.change_severity import change_severity
from guardia.journeys.move_calendar import carry_on, start_move
from guardia.journeys.move_case import close_case, offer_solution, reopen_case, resume_case, wait_for_customer
from guardia.journeys.take_case import take_case
from guardia.journeys.write_calendar import write_calendar
from guardia.journeys.write_message import write_message
from guardia.kernel.vocabulary import Clock
from guardia.reports.calendar_pages import draft_of

pytestmark = pytest.mark.django_db
OFFICE = "office 09-19"


def objective(cast: Cast, number: str, clock: Clock, as_of: datetime) -> ObjectiveReading:
    """One pausing clock of a case, under its frozen objectives."""
    case = row(cast, number)
    targets = Objectives.parse(case.terms["objectives"][case.case_class])
    return read_objectives(compiled_calendar(case.calendar_version_id), targets, facts_of(case), as_of)[clock]


@pytest.fixture
def taken(cast: Cast) -> str:
    """A critical case of Monday 10:00, due at 14:00, that the engineer took at 10:10."""
    number = cast.open().number
    take_case(cast.engineer, at("2026-11-23 10:10"), number)
    return number


def test_p3_the_next_answer_is_not_timed_before_the_first_one(cast: Cast, taken: str) -> None:
    """P3: an update target that fires before the first response."""
    write_message(cast.plus, at("2026-11-23 10:20"), taken, "Any news?")
    assert objective(cast, taken, Clock.NEXT_ANSWER, at("2026-11-27 10:00")).state == "none"


def test_p4_an_answer_stops_the_next_answer(cast: Cast, taken: str) -> None:
    """P4: an update target that escalated although the agent had answered."""
    answer_case(cast.engineer, at("2026-11-23 11:00"), taken, "It is the proxy.", "analysis")
    write_message(cast.plus, at("2026-11-23 12:00"), taken, "Which one?")
    assert objective(cast, taken, Clock.NEXT_ANSWER, at("2026-11-23 12:30")).state == "running"
    write_message(cast.engineer, at("2026-11-23 13:00"), taken, "The one at the gate.")
    assert objective(cast, taken, Clock.NEXT_ANSWER, at("2026-11-27 10:00")).state == "met"


def test_p5_an_answer_that_waits_for_data_in_the_same_step_is_recorded(cast: Cast, taken: str) -> None:
    """P5: reply and state-to-pending in one save: the first response was never recorded."""
    moment = at("2026-11-23 11:00")
    answer_case(cast.engineer, moment, taken, "Send the log.", "asks_for_data", wait_for_customer=True)
    case = row(cast, taken)
    assert (case.answered_at, case.clock_state, case.state) == (moment, "met", "waiting_customer")


def test_p6_what_statistics_read_is_stored_with_the_answer_itself(cast: Cast, taken: str) -> None:
    """P6: statistic columns stayed NULL unless a ticket was reopened or closed again."""
    answer_case(cast.engineer, at("2026-11-23 11:00"), taken, "It is the proxy.", "analysis")
    case = row(cast, taken)
    assert (case.acknowledged_at, case.answered_at) == (at("2026-11-23 10:10"), at("2026-11-23 11:00"))
    assert (case.answer_s, case.due_at, case.breached_at) == (3600, at("2026-11-23 14:00"), None)
    demand_rebuilt_alike()


def test_p7_a_reopened_case_keeps_what_was_measured(cast: Cast, taken: str) -> None:
    """P7: reopened tickets were computed wrong, or reset."""
    answer_case(cast.engineer, at("2026-11-23 11:00"), taken, "It is the proxy.", "analysis")
    close_case(cast.plus, at("2026-11-23 12:00"), taken, "customer_confirmed", "It works.")
    reopen_case(cast.plus, at("2026-11-25 10:00"), taken, "It is back.")
    case = row(cast, taken)
    assert (case.clock_state, case.answered_at, case.answer_s) == ("met", at("2026-11-23 11:00"), 3600)
    resolution = objective(cast, taken, Clock.RESOLUTION, at("2026-11-25 10:00"))
    assert resolution.target is not None
    assert resolution.remaining == resolution.target - timedelta(hours=2)
    demand_rebuilt_alike()


def test_p9_a_new_calendar_reaches_whom_it_is_meant_for_and_no_finished_clock(cast: Cast, taken: str) -> None:
    """P9: a calendar change was not propagated, or propagated to history."""
    running = cast.open().number
    answer_case(cast.engineer, at("2026-11-23 11:00"), taken, "It is the proxy.", "analysis")
    newest = find_calendar_version(OFFICE)
    assert newest is not None
    closed = replace(draft_of(newest), closures=(Closure("2026-11-23", "The office moves"),))
    name, version = write_calendar(cast.duty_manager, cast.now, closed, newest.version)
    before = row(cast, taken).due_at
    assert row(cast, running).due_at == at("2026-11-23 14:00")
    list(carry_on(start_move(cast.duty_manager, cast.now, name, version, "The office moves"), lambda: cast.now))
    assert row(cast, running).due_at == at("2026-11-24 13:00")
    assert (row(cast, taken).due_at, row(cast, taken).clock_state) == (before, "met")
    demand_rebuilt_alike()


@pytest.mark.parametrize("how", ["page", "program"])
def test_p12_a_customer_s_message_restarts_the_clock_whatever_way_it_came(cast: Cast, taken: str, how: str) -> None:
    """P12: a note in the portal did not restart the clock, only mail did."""
    answer_case(cast.engineer, at("2026-11-23 11:00"), taken, "Send the log.", "asks_for_data", wait_for_customer=True)
    assert objective(cast, taken, Clock.RESOLUTION, at("2026-11-23 12:00")).state == "paused"
    write_message(cast.plus, at("2026-11-23 13:00"), taken, "Here it is.", idempotency_key=how)
    assert row(cast, taken).state == "in_progress"
    assert objective(cast, taken, Clock.RESOLUTION, at("2026-11-23 13:00")).state == "running"
    assert objective(cast, taken, Clock.NEXT_ANSWER, at("2026-11-23 13:00")).state == "running"


def test_p16_a_weekend_of_waiting_gives_no_working_hour_away(cast: Cast) -> None:
    """P16: pause time was counted with the wrong calendar."""
    friday = at("2026-11-20 17:00")
    number = replace(cast, now=friday).open().number
    take_case(cast.engineer, friday, number)
    wait_for_customer(cast.engineer, at("2026-11-20 18:00"), number, "Data asked for")
    resume_case(cast.engineer, at("2026-11-23 10:00"), number, "Got it by phone")
    found = objective(cast, number, Clock.RESOLUTION, at("2026-11-23 10:00"))
    assert found.target is not None
    assert found.remaining == found.target - timedelta(hours=1)


def test_p17_a_change_of_severity_keeps_the_pauses(cast: Cast, taken: str) -> None:
    """P17: a change of severity dropped the pause time."""
    wait_for_customer(cast.engineer, at("2026-11-23 11:00"), taken, "Data asked for")
    resume_case(cast.engineer, at("2026-11-23 15:00"), taken, "Got it by phone")
    change_severity(cast.duty_manager, at("2026-11-23 16:00"), taken, 2, "A workaround holds.")
    found = objective(cast, taken, Clock.RESOLUTION, at("2026-11-23 16:00"))
    assert found.target is not None
    assert found.remaining == found.target - timedelta(hours=2)


def test_p19_nothing_automatic_and_no_flip_of_the_status_is_an_answer(cast: Cast) -> None:
    """P19: an auto-reply, a bot or a status flip counted as the response."""
    number = cast.open_report(severity=1).number
    take_case(cast.engineer, cast.now, number)
    Bench(cast).confirm()
    wait_for_customer(cast.engineer, cast.now, number, "Data asked for")
    resume_case(cast.engineer, cast.now, number, "Got it")
    write_message(cast.engineer, cast.now, number, "We have received it.")
    write_message(cast.engineer, cast.now, number, "Odd one.", is_internal=True)
    offer_solution(cast.engineer, cast.now, number, "Try the newest release.")
    assert "precheck" in types(cast, number)
    assert (row(cast, number).clock_state, row(cast, number).answered_at) == ("running", None)


def test_p20_somebody_else_s_word_is_not_the_vendor_s(cast: Cast, taken: str) -> None:
    """P20: a reply of a third party in copy counted as our response."""
    answer_case(cast.engineer, at("2026-11-23 11:00"), taken, "It is the proxy.", "analysis")
    write_message(cast.plus, at("2026-11-23 12:00"), taken, "Which one?")
    write_message(cast.plus_admin, at("2026-11-23 12:30"), taken, "I think the one at the gate.")
    found = objective(cast, taken, Clock.NEXT_ANSWER, at("2026-11-23 13:00"))
    assert (found.state, found.started_at) == ("running", at("2026-11-23 12:00"))


def test_p22_no_end_is_told_while_a_clock_is_paused(cast: Cast, taken: str) -> None:
    """P22: the planned end was meaningless while paused, and still shown; the promise itself never pauses (RC-11)."""
    wait_for_customer(cast.engineer, at("2026-11-23 11:00"), taken, "Data asked for")
    assert objective(cast, taken, Clock.RESOLUTION, at("2026-11-23 12:00")).due_at is None
    assert reading(cast, taken, at("2026-11-23 12:00")).due_at == at("2026-11-23 14:00")


def test_p27_an_old_case_is_judged_by_what_was_frozen_into_it(cast: Cast, taken: str) -> None:
    """P27: history was evaluated again on reading, so that a changed calendar rewrote old compliance."""
    newest = find_calendar_version(OFFICE)
    assert newest is not None
    closed = replace(draft_of(newest), closures=(Closure("2026-11-23", "The office moves"),))
    write_calendar(cast.duty_manager, cast.now, closed, newest.version)
    assert reading(cast, taken, at("2026-11-23 15:00")).breached_at == at("2026-11-23 14:00")
    assert row(cast, taken).terms["calendar"]["version"] == 1


def test_every_pitfall_has_its_test() -> None:
    """The docstrings of tests name the pitfalls that they keep away: every number from 1 to 27, none left out."""
    named: set[int] = set()
    for path in Path(__file__).parents[1].rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                named |= {int(number) for number in re.findall(r"\bP(\d{1,2})\b", ast.get_docstring(node) or "")}
    assert sorted(set(range(1, 28)) - named) == []
