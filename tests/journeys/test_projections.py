"""After any acts in any order, what is stored of a case is what its events add up to."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.cast import Cast
from tests.support.lab_bench import Bench

from guardia.features.cases.models import Case, CaseEvent
from guardia.features.cases.queries import events_of, facts_of, get_case_for
from guardia.features.cases.rules.pending import waiting_entries
from guardia.features.contracts.models import QuotaEntry
from guardia.journeys.answer_case import answer_case
from guardia.journeys.change_class import change_class
from guardia.journeys.change_severity import answer_proposal, change_severity, dispute_severity
from guardia.journeys.confirm_call import confirm_call
from guardia.journeys.determine_case import determine_case
from guardia.journeys.late_entries import enter_late, settle_late
from guardia.journeys.move_case import (
    close_case,
    hand_to_lab,
    offer_solution,
    reject_case,
    reopen_case,
    resume_case,
    wait_for_customer,
)
from guardia.journeys.precheck_case import request_precheck
from guardia.journeys.publish_release import run_standard_batch
from guardia.journeys.rebuild_projections import rebuild_projections
from guardia.journeys.take_case import take_case, take_next
from guardia.journeys.void_answer import void_answer
from guardia.journeys.write_message import write_message
from guardia.kernel.errors import GuardiaError
from guardia.reports.case_page import case_page

pytestmark = pytest.mark.django_db
Act = Callable[[Cast, datetime, str], object]


def _correct(cast: Cast, now: datetime, number: str) -> object:
    return Bench(replace(cast, now=now)).released(number)


def _precheck(cast: Cast, now: datetime, number: str) -> None:
    request_precheck(cast.engineer, now, number)
    Bench(replace(cast, now=now)).confirm()


def _settle(cast: Cast, now: datetime, number: str) -> None:
    waiting = waiting_entries(facts_of(get_case_for(cast.engineer, number)))
    assert waiting
    settle_late(cast.duty_manager, now, number, waiting[0].seq, True, "The call list shows it.")


ACTS: dict[str, Act] = {
    "take": lambda cast, now, number: take_case(cast.engineer, now, number),
    "analyst takes": lambda cast, now, number: take_case(cast.analyst, now, number, "My field"),
    "take next": lambda cast, now, _: take_next(cast.duty_manager, now),
    "message": lambda cast, now, number: write_message(cast.plus, now, number, "Any news?"),
    "reply": lambda cast, now, number: write_message(cast.engineer, now, number, "We look at it."),
    "note": lambda cast, now, number: write_message(cast.engineer, now, number, "Odd.", is_internal=True),
    "answer": lambda cast, now, number: answer_case(cast.engineer, now, number, "It is the proxy.", "analysis"),
    "ask": lambda cast, now, number: answer_case(
        cast.engineer, now, number, "Send the log.", "asks_for_data", wait_for_customer=True
    ),
    "adopt": lambda cast, now, number: answer_case(cast.analyst, now, number, "Confirmed.", "adopts_precheck"),
    "wait": lambda cast, now, number: wait_for_customer(cast.engineer, now, number, "Log needed"),
    "resume": lambda cast, now, number: resume_case(cast.engineer, now, number, "Got it by phone"),
    "to lab": lambda cast, now, number: hand_to_lab(cast.engineer, now, number, "A sample"),
    "solution": lambda cast, now, number: offer_solution(cast.engineer, now, number, "Update to 8.3."),
    "close": lambda cast, now, number: close_case(cast.plus, now, number, "customer_confirmed", "It works."),
    "staff closes": lambda cast, now, number: close_case(cast.engineer, now, number, "solved", "Solved."),
    "reopen": lambda cast, now, number: reopen_case(cast.plus, now, number, "It is back."),
    "reject": lambda cast, now, number: reject_case(cast.engineer, now, number, "Not our product."),
    "determine": lambda cast, now, number: determine_case(cast.analyst, now, number, "fn_confirmed", "A new one."),
    "raise": lambda cast, now, number: change_severity(cast.engineer, now, number, 1, "Worse."),
    "lower": lambda cast, now, number: change_severity(cast.engineer, now, number, 3, "Better."),
    "lead lowers": lambda cast, now, number: change_severity(cast.duty_manager, now, number, 4, "A question."),
    "agree": lambda cast, now, number: answer_proposal(cast.plus, now, number, True),
    "decline": lambda cast, now, number: answer_proposal(cast.plus, now, number, False),
    "dispute": lambda cast, now, number: dispute_severity(cast.plus, now, number, 1, "It is worse."),
    "call": lambda cast, now, number: confirm_call(cast.engineer, now, number, "known", reason="By voice."),
    "void": lambda cast, now, number: void_answer(cast.duty_manager, now, number, "No analysis."),
    "late answer": lambda cast, now, number: enter_late(
        cast.engineer, now, number, "answered", now - timedelta(minutes=30), "By phone.", "The console was down."
    ),
    "settle": _settle,
    "to standard": lambda cast, now, number: change_class(cast.engineer, now, number, "standard", "Our outage."),
    "to premium": lambda cast, now, number: change_class(cast.plus, now, number, "premium", "It cannot wait."),
    "precheck": _precheck,
    "correct": _correct,
    "batch": lambda cast, now, _: run_standard_batch(cast.releaser, now, "now"),
}


def differences() -> list[tuple[str, list[str]]]:
    return [(number, columns) for number, columns in rebuild_projections(repair=False) if columns]


def demand_sound(cast: Cast, number: str) -> None:
    """What must hold of any case at any time."""
    case = get_case_for(cast.engineer, number)
    events = list(events_of(case))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert case.last_seq == len(events)
    assert (case.closed_at is None) == (case.state not in {"closed", "rejected"})
    moves = QuotaEntry.objects.across_companies("a test").filter(case_id=case.id).values_list("kind", flat=True)
    spent = list(moves).count("reserve") - list(moves).count("refund")
    assert spent == (case.case_class == "premium" and case.state != "rejected")
    assert case.called_at is None or case.called_at >= case.submitted_at


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["incident", "report", "standard"]),
    acts=st.lists(st.tuples(st.sampled_from(list(ACTS)), st.integers(0, 900)), max_size=10),
)
def test_after_any_acts_the_projections_are_what_the_events_add_up_to(
    cast: Cast, kind: str, acts: list[tuple[str, int]]
) -> None:
    if kind == "report":
        number = cast.open_report(consent_standard=True).number
    else:
        number = cast.open("standard" if kind == "standard" else "plus", consent_standard=True).number
    moment, done = cast.now, []
    for name, minutes in acts:
        moment += timedelta(minutes=minutes)
        try:
            ACTS[name](cast, moment, number)
            done.append(name)
        except (GuardiaError, AssertionError):
            continue  # not open now, or no such lab job waits
    assert differences() == [], done
    demand_sound(cast, number)


def test_repair_restores_what_was_damaged_and_only_that(cast: Cast) -> None:
    numbers = [cast.open().number, cast.open("standard").number]
    take_case(cast.engineer, cast.now, numbers[0])
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cases_case SET state = 'closed', due_at = NULL, holder_name = 'x' WHERE number = %s", [numbers[0]]
        )
    assert [(number, set(columns)) for number, columns in differences()] == [
        (numbers[0], {"state", "due_at", "holder_name"})
    ]
    assert sum(bool(columns) for _, columns in rebuild_projections(repair=True)) == 1
    assert differences() == []
    assert get_case_for(cast.plus, numbers[0]).state == "in_progress"
    assert CaseEvent.objects.across_companies("a test").filter(type="taken").count() == 1


def test_internal_notes_and_their_files_are_not_for_the_customer(cast: Cast) -> None:
    number = cast.open().number
    take_case(cast.engineer, cast.now, number)
    note = cast.upload("engineer", b"memory dump of the customer", "secret-dump.bin")
    write_message(cast.engineer, cast.now, number, "SECRET-NOTE about the customer", (note.id,), is_internal=True)
    write_message(cast.engineer, cast.now, number, "PUBLIC-REPLY to the customer")
    case = get_case_for(cast.plus, number)
    shown = {who: repr(case_page(cast.actors[who], cast.now, number)) for who in ("plus", "plus_admin", "engineer")}
    for who in ("plus", "plus_admin"):
        assert "PUBLIC-REPLY" in shown[who]
        assert "SECRET-NOTE" not in shown[who]
        assert "secret-dump" not in shown[who]
    assert "SECRET-NOTE" in shown["engineer"]
    assert case.last_seq == Case.objects.of_company(case.company_id).get(id=case.id).last_seq
