"""Changes of severity: who may make them, what the customer is asked, how the clock is replayed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.journeys.promise_story import at, audited, demand_rebuilt_alike, last, mails_to, reading, row, types
from tests.support.at_once import at_once, raised
from tests.support.cast import EMAILS, Cast

from guardia.features.cases.rules.phone_code import spoken_code
from guardia.journeys.acknowledge_alarm import acknowledge_alarm
from guardia.journeys.answer_case import answer_case
from guardia.journeys.change_severity import answer_proposal, change_severity, dispute_severity, settle_dispute
from guardia.journeys.move_case import close_case
from guardia.journeys.take_case import take_case
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.reports.alerts_page import alerts_page
from guardia.reports.case_acts import case_acts
from guardia.reports.case_page import case_page

pytestmark = pytest.mark.django_db
LATER = at("2026-11-23 11:00")


def test_an_engineer_raises_at_once_and_the_clock_is_replayed(cast: Cast) -> None:
    """RC-6: with no end so far it is the raise + the target less what was spent at that severity or a graver one."""
    number = cast.open(severity=3).number
    assert row(cast, number).clock_state == "best_effort"
    assert change_severity(cast.engineer, LATER, number, 1, "The shipyard's gate stands still.") == "changed"
    case = row(cast, number)
    assert (case.severity, case.due_at) == (1, at("2026-11-23 15:00"))
    assert "The shipyard's gate stands still." in mails_to(EMAILS["plus"])[-1]
    demand_rebuilt_alike()


def test_lowering_a_running_target_is_only_proposed_by_an_engineer(cast: Cast) -> None:
    number = cast.open().number
    assert change_severity(cast.engineer, LATER, number, 3, "A workaround holds.") == "proposed"
    assert row(cast, number).severity == 1
    assert "aceptar o rechazar" in mails_to(EMAILS["plus"])[-1]
    answer_proposal(cast.plus, LATER, number, True)
    assert (row(cast, number).severity, row(cast, number).due_at) == (3, None)
    assert last(cast, number).payload == {"from": 1, "to": 3, "reason": "A workaround holds.", "how": "agreed"}


def test_a_declined_proposal_leaves_everything_as_it_is(cast: Cast) -> None:
    number = cast.open().number
    before = row(cast, number).due_at
    change_severity(cast.engineer, LATER, number, 2, "It works again.")
    answer_proposal(cast.plus_second, LATER, number, False, "It does not.")
    assert (row(cast, number).severity, row(cast, number).due_at) == (1, before)
    with pytest.raises(Refused, match="No other severity is proposed"):
        answer_proposal(cast.plus, LATER, number, True)


def test_a_duty_manager_lowers_on_record(cast: Cast) -> None:
    number = cast.open().number
    assert change_severity(cast.duty_manager, LATER, number, 2, "Filed too high by mistake.") == "changed"
    assert audited("severity_lowered") == [{"from": 1, "to": 2, "reason": "Filed too high by mistake."}]


def test_lowering_what_promises_nothing_needs_nobody(cast: Cast) -> None:
    number = cast.open(severity=2).number
    assert change_severity(cast.engineer, LATER, number, 4, "A question.") == "changed"
    assert audited("severity_lowered") == []


def test_after_the_answer_lowering_takes_nothing_away(cast: Cast) -> None:
    number = cast.open().number
    take_case(cast.engineer, LATER, number)
    answer_case(cast.engineer, LATER, number, "It is the proxy.", "analysis")
    assert change_severity(cast.engineer, LATER, number, 3, "The proxy was it.") == "changed"
    assert row(cast, number).clock_state == "met"


def test_lowering_and_raising_again_gives_nothing_back(cast: Cast) -> None:
    number = cast.open().number
    change_severity(cast.duty_manager, at("2026-11-23 12:00"), number, 3, "A workaround.")
    change_severity(cast.engineer, at("2026-11-23 13:00"), number, 1, "It broke.")
    assert row(cast, number).due_at == at("2026-11-23 15:00")


def test_a_breach_stays_whatever_the_severity_becomes(cast: Cast) -> None:
    """RC-10."""
    number = cast.open().number
    change_severity(cast.duty_manager, at("2026-11-23 16:00"), number, 4, "No longer urgent.")
    found = reading(cast, number, at("2026-11-23 17:00"))
    assert (found.state, found.breached_at, found.due_at) == ("breached", at("2026-11-23 14:00"), None)


def test_a_dispute_is_settled_with_a_reason_or_by_a_change(cast: Cast) -> None:
    number = cast.open(severity=3).number
    dispute_severity(cast.plus, LATER, number, 1, "Nobody can work.")
    with pytest.raises(Refused, match="disputed already"):
        dispute_severity(cast.plus_second, LATER, number, 2, "Really.")
    settle_dispute(cast.engineer, LATER, number, "One machine of 400 is concerned.")
    assert "One machine of 400 is concerned." in mails_to(EMAILS["plus"])[-1]
    dispute_severity(cast.plus, LATER, number, 1, "All 400 by now.")
    change_severity(cast.engineer, LATER, number, 1, "All 400 by now.")
    with pytest.raises(Refused, match="not disputed"):
        settle_dispute(cast.engineer, LATER, number, "Done.")


def test_who_may_what(cast: Cast) -> None:
    number = cast.open().number
    with pytest.raises(Forbidden):
        change_severity(cast.plus, LATER, number, 2, "Mine.")
    with pytest.raises(Forbidden):
        dispute_severity(cast.engineer, LATER, number, 2, "Ours.")
    with pytest.raises(Forbidden):
        answer_proposal(cast.engineer, LATER, number, True)
    acts = case_acts(cast.plus, row(cast, number), [])
    assert not acts["change_severity"].is_open
    assert acts["dispute"].is_open


@pytest.mark.parametrize(
    ("to", "reason", "field"), [(0, "x", "severity"), (5, "x", "severity"), (True, "x", "severity"), (2, " ", "reason")]
)
def test_what_is_no_severity_or_has_no_reason_is_refused_at_its_field(
    cast: Cast, to: int, reason: str, field: str
) -> None:
    number = cast.open().number
    with pytest.raises(Invalid) as refused:
        change_severity(cast.engineer, LATER, number, to, reason)
    assert list(refused.value.fields) == [field]


def test_the_same_severity_and_a_closed_case_are_refused(cast: Cast) -> None:
    number = cast.open().number
    with pytest.raises(Refused, match="has this severity already"):
        change_severity(cast.engineer, LATER, number, 1, "Same.")
    close_case(cast.plus, LATER, number, "withdrawn", "Never mind.")
    with pytest.raises(Refused, match="closed"):
        change_severity(cast.engineer, LATER, number, 2, "Later.")


def test_a_raise_out_of_hours_says_at_once_that_it_must_be_phoned_in(cast: Cast) -> None:
    number = cast.open(severity=3).number
    night = at("2026-11-23 21:30")
    change_severity(cast.engineer, night, number, 1, "It got worse.")
    mail = mails_to(EMAILS["plus"])[-1]
    page = case_page(cast.plus, night, number)
    assert page.promise.call.is_awaited
    assert spoken_code(page.promise.call.code) in mail
    assert page.promise.call.opens_at == at("2026-11-24 09:00")


def test_every_line_of_the_story_is_told_to_both_sides(cast: Cast) -> None:
    number = cast.open().number
    change_severity(cast.engineer, LATER, number, 3, "A workaround holds.")
    answer_proposal(cast.plus, LATER, number, False, "No.")
    dispute_severity(cast.plus, LATER, number, 2, "Rather.")
    settle_dispute(cast.engineer, LATER, number, "It stays.")
    for reader in (cast.plus, cast.engineer):
        titles = [entry.title for entry in case_page(reader, LATER, number).timeline]
        assert not {"severity_proposed", "severity_declined", "severity_disputed", "dispute_settled"} & set(titles)


@pytest.mark.django_db(transaction=True)
def test_two_engineers_who_raise_at_once_leave_one_change(cast: Cast) -> None:
    number = cast.open(severity=3).number
    other = replace(cast.engineer, name="Another")
    acts: list[Any] = [
        lambda who=who: change_severity(who, LATER, number, 1, "Worse.") for who in (cast.engineer, other)
    ]
    answers = at_once(acts)
    assert [type(error) for error in raised(answers)] == [Refused]
    assert types(cast, number).count("severity_changed") == 1


def test_a_repetition_with_the_same_key_changes_nothing_more(cast: Cast) -> None:
    number = cast.open(severity=3).number
    for _ in range(2):
        change_severity(cast.engineer, LATER + timedelta(0), number, 1, "Worse.", idempotency_key="k1")
    assert types(cast, number).count("severity_changed") == 1


def told(part: Any) -> set[tuple[str, str]]:
    """What stands unread on somebody's page of alerts: number and words."""
    return {(row.number, what) for row in alerts_page(part, LATER).rows for what in row.whats}


def test_a_dispute_is_told_to_who_has_the_case_until_it_is_settled(cast: Cast) -> None:
    number = cast.open(severity=3).number
    take_case(cast.engineer, LATER, number)
    dispute_severity(cast.plus, LATER, number, 1, "The whole yard waits.")
    assert told(cast.engineer) == {(number, "The customer disputes the severity")}
    assert told(cast.releaser) == set()
    settle_dispute(cast.engineer, LATER, number, "One machine of forty.")
    assert told(cast.engineer) == set()


def test_a_dispute_of_a_case_that_nobody_has_is_told_to_its_group(cast: Cast) -> None:
    number = cast.open(severity=3).number
    dispute_severity(cast.plus, LATER, number, 1, "The whole yard waits.")
    assert told(cast.engineer) == told(cast.analyst) == {(number, "The customer disputes the severity")}
    change_severity(cast.engineer, LATER, number, 1, "Agreed.")
    assert told(cast.analyst) == set()


def test_a_declined_proposal_is_told_to_who_has_the_case_and_can_be_acknowledged(cast: Cast) -> None:
    number = cast.open().number
    take_case(cast.engineer, LATER, number)
    change_severity(cast.engineer, LATER, number, 3, "A workaround holds.")
    answer_proposal(cast.plus, LATER, number, agrees=False, reason="It does not hold.")
    assert told(cast.engineer) == {(number, "The customer declined the proposed severity")}
    assert acknowledge_alarm(cast.engineer, LATER, number)
    assert told(cast.engineer) == set()


def test_closing_a_case_lets_its_dispute_be_read(cast: Cast) -> None:
    number = cast.open(severity=3).number
    take_case(cast.engineer, LATER, number)
    dispute_severity(cast.plus, LATER, number, 1, "The whole yard waits.")
    close_case(cast.plus, LATER, number, "withdrawn", "Solved by ourselves.")
    assert told(cast.engineer) == set()
