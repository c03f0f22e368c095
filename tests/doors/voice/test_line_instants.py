"""When things are done and said: at the instant they were wanted, to their end, and no more often than needed."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.support.line_stage import Caller, Pool, Stage, engineer, spoken, stage
from tests.support.playbook import Player

from guardia.doors.voice import questions
from guardia.doors.voice.dialogue import caller_dialogue
from guardia.doors.voice.script import Connected, Event, Key, NobodyThere, Number, Played, Queued
from guardia.features.contracts.rules.entitlement import PREMIUM_TIER
from guardia.kernel import clock

__all__ = ["stage"]
NUMBER = "12345678"
CASE = spoken(NUMBER)
BY_CODE = questions.Caller(uuid4(), "Norte", None, "", PREMIUM_TIER, "in_force", may_phone=True, case=NUMBER)
DESK: dict[type[Any], Any] = {
    questions.IdentifyByCode: questions.Identified(BY_CODE),
    questions.FindCase: CASE,
    questions.ConfirmCase: questions.CaseConfirmed(CASE, is_first=True, opens_clock=True),
    questions.LeaveMessage: questions.MessageKept(NUMBER),
}
BEGAN = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)


@pytest.fixture
def line(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A line whose callers give the code of one case, and whose wall clock is the stage's."""
    stage.records.answers = dict(DESK)
    monkeypatch.setattr(clock, "now", lambda: now(stage))
    return stage


def busy_engineer(line: Stage) -> None:
    """Let the only engineer talk with somebody who does not count."""
    line.records.duty = [engineer("Marta")]
    by_code(line).press("0")
    leg = line.until_it_rings()
    leg.pick_up()
    line.run(4.0)
    line.engineer_presses(leg, "1")
    line.run(3.0)


def confirm(caller: Caller) -> float:
    """Confirm, and return how much was cut before: the menu that the key interrupts."""
    caller.channel.hush()
    cut_s = caller.channel.cut_s
    caller.press("1", pause_s=0.0)
    return cut_s


def now(line: Stage) -> datetime:
    return BEGAN + timedelta(seconds=line.control.now)


def by_code(line: Stage) -> Caller:
    """Return a caller who may confirm the case by a key."""
    caller = line.call()
    caller.press("12" + NUMBER + "123456")
    line.run(1.0)
    return caller


# ---- instants ----


def test_a_question_that_waited_for_a_thread_is_done_at_the_instant_it_was_asked(line: Stage) -> None:
    caller = by_code(line)
    line.line.askers = pool = Pool()
    asked_at = now(line)
    caller.press("1", pause_s=4.0)
    pool.go()
    assert isinstance(line.records.asked[-1], questions.ConfirmCase)
    assert line.records.asked_at[-1] == asked_at


def test_a_question_that_nobody_waits_for_any_more_is_not_begun_for_the_journal_has_it(line: Stage) -> None:
    caller = by_code(line)
    line.line.askers = pool = Pool()
    caller.press("1")
    line.run(60.0)
    assert "later" in caller.whats()
    before = len(line.records.asked)
    pool.go()
    line.run(1.0)
    assert line.records.asked[before:] == []


def test_who_took_a_call_took_it_when_they_took_it_however_late_our_records_hear_of_it(line: Stage) -> None:
    marta = engineer("Marta")
    line.records.duty = [marta]
    caller = by_code(line)
    caller.press("0")
    leg = line.until_it_rings()
    leg.pick_up()
    line.run(4.0)
    line.records.is_away = True
    line.engineer_presses(leg, "1")
    line.run(3.0)
    assert caller.call.bridged
    taken_by = now(line)
    line.run(900.0)
    line.records.is_away = False
    line.run(10.0)
    assert line.records.accepted == [(marta.person_id, NUMBER)]
    assert taken_by - timedelta(seconds=4) <= line.records.accepted_at[0] <= taken_by


# ---- what is heard of the queue ----


def test_a_place_is_said_after_what_is_said_first_and_only_the_latest() -> None:
    player = Player(caller_dialogue(), DESK)
    for key in f"12{NUMBER}1234561":
        player.send(Key(key))
    assert player.play.heard[-1] == "connect.now"
    before = len(player.play.says)
    player.send(Queued(3))
    player.send(Queued(2))
    assert player.play.says[before:] == []
    assert [note["detail"] for note in player.play.notes("step")][-1] == "2", "the board knows at once"
    player.send(Played())
    place, music = player.play.says[before:]
    assert Number(2) in place.pieces
    assert music.is_looped
    player.send(Queued(1))
    assert Number(1) in player.play.says[-2].pieces


@pytest.mark.parametrize("then", [Connected("Marta"), NobodyThere()])
def test_what_ends_the_waiting_while_something_is_said_first_tells_no_place(then: Event) -> None:
    player = Player(caller_dialogue(), DESK)
    for key in f"12{NUMBER}1234561":
        player.send(Key(key))
    player.send(Queued(1))
    player.send(then)
    assert "queue.place" not in player.play.heard


def test_a_confirmation_is_heard_out_however_the_queue_moves_while_it_is_said(line: Stage) -> None:
    busy_engineer(line)
    first = by_code(line)
    first.press("0")
    caller = by_code(line)
    cut_s = confirm(caller)
    line.run(0.3)
    first.hang_up()  # the queue moves
    line.run(0.3)
    assert "confirm.opened" in line.voice.prompts()
    line.run(30.0)
    assert line.voice.prompts()[-3:] == ["queue.place", "queue.star", "tone.waiting"]
    assert caller.channel.cut_s == cut_s


def test_a_confirmation_is_heard_out_where_nobody_can_be_rung(line: Stage) -> None:
    line.records.duty = [engineer("Marta", "not-an-address")]
    caller = by_code(line)
    cut_s = confirm(caller)
    line.run(10.0)
    assert "queue.nobody" in line.voice.prompts()
    assert caller.channel.cut_s == cut_s


def test_each_hang_up_in_the_queue_costs_those_behind_no_note_in_their_journals(line: Stage) -> None:
    busy_engineer(line)
    callers = []
    for _ in range(20):
        callers.append(by_code(line))
        callers[-1].press("0")
    for caller in callers[:-1]:
        caller.hang_up()
        line.run(1.0)
    last = callers[-1]
    assert [entry["place"] for entry in last.picture().log if entry["what"] == "queued"] == [20]
    assert last.picture().step_detail == "1"
    assert [note.what for note in line.journals.read(last.call.id).notes].count("queued") == 1
    assert Number(1) in [piece for _, pieces, _ in line.voice.said for piece in pieces]
