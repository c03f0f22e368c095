"""What is recorded late carries both instants; what would undo a breach that was told waits for a duty manager."""

from dataclasses import replace
from datetime import datetime

import pytest
from tests.journeys.promise_story import at, audited, demand_rebuilt_alike, last, row, types
from tests.support.cast import Cast

from guardia.features.cases.queries import facts_of
from guardia.features.cases.rules.pending import waiting_entries
from guardia.journeys.answer_case import answer_case
from guardia.journeys.late_entries import enter_late, settle_late
from guardia.journeys.take_case import take_case
from guardia.journeys.void_answer import void_answer
from guardia.journeys.write_message import write_message
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.vocabulary import Actor
from guardia.reports.alerts_page import alerts_page
from guardia.reports.case_page import case_page

pytestmark = pytest.mark.django_db
TEXT, WHY = "It is the proxy; a corrected rule follows.", "Given by phone; the console was down."


@pytest.fixture
def number(cast: Cast) -> str:
    """A critical case, due at 14:00, that the engineer has."""
    opened = cast.open().number
    take_case(cast.engineer, at("2026-11-23 10:30"), opened)
    return opened


def enter(cast: Cast, number: str, when: str, recorded: str, **changes: object) -> bool:
    asked = {"kind": "answered", "text": TEXT, "reason": WHY} | changes
    return enter_late(
        cast.engineer,
        at(recorded),
        number,
        str(asked["kind"]),
        at(when),
        str(asked["text"]),
        str(asked["reason"]),
    )


def announced(cast: Cast, number: str) -> None:
    """Let something happen after the end, so that the breach is on record."""
    write_message(cast.plus, at("2026-11-23 14:30"), number, "Nothing yet?")
    assert row(cast, number).breached_at == at("2026-11-23 14:00")


def test_before_the_end_a_late_answer_holds_at_once(cast: Cast, number: str) -> None:
    assert enter(cast, number, "2026-11-23 12:00", "2026-11-23 13:00")
    event = last(cast, number)
    assert (event.occurred_at, event.recorded_at) == (at("2026-11-23 12:00"), at("2026-11-23 13:00"))
    assert (row(cast, number).clock_state, row(cast, number).answered_at) == ("met", at("2026-11-23 12:00"))
    demand_rebuilt_alike()


def test_a_breach_that_nobody_was_told_of_is_corrected_at_once(cast: Cast, number: str) -> None:
    assert enter(cast, number, "2026-11-23 13:50", "2026-11-23 14:05")
    assert row(cast, number).clock_state == "met"


def test_a_breach_that_was_told_is_undone_only_by_a_duty_manager(cast: Cast, number: str) -> None:
    announced(cast, number)
    assert not enter(cast, number, "2026-11-23 13:50", "2026-11-23 15:00")
    assert row(cast, number).clock_state == "breached"
    (entry,) = waiting_entries(facts_of(row(cast, number)))
    assert (entry.by, entry.text, entry.occurred_at) == (cast.engineer.name, TEXT, at("2026-11-23 13:50"))
    with pytest.raises(Forbidden):
        settle_late(cast.reviewer, at("2026-11-23 15:05"), number, entry.seq, True, "I believe it.")
    settle_late(cast.duty_manager, at("2026-11-23 15:10"), number, entry.seq, True, "The call list shows it.")
    case = row(cast, number)
    assert (case.clock_state, case.breached_at, case.answered_at) == ("met", None, at("2026-11-23 13:50"))
    assert last(cast, number).actor["name"] == cast.engineer.name
    assert last(cast, number).payload["late"]["confirmed_by"] == cast.duty_manager.name
    assert audited("late_entry_settled")[0]["accepted"] is True
    demand_rebuilt_alike()


def test_a_refused_entry_changes_nothing(cast: Cast, number: str) -> None:
    announced(cast, number)
    enter(cast, number, "2026-11-23 13:50", "2026-11-23 15:00")
    (entry,) = waiting_entries(facts_of(row(cast, number)))
    settle_late(cast.duty_manager, at("2026-11-23 15:10"), number, entry.seq, False, "The call list shows none.")
    assert row(cast, number).clock_state == "breached"
    with pytest.raises(Refused, match="No such entry waits"):
        settle_late(cast.duty_manager, at("2026-11-23 15:11"), number, entry.seq, True, "After all.")


def test_nobody_confirms_an_entry_of_their_own(cast: Cast) -> None:
    number = cast.open().number
    take_case(cast.duty_manager, at("2026-11-23 10:30"), number)
    announced(cast, number)
    lead = cast.duty_manager
    assert not enter_late(lead, at("2026-11-23 15:00"), number, "answered", at("2026-11-23 13:50"), TEXT, WHY)
    with pytest.raises(Forbidden, match="Somebody else"):
        settle_late(lead, at("2026-11-23 15:10"), number, last(cast, number).seq, True, "I know it.")


def test_moving_an_answer_that_is_on_record_waits_too(cast: Cast, number: str) -> None:
    answer_case(cast.engineer, at("2026-11-23 13:00"), number, "As I said by phone.", "analysis")
    assert not enter(cast, number, "2026-11-23 11:00", "2026-11-23 13:30")
    assert row(cast, number).answered_at == at("2026-11-23 13:00")


def test_customers_do_not_see_what_is_not_settled(cast: Cast, number: str) -> None:
    announced(cast, number)
    before = case_page(cast.plus, at("2026-11-23 15:00"), number)
    enter(cast, number, "2026-11-23 13:50", "2026-11-23 15:00")
    after = case_page(cast.plus, at("2026-11-23 15:01"), number)
    assert len(after.timeline) == len(before.timeline)
    assert (after.last_seq, after.promise.late_entries) == (before.last_seq, ())
    assert len(case_page(cast.duty_manager, at("2026-11-23 15:01"), number).promise.late_entries) == 1


def test_a_voided_answer_is_not_replaced_by_an_older_one_that_is_entered_later(cast: Cast, number: str) -> None:
    """The void is of one answer, whatever else is entered for an instant before it."""
    answer_case(cast.engineer, at("2026-11-23 11:00"), number, "Have you tried turning it off?", "analysis")
    void_answer(cast.duty_manager, at("2026-11-23 13:00"), number, "It says nothing of the analysis.")
    assert enter(cast, number, "2026-11-23 12:00", "2026-11-23 13:30")
    assert row(cast, number).answered_at == at("2026-11-23 12:00")
    demand_rebuilt_alike()


@pytest.mark.parametrize(
    ("when", "said"),
    [("2026-11-23 13:01", "future"), ("2026-11-23 09:59", "before the response clock")],
)
def test_an_instant_in_the_future_or_before_the_submission_is_refused(
    cast: Cast, number: str, when: str, said: str
) -> None:
    with pytest.raises(Invalid, match=said) as refused:
        enter(cast, number, when, "2026-11-23 13:00")
    assert list(refused.value.fields) == ["occurred_at"]


def test_a_naive_instant_is_refused(cast: Cast, number: str) -> None:
    naive = datetime(2026, 11, 23, 12, 0)  # noqa: DTZ001  that is the attack
    with pytest.raises(Invalid, match="time zone"):
        enter_late(cast.engineer, at("2026-11-23 13:00"), number, "answered", naive, TEXT, WHY)


def test_only_the_holder_enters_an_answer_and_only_known_facts_are_entered(cast: Cast, number: str) -> None:
    moment = at("2026-11-23 13:00")
    with pytest.raises(Refused, match="Take it first"):
        enter_late(cast.analyst, moment, number, "answered", at("2026-11-23 12:00"), TEXT, WHY)
    with pytest.raises(Invalid, match="what happened"):
        enter_late(cast.engineer, moment, number, "submitted", at("2026-11-23 12:00"), TEXT, WHY)
    with pytest.raises(Forbidden):
        enter_late(cast.plus, moment, number, "answered", at("2026-11-23 12:00"), TEXT, WHY)


def test_what_is_on_record_already_is_not_entered_again(cast: Cast, number: str) -> None:
    answer_case(cast.engineer, at("2026-11-23 11:00"), number, "It is the proxy.", "analysis")
    with pytest.raises(Refused, match="on record already"):
        enter(cast, number, "2026-11-23 12:00", "2026-11-23 13:00")


def test_the_same_key_enters_it_once(cast: Cast, number: str) -> None:
    for _ in range(2):
        enter_late(
            cast.engineer,
            at("2026-11-23 13:00"),
            number,
            "answered",
            at("2026-11-23 12:00"),
            TEXT,
            WHY,
            idempotency_key="once",
        )
    assert types(cast, number).count("answered") == 1


def test_a_stranger_finds_no_case_to_enter_into(cast: Cast, number: str) -> None:
    stranger = replace(cast.standard, roles=frozenset())
    with pytest.raises(Forbidden):
        enter_late(stranger, at("2026-11-23 13:00"), number, "answered", at("2026-11-23 12:00"), TEXT, WHY)


def test_an_entry_that_waits_is_told_to_the_duty_managers_until_it_is_settled(cast: Cast, number: str) -> None:
    announced(cast, number)
    enter(cast, number, "2026-11-23 13:50", "2026-11-23 15:00")
    (entry,) = waiting_entries(facts_of(row(cast, number)))
    waits = "A late entry waits for a duty manager"

    def told(part: Actor) -> list[str]:
        return [what for shown in alerts_page(part, at("2026-11-23 15:05")).rows for what in shown.whats]

    assert waits in told(cast.duty_manager)
    assert waits not in told(cast.engineer)
    settle_late(cast.duty_manager, at("2026-11-23 15:10"), number, entry.seq, False, "The call list shows none.")
    assert waits not in told(cast.duty_manager)
