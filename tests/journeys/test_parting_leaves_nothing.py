"""After any acts, joining and parting leave both cases as if they had never been joined, but for what the logs tell."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.cast import Cast

from guardia.features.cases.queries import facts_of, get_case_for
from guardia.features.contracts.models import QuotaEntry
from guardia.features.sla.queries import policy_of, read_clock_under, watches_of
from guardia.journeys.answer_case import answer_case
from guardia.journeys.change_class import change_class
from guardia.journeys.change_severity import change_severity
from guardia.journeys.confirm_call import confirm_call
from guardia.journeys.fire_clocks import tick
from guardia.journeys.merge_cases import merge_case
from guardia.journeys.move_case import hand_to_lab, offer_solution, wait_for_customer
from guardia.journeys.rebuild_projections import rebuild_projections
from guardia.journeys.take_case import take_case
from guardia.journeys.undo_merge import undo_merge
from guardia.journeys.void_answer import void_answer
from guardia.journeys.write_message import write_message
from guardia.kernel.errors import GuardiaError

pytestmark = pytest.mark.django_db
Act = Callable[[Cast, datetime, str], object]
ACTS: dict[str, Act] = {
    "take": lambda cast, now, number: take_case(cast.engineer, now, number),
    "answer": lambda cast, now, number: answer_case(cast.engineer, now, number, "It is the proxy.", "analysis"),
    "void": lambda cast, now, number: void_answer(cast.duty_manager, now, number, "No analysis."),
    "wait": lambda cast, now, number: wait_for_customer(cast.engineer, now, number, "Log needed"),
    "message": lambda cast, now, number: write_message(cast.plus, now, number, "Any news?"),
    "lower": lambda cast, now, number: change_severity(cast.duty_manager, now, number, 3, "A question."),
    "raise": lambda cast, now, number: change_severity(cast.engineer, now, number, 1, "Worse."),
    "call": lambda cast, now, number: confirm_call(cast.engineer, now, number, "known", reason="By voice."),
    "to standard": lambda cast, now, number: change_class(cast.engineer, now, number, "standard", "Our outage."),
    "to premium": lambda cast, now, number: change_class(cast.plus, now, number, "premium", "It cannot wait."),
    "to lab": lambda cast, now, number: hand_to_lab(cast.engineer, now, number, "A sample"),
    "solution": lambda cast, now, number: offer_solution(cast.engineer, now, number, "Update to 8.3."),
}
BEFORE_OR_AFTER = {"last_seq", "words", "clock_state", "breached_at"}
"""Not compared as stored: how many events there are, and what is stored of a clock as of the last of them."""


def facts(cast: Cast, number: str, now: datetime) -> dict[str, Any]:
    """Everything of a case as of an instant: its columns, its clock, its charge, what the ticker waits for."""
    case = get_case_for(cast.engineer, number)
    names = [field.attname for field in case._meta.concrete_fields if field.attname not in BEFORE_OR_AFTER]
    policy = policy_of(case.terms, case.case_class)
    moves = QuotaEntry.objects.of_company(case.company_id).filter(case_id=case.id)
    kinds = list(moves.values_list("kind", flat=True))
    return {
        **{name: getattr(case, name) for name in names},
        "reading": read_clock_under(case.calendar_version_id, policy, facts_of(case), now),
        "charges": kinds.count("reserve") - kinds.count("refund"),
        "consumed": kinds[-1:] == ["consume"],
        "watched": {clock: row.due_at for clock, row in watches_of([case.id])[case.id].items()},
    }


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    acts=st.lists(st.tuples(st.sampled_from(list(ACTS)), st.booleans(), st.integers(0, 200)), max_size=7),
    classes=st.tuples(*[st.sampled_from(["premium", "standard"])] * 2),
    severities=st.tuples(*[st.sampled_from([1, 3])] * 2),
    hour=st.sampled_from([8, 17]),
    apart=st.integers(0, 300),
    joined_for=st.integers(0, 600),
)
def test_joining_and_parting_leave_both_as_if_never_joined(
    cast: Cast,
    acts: list[tuple[str, bool, int]],
    classes: tuple[str, str],
    severities: tuple[int, int],
    hour: int,
    apart: int,
    joined_for: int,
) -> None:
    with transaction.atomic():
        now = cast.now = datetime(2026, 11, 23, hour, 0, tzinfo=cast.now.tzinfo)
        one = cast.open(case_class=classes[0], severity=severities[0]).number
        now = cast.now = now + timedelta(minutes=apart)
        two = cast.open("plus_second", case_class=classes[1], severity=severities[1]).number
        for act, is_first, minutes in acts:
            now += timedelta(minutes=minutes)
            try:
                ACTS[act](cast, now, one if is_first else two)
            except GuardiaError:
                continue  # not possible now, and nothing has happened
        tick(now)
        ending = now + timedelta(minutes=joined_for)
        before = [facts(cast, number, ending) for number in (one, two)]
        arrivals = {number: get_case_for(cast.engineer, number).submitted_at for number in (one, two)}
        for duplicate, kept in ((one, two), (two, one)):
            due = get_case_for(cast.engineer, duplicate).due_at
            try:
                merge_case(cast.engineer, now, duplicate, kept, "The same")
            except GuardiaError:
                continue
            case = get_case_for(cast.engineer, kept)
            assert case.submitted_at == min(arrivals.values())
            if case.answered_at is None and due is not None:
                assert case.due_at is not None
                assert case.due_at <= due
            assert not [columns for _number, columns in rebuild_projections(repair=False) if columns]
            undo_merge(cast.engineer, ending, duplicate, "Not the same")
            assert not [columns for _number, columns in rebuild_projections(repair=False) if columns]
            assert [facts(cast, number, ending) for number in (one, two)] == before
            break
        transaction.set_rollback(True)
