"""Callers and engineers who leave at the worst instant: nobody waits for ever, and nobody's phone is forgotten."""

import errno
from concurrent.futures import Executor, Future
from typing import Any
from uuid import uuid4

import pytest
from tests.support.line_stage import MEDIA, Caller, FakeLeg, Stage, engineer, page_of, spoken, stage

from guardia.doors.voice import questions
from guardia.doors.voice.control import Arrival, Ended
from guardia.doors.voice.one_at_a_time import HANGS_S
from guardia.features.contracts.rules.entitlement import PREMIUM_TIER

__all__ = ["stage"]
NUMBER = "12345678"


@pytest.fixture
def known(stage: Stage) -> Stage:
    """A line whose callers give the code of one case."""
    caller = questions.Caller(uuid4(), "Norte", None, "", PREMIUM_TIER, "in_force", may_phone=True, case=NUMBER)
    stage.records.answers = {
        questions.IdentifyByCode: questions.Identified(caller),
        questions.FindCase: spoken(NUMBER),
        questions.LeaveMessage: questions.MessageKept(NUMBER),
    }
    return stage


def waiting(line: Stage) -> Caller:
    """Let a caller of the case wait for a person."""
    caller = line.call()
    caller.press("12" + NUMBER + "123456")
    line.run(1.0)
    caller.press("0")
    line.run(0.5)
    return caller


def take(line: Stage, leg: FakeLeg) -> None:
    """Pick up and press 1."""
    leg.pick_up()
    line.run(1.0)
    line.engineer_presses(leg, "1")
    line.run(5.0)


def test_an_engineer_whose_caller_hung_up_first_is_rung_for_the_next_one(known: Stage) -> None:
    known.records.duty = [engineer("Marta")]
    first = waiting(known)
    leg = known.until_it_rings()
    take(known, leg)
    assert first.call.bridged
    first.hang_up()
    known.run(1.0)
    assert leg.is_over
    second = waiting(known)
    take(known, known.until_it_rings())
    assert second.call.bridged


def test_an_engineer_whose_caller_hung_up_first_is_paged_afterwards(known: Stage) -> None:
    marta = engineer("Marta")
    known.records.duty = [marta]
    caller = waiting(known)
    take(known, known.until_it_rings())
    caller.hang_up()
    known.records.pages = [page_of(marta, NUMBER)]
    take(known, known.until_it_rings())
    assert [outcome for _, _, outcome in known.records.ended] == ["acknowledged"]


def test_a_caller_is_not_joined_with_an_engineer_who_acknowledged_a_page_and_left(known: Stage) -> None:
    marta, nuria = engineer("Marta"), engineer("Nuria", "sip:two@127.0.0.1:5071")
    known.records.duty, known.records.pages = [marta, nuria], [page_of(marta, NUMBER)]
    known.run(3.0)
    page = known.until_it_rings()
    page.pick_up()
    known.run(1.0)
    caller = waiting(known)
    listener: Any = page.listener
    listener.key("1")
    page.end(Ended("hung_up"))
    known.run(1.0)
    assert [outcome for _, _, outcome in known.records.ended] == ["acknowledged"]
    assert not known.line.joined
    take(known, known.until_it_rings())
    assert caller.call.bridged
    assert caller.picture().step_detail == "Nuria"


def test_a_caller_who_leaves_right_when_the_engineer_accepts_ties_up_nobody(known: Stage) -> None:
    known.records.duty = [engineer("Marta")]
    caller = waiting(known)
    leg = known.until_it_rings()
    leg.pick_up()
    known.run(1.0)
    listener: Any = leg.listener
    listener.key("1")
    caller.hang_up()
    known.run(10.0)
    assert leg.is_over
    second = waiting(known)
    take(known, known.until_it_rings())
    assert second.call.bridged


def test_an_engineer_who_presses_one_twice_takes_one_call_once(known: Stage) -> None:
    known.records.duty = [engineer("Marta")]
    caller = waiting(known)
    leg = known.until_it_rings()
    leg.pick_up()
    known.run(1.0)
    known.engineer_presses(leg, "1111")
    known.run(5.0)
    known.engineer_presses(leg, "1212" * 100)
    assert caller.call.bridged
    assert len(known.records.accepted) == 1
    assert not caller.call._events
    assert known.engine.count() == 2


def test_a_page_waits_no_longer_for_a_caller_whom_nobody_took(known: Stage) -> None:
    caller = waiting(known)
    known.run(1.0)
    assert "nobody" in caller.whats()
    assert caller.picture().waited_s == 0
    marta = engineer("Marta")
    known.records.pages = [page_of(marta, NUMBER)]
    known.until_it_rings()


@pytest.mark.parametrize("after_s", [0.0, 0.3, 1.0, 3.0, 6.0, 15.0, 25.0])
@pytest.mark.parametrize("who", ["caller", "engineer", "both"])
def test_whoever_leaves_whenever_leaves_nothing_behind(known: Stage, who: str, after_s: float) -> None:
    known.records.duty = [engineer("Marta")]
    caller = waiting(known)
    leg = known.until_it_rings()
    known.run(after_s / 2)
    if not leg.is_over:
        leg.pick_up()
    known.run(after_s / 2)
    listener: Any = leg.listener
    listener.key("1")
    if who != "engineer":
        caller.hang_up()
    if who != "caller":
        leg.end(Ended("hung_up"))
    known.run(600.0)
    caller.hang_up()
    known.run(10.0)
    line = known.line
    assert not any((line.calls, line.offers, line.pages, line.wishes, line.joined, line.board.count()))
    assert known.engine.count() == 0
    assert caller.leg.is_over
    second = waiting(known)
    take(known, known.until_it_rings())
    assert second.call.bridged


# ---- records that hang ----


class Hanging(Executor):
    """Threads that are all waiting for a database that says nothing."""

    def __init__(self) -> None:
        self.asked = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        del fn, args, kwargs
        self.asked += 1
        return Future()


def test_a_caller_is_put_through_while_our_records_hang(known: Stage) -> None:
    known.records.duty = [engineer("Marta")]
    known.run(1.0)
    waiting(known).hang_up()
    known.run(60.0)
    known.line.askers = Hanging()
    caller = known.call()
    caller.press("10")
    known.run(6.0)
    leg = known.until_it_rings()
    take(known, leg)
    assert caller.call.bridged


def test_a_caller_whom_hanging_records_give_no_roster_hears_that_nobody_is_there(known: Stage) -> None:
    known.line.askers = hanging = Hanging()
    caller = known.call()
    caller.press("10")
    known.run(10.0)
    assert "nobody" in caller.whats()
    assert "queue.nobody" in known.voice.prompts()
    caller.hang_up()
    known.run(600.0)
    assert not known.line.calls
    assert hanging.asked <= 2 + 600.0 / HANGS_S  # what hangs is asked again once a minute, not again and again
    assert not known.line._roster_waits


def test_an_acknowledgement_that_our_records_cannot_take_is_told_again(known: Stage) -> None:
    marta = engineer("Marta")
    known.records.duty, known.records.pages = [marta], [page_of(marta, NUMBER)]
    known.run(3.0)
    leg = known.until_it_rings()
    known.records.is_away = True
    take(known, leg)
    known.run(30.0)
    assert known.records.ended == []
    known.records.is_away = False
    known.run(10.0)
    assert [outcome for _, _, outcome in known.records.ended] == ["acknowledged"]


# ---- ports, and what cannot be said ----


def test_a_call_without_a_port_leaves_no_open_journal(stage: Stage) -> None:
    stage.engine.most = 0
    for _ in range(3):
        stage.line.arrived(FakeLeg("in"), Arrival("1", "line", "127.0.0.1", MEDIA))
    assert not stage.journals.held


def test_a_call_whose_words_cannot_be_made_is_ended_and_no_other(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    other = stage.call()
    render, fault = stage.voice.render, RuntimeError("the synthesiser broke")

    def broken(*_: Any) -> bytes:
        raise fault

    monkeypatch.setattr(stage.voice, "render", broken)
    caller = stage.call()
    stage.run(1.0)
    monkeypatch.setattr(stage.voice, "render", render)
    assert caller.leg.hung_up_by_line
    assert caller.picture().outcome == "failed"
    other.press("1")
    stage.run(1.0)
    assert not other.leg.is_over
    assert "identify.menu" in stage.voice.prompts()


def test_no_sound_is_sent_before_a_call_is_acknowledged(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[Any] = []
    leg = FakeLeg("in-1")
    open_channel = stage.engine.open

    def opened(listener: Any) -> Any:
        channel = open_channel(listener)
        monkeypatch.setattr(channel, "connect", connected.append)
        return channel

    monkeypatch.setattr(stage.engine, "open", opened)
    stage.line.arrived(leg, Arrival("1", "line", "127.0.0.1", MEDIA))
    stage.run(1.0)
    assert connected == []  # else whoever forges a sender has sound sent to somebody who never called
    assert leg.listener
    leg.listener.answered(MEDIA)
    assert connected == [MEDIA]


def test_a_caller_is_answered_and_put_through_while_the_disk_is_full(known: Stage) -> None:
    known.records.duty = [engineer("Marta")]
    known.journals.fault = OSError(errno.ENOSPC, "No space left on device")
    caller = waiting(known)
    assert caller.leg.is_answered
    take(known, known.until_it_rings())
    assert caller.call.bridged
    caller.hang_up()
    known.run(1.0)
    assert not known.line.calls
    assert caller.picture().ended_at is not None


def test_a_message_that_no_disk_takes_is_not_promised(known: Stage) -> None:
    known.journals.fault = OSError(errno.ENOSPC, "No space left on device")
    caller = waiting(known)
    known.run(60.0)
    assert "record.nothing" in known.voice.prompts()
    assert "message.kept_with" not in known.voice.prompts()
    assert caller.leg.is_over


def test_a_caller_who_confirms_again_and_again_puts_off_no_page(known: Stage) -> None:
    case = known.records.answers[questions.FindCase]
    known.records.answers[questions.ConfirmCase] = questions.CaseConfirmed(case, is_first=True, opens_clock=True)
    marta = engineer("Marta")
    caller = known.call()
    caller.press("12" + NUMBER + "123456")
    for _ in range(4):
        known.records.pages = [page_of(marta, NUMBER)] * 40  # more than are claimed and released until the next one
        known.line.ask(caller.call, questions.ConfirmCase(caller_of(known), NUMBER), lambda _: None)
        known.run(8.0)
    assert known.ringing()


def caller_of(line: Stage) -> questions.Caller:
    known: questions.Caller = line.records.answers[questions.IdentifyByCode].caller
    return known
