"""Alarms while phones ring for callers, engineers talk, records hang and the process stops: none is lost or misread."""

from typing import Any
from uuid import uuid4

import pytest
from tests.support.line_stage import Caller, Pool, Stage, engineer, page_of, spoken, stage

from guardia.doors.voice import questions
from guardia.doors.voice.engineers import Phone
from guardia.doors.voice.one_at_a_time import HANGS_S
from guardia.doors.voice.switchboard import Order, Place, Ring
from guardia.features.contracts.rules.entitlement import PREMIUM_TIER
from guardia.journeys.page_by_phone import PageToMake

__all__ = ["stage"]
CASE, OTHER = "12345678", "87654321"
KNOWN = questions.Caller(uuid4(), "Norte", uuid4(), "Lucía", PREMIUM_TIER, "in_force", may_phone=True)


@pytest.fixture
def line(stage: Stage) -> Stage:
    """A line that knows one caller with a PIN, and one case."""
    stage.records.answers = {
        questions.IdentifyByPin: questions.Identified(KNOWN),
        questions.ListCases: questions.CasesFound([]),
        questions.FindCase: spoken(CASE),
        questions.LeaveMessage: questions.MessageKept(""),
        questions.ConfirmCase: questions.CaseConfirmed(spoken(CASE), is_first=True, opens_clock=True),
    }
    return stage


def stranger(line: Stage) -> Caller:
    """Let somebody unknown wait for a person."""
    caller = line.call()
    caller.press("2")
    caller.press("0")
    return caller


def identified(line: Stage) -> Caller:
    caller = line.call()
    caller.press("2")
    caller.press("1")
    caller.press("123#")
    caller.press("123456")
    line.run(1.0)
    return caller


def typed_a_case(line: Stage) -> Caller:
    """Let a known caller type the number of a case, and hear of it."""
    caller = identified(line)
    caller.press("1")
    line.run(8.0)
    caller.press(CASE)
    line.run(1.0)
    assert caller.call.case == CASE
    return caller


def confirmed(line: Stage) -> Caller:
    """Let a known caller confirm a case, and wait."""
    caller = typed_a_case(line)
    caller.press("1")
    line.run(1.0)
    return caller


def claim_until_made(line: Stage, page: PageToMake) -> None:
    """Let a page be due for as long as it is not made, as it is in our records while it is only released."""
    line.records.claim = lambda limit: [] if line.line.pages else [page][:limit]  # type: ignore[method-assign]


# ---- phones that ring, engineers who talk ----


def test_strangers_who_let_every_phone_ring_starve_no_alarm(line: Stage) -> None:
    duty = [engineer(name, f"sip:{name}@127.0.0.1:5070") for name in ("a", "b", "c")]
    line.records.duty = duty
    for _ in range(30):
        stranger(line)
    claim_until_made(line, page_of(duty[0], CASE))
    line.run(4.0)
    (made,) = line.line.pages.values()
    (leg,) = [leg for leg in line.ringing() if leg.listener is made.talk]
    assert len([one for one in line.ringing() if one.target == leg.target]) == 1, "one phone rings once"
    assert line.records.released == []
    assert line.line.board.count() == 30, "nobody lost their turn by it"


def test_a_stranger_whose_phone_an_alarm_took_is_put_through_when_it_is_over(line: Stage) -> None:
    marta = engineer("Marta")
    line.records.duty = [marta]
    caller = stranger(line)
    line.run(1.0)
    (first,) = line.ringing()
    line.records.pages = [page_of(marta, CASE)]
    line.run(3.0)
    assert first.hung_up_by_line
    assert caller.picture().step == "waiting"
    (alarm,) = line.ringing()
    alarm.pick_up()
    line.run(8.0)
    line.engineer_presses(alarm, "1")
    line.run(5.0)
    (again,) = line.ringing()
    again.pick_up()
    line.run(5.0)
    line.engineer_presses(again, "1")
    line.run(5.0)
    assert caller.call.bridged
    assert [outcome for _, _, outcome in line.records.ended] == ["acknowledged"]


def test_a_known_caller_with_a_matter_as_grave_keeps_the_phone_and_the_alarm_waits_for_it(line: Stage) -> None:
    marta = engineer("Marta")
    line.records.duty = [marta]
    confirmed(line)
    (leg,) = line.ringing()
    page = page_of(marta, OTHER)
    line.records.pages = [page]
    line.run(3.0)
    assert not leg.is_over
    assert line.records.released == [page.page_id]
    assert line.records.ended == []


@pytest.mark.parametrize("does", ["picks_up", "talks"])
def test_an_alarm_of_an_engineer_who_talks_is_reported_as_busy_so_that_the_next_is_called(
    line: Stage, does: str
) -> None:
    marta, tomas = engineer("Marta"), engineer("Tomás", "sip:two@127.0.0.1:5070")
    line.records.duty = [marta, tomas]
    stranger(line)
    line.run(1.0)
    (leg,) = line.ringing()
    leg.pick_up()
    line.run(1.0)
    if does == "talks":
        line.engineer_presses(leg, "1")
        line.run(5.0)
    page = page_of(marta, CASE)
    line.records.pages = [page]
    line.run(3.0)
    assert line.records.ended == [(page.page_id, marta.person_id, "busy")]
    assert line.records.released == []
    line.records.pages = [page_of(tomas, CASE)]
    line.run(3.0)
    assert [one.target for one in line.ringing()] == [marta.phone, tomas.phone]


def test_an_alarm_whose_engineer_is_rung_for_another_alarm_waits_for_no_longer_than_it_rings(line: Stage) -> None:
    marta = engineer("Marta")
    first, second = page_of(marta, CASE), page_of(marta, OTHER)
    line.records.pages = [first, second]
    line.run(3.0)
    assert line.records.released == [second.page_id]
    assert line.records.ended == []
    line.run(25.0)
    line.records.pages = [second]
    line.run(3.0)
    assert line.records.ended == [(first.page_id, marta.person_id, "no_answer")]
    assert set(line.line.pages) == {second.page_id}


# ---- what a call is about ----


def test_a_call_about_something_else_acknowledges_no_alarm_of_a_case_that_was_typed_before(line: Stage) -> None:
    marta, jon = engineer("Marta"), engineer("Jon", "sip:two@127.0.0.1:5070")
    line.records.duty = [marta]
    caller = typed_a_case(line)
    caller.press("*")
    line.run(1.0)
    caller.press("0")
    line.run(1.0)
    (leg,) = line.ringing()
    leg.pick_up()
    line.run(3.0)
    assert "offer.no_case" in line.voice.prompts()
    line.engineer_presses(leg, "1")
    line.run(5.0)
    assert line.records.accepted == [(marta.person_id, "")]
    page = page_of(jon, CASE)
    line.records.pages = [page]
    line.run(3.0)
    assert set(line.line.pages) == {page.page_id}, "nobody speaks about that case"
    assert line.records.released == []


def test_while_a_caller_talks_about_a_case_no_alarm_of_it_is_made_and_afterwards_it_is(line: Stage) -> None:
    marta, jon = engineer("Marta"), engineer("Jon", "sip:two@127.0.0.1:5070")
    line.records.duty = [marta]
    caller = confirmed(line)
    leg = line.until_it_rings()
    leg.pick_up()
    line.run(5.0)
    line.engineer_presses(leg, "1")
    line.run(40.0)
    assert caller.call.bridged
    line.records.pages = [page_of(jon, CASE)]
    line.run(3.0)
    assert len(line.records.released) == 1
    caller.hang_up()
    line.records.pages = [page_of(jon, CASE)]
    line.run(3.0)
    assert len(line.line.pages) == 1


# ---- records that hang ----


def test_a_question_that_hangs_switches_alarms_and_the_roster_off_for_no_longer_than_a_minute(line: Stage) -> None:
    direct = line.line.askers
    line.line.askers = Pool()
    stranger(line)
    line.run(10.0)
    line.line.askers = direct
    marta = engineer("Marta")
    line.records.duty, line.records.pages = [marta], [page_of(marta, CASE)]
    line.run(30.0)
    assert line.line.counts.pages == 0, "what hangs is not asked again at once"
    line.run(HANGS_S)
    assert line.line.counts.pages == 1
    stranger(line)
    line.run(1.0)
    assert len(line.ringing()) == 1, "the roster is asked again, too"


def test_pages_that_are_asked_after_fill_no_threads_while_the_question_hangs(line: Stage) -> None:
    line.records.pages = [page_of(engineer("Marta"), CASE)]
    line.run(3.0)
    assert len(line.line.pages) == 1
    line.line.askers = hanging = Pool()
    line.run(18.0)
    assert len(hanging.waiting) == 2, "one whether pages are over, one for new ones"


def test_pages_that_come_after_a_minute_are_given_back_for_they_may_be_anothers(line: Stage) -> None:
    direct = line.line.askers
    line.line.askers = hanging = Pool()
    line.run(3.0)
    line.line.askers = direct
    page = page_of(engineer("Marta"), CASE)
    line.run(HANGS_S)
    line.records.pages = [page]
    hanging.go()
    line.run(0.1)
    assert line.line.pages == {}
    assert line.records.released == [page.page_id]


# ---- the end of the process ----


@pytest.mark.parametrize("has_picked_up", [False, True])
def test_a_stop_in_mid_ring_passes_no_engineer_by(line: Stage, *, has_picked_up: bool) -> None:
    page = page_of(engineer("Marta"), CASE)
    line.records.pages = [page]
    line.run(3.0)
    (leg,) = line.ringing()
    if has_picked_up:
        leg.pick_up()
        line.run(1.0)
    line.line.is_stopping = True
    leg.hang_up()  # what the control does to each leg
    line.run(1.0)
    assert line.records.ended == []
    assert line.records.released == [page.page_id]


def test_an_alarm_that_was_acknowledged_stays_so_when_the_process_stops_in_the_thanks(line: Stage) -> None:
    page = page_of(engineer("Marta"), CASE)
    line.records.pages = [page]
    line.run(3.0)
    (leg,) = line.ringing()
    leg.pick_up()
    line.run(8.0)
    listener: Any = leg.listener
    listener.key("1")
    line.line.is_stopping = True
    leg.hang_up()
    line.run(1.0)
    assert [outcome for _, _, outcome in line.records.ended] == ["acknowledged"]
    assert line.records.released == []


def test_a_line_that_stops_makes_no_more_pages(line: Stage) -> None:
    line.line.is_stopping = True
    line.records.pages = [page_of(engineer("Marta"), CASE)]
    line.run(5.0)
    assert line.control.dialled == []
    assert len(line.records.pages) == 1


def test_a_line_that_stops_in_mid_ring_rings_nobody_else_for_a_caller(line: Stage) -> None:
    line.records.duty = [engineer("Marta"), engineer("Tomás", "sip:two@127.0.0.1:5070")]
    stranger(line)
    line.run(1.0)
    (leg,) = line.ringing()
    line.line.is_stopping = True
    leg.hang_up()
    line.run(1.0)
    assert line.control.dialled == [leg]


def test_a_caller_whose_dialogue_fails_takes_nobody_elses_turn(line: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    line.records.duty = [engineer("c", "sip:c@127.0.0.1:5070")]
    first, second = stranger(line), stranger(line)
    line.run(8.0)

    def fails(_place: int) -> None:
        monkeypatch.undo()
        first.call.drop("failed")
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(first.call, "queued", fails)
    duty = [engineer(name, f"sip:{name}@127.0.0.1:5070") for name in ("a", "b")]
    one, two = duty
    orders: list[Order] = [
        Place(first.call.id, 1),
        Ring(first.call.id, one.person_id),
        Ring(second.call.id, two.person_id),
    ]
    line.line.phones |= {each.person_id: Phone(each.person_id, each.name, each.phone, "en") for each in duty}
    line.line._obey(orders)
    line.run(2.0)
    assert first.leg.is_over
    assert two.phone in [leg.target for leg in line.ringing()]
    assert one.phone not in [leg.target for leg in line.ringing()]
    assert line.line.counts.failures == 1
