"""A duty manager voids a qualified answer: the clock is judged as if it had never been given (RC-14)."""

import pytest
from tests.journeys.promise_story import at, audited, demand_rebuilt_alike, mails_to, reading, row
from tests.support.cast import EMAILS, Cast

from guardia.journeys.answer_case import answer_case
from guardia.journeys.determine_case import determine_case
from guardia.journeys.move_case import close_case
from guardia.journeys.take_case import take_case
from guardia.journeys.void_answer import void_answer
from guardia.kernel.errors import Forbidden, Invalid, Refused

pytestmark = pytest.mark.django_db
WHY = "It holds no result of an analysis."


@pytest.fixture
def number(cast: Cast) -> str:
    """A critical case, due at 14:00, answered at 11:00."""
    opened = cast.open().number
    take_case(cast.engineer, at("2026-11-23 10:30"), opened)
    answer_case(cast.engineer, at("2026-11-23 11:00"), opened, "We look into it.", "analysis")
    return opened


def test_the_clock_resumes_as_if_the_answer_had_not_been_given(cast: Cast, number: str) -> None:
    void_answer(cast.duty_manager, at("2026-11-23 12:00"), number, WHY)
    case = row(cast, number)
    assert (case.clock_state, case.answered_at, case.due_at) == ("running", None, at("2026-11-23 14:00"))
    assert reading(cast, number, at("2026-11-23 12:00")).remaining is not None
    assert WHY in mails_to(EMAILS["plus"])[-1]
    assert audited("answer_voided")[0]["reason"] == WHY
    demand_rebuilt_alike()


def test_the_end_may_already_have_passed(cast: Cast, number: str) -> None:
    void_answer(cast.duty_manager, at("2026-11-23 17:00"), number, WHY)
    assert (row(cast, number).clock_state, row(cast, number).breached_at) == ("breached", at("2026-11-23 14:00"))


def test_acknowledged_and_qualified_are_two_facts(cast: Cast, number: str) -> None:
    void_answer(cast.duty_manager, at("2026-11-23 12:00"), number, WHY)
    assert (row(cast, number).acknowledged_at, row(cast, number).answered_at) == (at("2026-11-23 10:30"), None)


def test_of_two_answers_the_later_is_voided_first(cast: Cast, number: str) -> None:
    answer_case(cast.engineer, at("2026-11-23 12:00"), number, "It is the proxy.", "analysis")
    void_answer(cast.duty_manager, at("2026-11-23 13:00"), number, WHY)
    assert row(cast, number).answered_at == at("2026-11-23 11:00")
    void_answer(cast.duty_manager, at("2026-11-23 13:10"), number, WHY)
    assert row(cast, number).answered_at is None
    with pytest.raises(Refused, match="No qualified answer stands"):
        void_answer(cast.duty_manager, at("2026-11-23 13:20"), number, WHY)


def test_a_new_answer_stops_the_clock_again(cast: Cast, number: str) -> None:
    void_answer(cast.duty_manager, at("2026-11-23 12:00"), number, WHY)
    answer_case(cast.engineer, at("2026-11-23 13:00"), number, "It is the proxy; update it.", "analysis")
    assert (row(cast, number).clock_state, row(cast, number).answered_at) == ("met", at("2026-11-23 13:00"))


def test_a_determination_is_voided_like_any_answer(cast: Cast) -> None:
    number = cast.open_report().number
    take_case(cast.analyst, cast.now, number)
    determine_case(cast.analyst, cast.now, number, "fn_confirmed", "A new family.")
    void_answer(cast.duty_manager, at("2026-11-23 12:00"), number, WHY)
    assert row(cast, number).answered_at is None


@pytest.mark.parametrize("part", ["engineer", "analyst", "reviewer", "releaser", "plus"])
def test_nobody_else_voids_an_answer(cast: Cast, number: str, part: str) -> None:
    with pytest.raises(Forbidden):
        void_answer(cast.actors[part], at("2026-11-23 12:00"), number, WHY)


def test_it_needs_a_reason_and_an_open_case(cast: Cast, number: str) -> None:
    with pytest.raises(Invalid):
        void_answer(cast.duty_manager, at("2026-11-23 12:00"), number, "  ")
    close_case(cast.plus, at("2026-11-23 12:00"), number, "customer_confirmed", "Thanks.")
    with pytest.raises(Refused, match="closed"):
        void_answer(cast.duty_manager, at("2026-11-23 12:10"), number, WHY)
