"""The line between callers, engineers, pages and our records, with time, legs and sound in the test's hands."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.support.line_stage import MEDIA, Caller, FakeLeg, Stage, engineer, page_of, stage

from guardia.doors.voice import conversation, questions
from guardia.doors.voice.control import Arrival, Ended
from guardia.features.contracts.rules.entitlement import PREMIUM_TIER

__all__ = ["stage"]
COMPANY, PERSON = uuid4(), uuid4()
NUMBER = "40718831"
KNOWN = questions.Caller(
    COMPANY, "Astilleros del Norte", PERSON, "Lucía Ferrer", PREMIUM_TIER, "in_force", may_phone=True
)
CASE = questions.CaseSpoken(
    NUMBER, 1, "submitted", True, True, False, False, False, datetime(2026, 11, 28, 8, 0, tzinfo=UTC), "Europe/Madrid"
)


@pytest.fixture
def known(stage: Stage) -> Stage:
    """A stage whose desk knows one caller and one case that waits for a call."""
    stage.records.answers = {
        questions.IdentifyByPin: questions.Identified(KNOWN),
        questions.IdentifyByCode: questions.NotIdentified(),
        questions.ListCases: questions.CasesFound([CASE]),
        questions.FindCase: CASE,
        questions.ConfirmCase: questions.CaseConfirmed(CASE, is_first=True, opens_clock=True),
        questions.OpenByVoice: questions.CaseOpened(CASE),
        questions.LeaveMessage: questions.MessageKept(NUMBER),
    }
    return stage


def identified(stage: Stage) -> Caller:
    """Return a caller who chose English and gave contract and PIN."""
    caller = stage.call()
    caller.press("2")
    caller.press("1")
    caller.press("4071#")
    caller.press("407118")
    return caller


def confirmed(stage: Stage) -> Caller:
    """Return a caller who has confirmed the case and hears about it."""
    caller = identified(stage)
    caller.press("1")
    caller.press("1")
    return caller


def test_a_call_is_answered_at_once_and_greeted(stage: Stage) -> None:
    caller = stage.call()
    assert caller.leg.is_answered
    assert "greeting.welcome" in stage.voice.prompts()


def test_a_call_without_a_free_port_is_refused_not_hung(stage: Stage) -> None:
    stage.engine.most = 0
    leg = FakeLeg("in-1")
    stage.line.arrived(leg, Arrival("1", "line", "127.0.0.1", MEDIA))
    assert leg.refused == 503


def test_a_confirmed_caller_is_connected_to_the_engineer_who_heard_the_case(known: Stage) -> None:
    marta = engineer("Marta Ibáñez")
    known.records.duty = [marta]
    caller = confirmed(known)
    leg = known.until_it_rings()
    assert caller.picture().step == "ringing"
    assert caller.picture().step_detail == "Marta Ibáñez"
    leg.pick_up()
    known.run(5.0)
    assert known.voice.texts()[-1] == "Astilleros del Norte"
    known.engineer_presses(leg, "1")
    known.run(10.0)
    assert known.records.accepted == [(marta.person_id, NUMBER)]
    assert caller.channel.peer is not None
    assert caller.picture().step == "talking"
    assert caller.picture().connected_name == "Marta Ibáñez"
    leg.end(Ended("hung_up"))
    known.run(10.0)
    assert caller.leg.is_over
    assert caller.picture().outcome == "connected"
    assert known.engine.count() == 0


def test_who_does_not_answer_is_followed_by_the_next_and_then_a_message_is_taken(known: Stage) -> None:
    known.records.duty = [engineer("Marta"), engineer("Tomás"), engineer("Elena")]
    caller = confirmed(known)
    known.until_it_rings().end(Ended("busy"))
    known.run(1.0)
    known.until_it_rings().end(Ended("no_answer"))
    known.run(1.0)
    leg = known.ringing()[0]
    leg.pick_up()
    known.engineer_presses(leg, "2")
    known.run(60.0)
    assert [what for what in caller.whats() if what in {"ringing", "busy", "no_answer", "declined", "nobody"}] == [
        "ringing",
        "busy",
        "ringing",
        "no_answer",
        "ringing",
        "declined",
        "nobody",
    ]
    assert caller.picture().step == "recording"
    caller.speak(3.0)
    caller.press("#")
    known.run(30.0)
    assert any(isinstance(asked, questions.LeaveMessage) for asked in known.records.asked)


def test_a_phone_that_is_picked_up_and_says_nothing_takes_no_caller(known: Stage) -> None:
    known.records.duty = [engineer("Marta")]
    caller = confirmed(known)
    known.until_it_rings().pick_up()
    known.run(120.0)
    assert "silent" in caller.whats()
    assert known.records.accepted == []


def test_a_caller_who_hangs_up_stops_the_phone_that_rings(known: Stage) -> None:
    known.records.duty = [engineer("Marta")]
    caller = confirmed(known)
    leg = known.until_it_rings()
    caller.hang_up()
    known.run(5.0)
    assert leg.hung_up_by_line
    assert caller.picture().outcome == "confirmed"
    assert known.engine.count() == 0


def test_a_caller_who_hangs_up_ends_the_engineers_leg_too(known: Stage) -> None:
    known.records.duty = [engineer("Marta")]
    caller = confirmed(known)
    leg = known.until_it_rings()
    leg.pick_up()
    known.engineer_presses(leg, "1")
    known.run(5.0)
    caller.hang_up()
    known.run(5.0)
    assert leg.is_over
    assert known.engine.count() == 0
    assert known.line.calls == {}


def test_while_the_confirmed_caller_may_be_connected_no_page_is_made_and_then_it_is(known: Stage) -> None:
    marta = engineer("Marta")
    known.records.duty = [marta]
    caller = confirmed(known)
    known.records.pages = [page_of(marta, NUMBER)]
    known.run(3.0)
    assert len(known.records.released) == 1
    assert known.line.counts.pages == 0
    caller.hang_up()
    known.records.pages = [page_of(marta, NUMBER)]
    known.run(5.0)
    (leg,) = known.ringing()
    leg.pick_up()
    known.run(8.0)
    known.engineer_presses(leg, "1")
    known.run(10.0)
    assert [outcome for _, _, outcome in known.records.ended] == ["acknowledged"]
    assert leg.is_over
    assert known.engine.count() == 0


def test_an_acknowledged_page_is_joined_with_a_caller_of_the_same_case_who_waits(known: Stage) -> None:
    marta = engineer("Marta")
    known.records.pages = [page_of(marta, NUMBER)]
    known.run(3.0)
    (leg,) = known.ringing()
    leg.pick_up()
    known.run(1.0)
    known.records.duty = [marta]
    caller = confirmed(known)
    known.run(8.0)
    assert caller.picture().step == "waiting"
    known.engineer_presses(leg, "1")
    known.run(10.0)
    assert caller.channel.peer is not None
    assert not leg.is_over
    caller.hang_up()
    known.run(5.0)
    assert leg.is_over
    assert known.engine.count() == 0


@pytest.mark.parametrize(
    ("how", "outcome"), [("busy", "busy"), ("no_answer", "no_answer"), ("failed", "failed"), ("refused", "declined")]
)
def test_a_page_that_is_not_taken_tells_why(known: Stage, how: Any, outcome: str) -> None:
    known.records.pages = [page_of(engineer("Marta"), NUMBER)]
    known.run(3.0)
    known.ringing()[0].end(Ended(how))
    known.run(3.0)
    assert [ended for _, _, ended in known.records.ended] == [outcome]
    (picture,) = known.artist.pictures.values()
    assert (picture.direction, picture.outcome) == ("page", outcome)


def test_a_page_that_is_over_elsewhere_rings_no_longer_but_is_heard_out_once_picked_up(known: Stage) -> None:
    marta, tomas = engineer("Marta"), engineer("Tomás")
    known.records.pages = [page_of(marta, NUMBER), page_of(tomas, "40718824")]
    rings, heard = (page.page_id for page in known.records.pages)
    known.run(3.0)
    ringing, picked_up = known.ringing()
    picked_up.pick_up()
    known.run(1.0)
    known.records.pages_over = {rings, heard}
    known.run(3.0)
    assert (ringing.is_over, picked_up.is_over) == (True, False)
    assert known.records.ended == [(rings, marta.person_id, "withdrawn")]
    assert not known.line.board.is_engaged(marta.person_id)
    known.engineer_presses(picked_up, "1")
    known.run(10.0)
    assert known.records.ended[1:] == [(heard, tomas.person_id, "acknowledged")]
    assert known.engine.count() == 0


def test_a_phone_that_cannot_be_called_fails_and_the_next_is_tried(known: Stage) -> None:
    known.records.duty = [engineer("Marta", phone="not a phone"), engineer("Tomás")]
    caller = confirmed(known)
    known.until_it_rings()
    assert "failed" in caller.whats()
    assert len(known.ringing()) == 1


def test_a_description_is_recorded_after_the_notice_and_opens_the_case(known: Stage) -> None:
    caller = identified(known)
    caller.press("2")
    caller.press("1")
    known.run(30.0)
    assert "record.notice" in known.voice.prompts()
    caller.speak(4.0)
    caller.press("#")
    known.run(5.0)
    (asked,) = [asked for asked in known.records.asked if isinstance(asked, questions.OpenByVoice)]
    assert (asked.severity, asked.recording) == (1, 1)
    caller.hang_up()
    known.run(1.0)
    record = known.journals.read(caller.call.id)
    assert record.sounds[0].voiced_s == pytest.approx(4.0)
    assert record.ended_at is not None


def test_no_key_cuts_the_recording_notice_short(known: Stage) -> None:
    caller = identified(known)
    caller.press("2")
    caller.press("1")
    caller.press("55")
    assert caller.channel.sink is None
    known.run(30.0)
    assert caller.channel.sink is not None


def test_what_was_said_before_hanging_up_in_mid_recording_is_kept_for_later(known: Stage) -> None:
    caller = identified(known)
    caller.press("2")
    caller.press("2")
    known.run(30.0)
    caller.speak(5.0)
    caller.hang_up()
    known.run(5.0)
    record = known.journals.read(caller.call.id)
    assert record.sounds[0].seconds == pytest.approx(5.0)
    assert [note.what for note in record.notes if note.what in {"later", "consumed"}] or not record.sounds


def test_silence_ends_a_recording(known: Stage) -> None:
    caller = identified(known)
    caller.press("5")
    known.run(30.0)
    caller.speak(2.0)
    for _ in range(20):
        caller.channel.hear(0.5, 0.0)
        known.run(0.5)
    assert "recorded" in caller.whats()


def test_without_records_the_pin_waits_in_the_journal_and_nowhere_else(known: Stage) -> None:
    known.records.is_away = True
    caller = identified(known)
    known.run(20.0)
    caller.press("1")
    known.run(40.0)
    caller.speak(4.0)
    caller.press("#")
    known.run(60.0)
    record = known.journals.read(caller.call.id)
    later = {note.what: note.data for note in record.notes if note.what in {"identify_later", "later"}}
    assert later["identify_later"] == {"contract": "4071", "pin": "407118"}
    assert later["later"]["do"] == "open"
    assert later["later"]["severity"] == 1
    assert "407118" not in str(caller.picture())
    assert caller.picture().outcome == "away"


def test_an_answer_that_comes_too_late_is_not_told_twice(known: Stage) -> None:
    told: list[Any] = []

    def never(call: Any, question: Any, then: Any) -> None:
        told.append(then)

    known.line.ask = never  # type: ignore[assignment,method-assign]
    caller = identified(known)
    known.run(10.0)
    before = len(known.voice.said)
    told[0](questions.Identified(KNOWN))
    known.run(0.1)
    assert len(known.voice.said) == before
    assert caller.picture().person_id is None


@pytest.mark.parametrize("sends", [True, False])
def test_whoever_holds_may_be_silent_for_long(known: Stage, sends: bool) -> None:  # noqa: FBT001
    caller = known.call()
    assert caller.leg.listener
    caller.leg.listener.media_changed(replace(MEDIA, sends=sends, hears=False))
    caller.channel.listener.silent(200.0)
    known.run(2.0)
    assert not caller.leg.is_over
    caller.leg.listener.media_changed(MEDIA)
    caller.channel.listener.silent(95.0)
    known.run(2.0)
    assert caller.leg.is_over


def test_a_far_end_without_sound_ends_no_call_before_its_time(known: Stage) -> None:
    caller = known.call()
    caller.channel.listener.silent(60.0)
    assert not caller.leg.is_over
    caller.channel.listener.silent(95.0)
    known.run(2.0)
    assert caller.leg.is_over
    assert known.engine.count() == 0


def test_a_phone_that_sends_each_key_both_ways_is_heard_once(known: Stage) -> None:
    caller = known.call()
    listener: Any = caller.leg.listener
    for key in "2" + "1" + "4071#" + "407118":
        listener.key_by_info(key)
        caller.press(key)
    (asked,) = [asked for asked in known.records.asked if isinstance(asked, questions.IdentifyByPin)]
    assert (asked.contract, asked.pin) == ("4071", "407118")


def test_a_caller_who_walks_through_menus_for_ever_is_let_go(known: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = identified(known)
    monkeypatch.setattr(conversation, "LONGEST_S", -1.0)
    known.run(3.0)
    assert caller.leg.is_over
    assert "too_long" in caller.whats()
    assert caller.picture().ended_at is not None
    assert known.engine.count() == 0


def test_many_callers_leave_nothing_behind(known: Stage) -> None:
    known.records.duty = [engineer("Marta")]
    for turn in range(60):
        caller = confirmed(known)
        if turn % 3:
            known.run(40.0)
        caller.hang_up()
        known.run(30.0)
    assert known.engine.count() == 0
    assert (known.line.calls, known.line.wishes, known.line.offers, known.line.joined) == ({}, {}, {}, {})
    assert known.journals.held == set()


def test_a_full_disk_ends_no_call(known: Stage) -> None:
    known.records.duty = [engineer("Marta")]
    caller = identified(known)
    journal: Any = caller.call.journal
    journal.fault = OSError(28, "No space left on device")
    caller.press("1")
    caller.press("1")
    known.run(10.0)
    assert caller.picture().case == NUMBER
    assert not caller.leg.is_over
    assert isinstance(caller.call.id, UUID)
