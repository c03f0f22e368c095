"""The line as people meet it: real calls into a real line on the test's database, heard by what was said.

Callers and engineers are the product's own phones or Debian's baresip; each acts when the line has come so far, so that
a slow machine only makes them slower. What was said is recognised by its sound.
"""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.cast import make_cast
from tests.support.database import PROJECT
from tests.support.hearing import babble, best_match, same_audio, voiced_s
from tests.support.line_alone import NOWHERE
from tests.support.line_baresip import Baresip
from tests.support.line_world import World, give_phone, line_world
from tests.support.processes import wait_until

from guardia.doors.voice.phone_loop import Outcome
from guardia.features.calls.models import Call, Recording
from guardia.features.cases.models import Case, CaseEvent
from guardia.features.sla.models import PhonePage
from guardia.journeys.answer_case import answer_case
from guardia.journeys.confirm_call import case_code
from guardia.journeys.fire_clocks import ensure_default_policy, tick
from guardia.journeys.phone_pins import remove_pin
from guardia.kernel import clock
from guardia.kernel.sound import wav_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
BACK_WITHIN_S = 5.0


@pytest.fixture
def world(transactional_db: None, keys: None, tmp_path: Path) -> Iterator[World]:
    """The line, with the office closed."""
    cast = make_cast(clock.now())
    ensure_default_policy(clock.now())
    with line_world(cast, tmp_path) as made:
        yield made


def case_of(number: str) -> Case:
    return Case.objects.across_companies("the test's case").get(number=number)


def case_of_call(call: Call) -> Case:
    assert call.case_id is not None
    return Case.objects.across_companies("the test's case").get(id=call.case_id)


def events(number: str) -> list[str]:
    rows = CaseEvent.objects.across_companies("the test's case").filter(case__number=number).order_by("seq")
    return [row.type for row in rows]


def critical_case(world: World) -> tuple[str, str]:
    """Let the Plus contact send a critical case; return its number and code."""
    opened = world.cast.open("plus", severity=1)
    case = case_of(opened.number)
    assert case.called_at is None
    return opened.number, case_code(case)


def keep_to_listen_to(language: str, outcome: Outcome) -> None:
    """Keep what a caller heard where a person finds it: `build/artefacts/`, which no commit has."""
    folder = PROJECT / "build" / "artefacts"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"call-{language}.wav").write_bytes(wav_of(outcome.heard))


def assert_heard(said: bytes, leg: bytes) -> None:
    """Demand that the last seconds of a leg are what the other side said, byte for byte but for a few."""
    piece = leg[-24_000:-4_000]
    began_s, likeness = best_match(said * 2, piece)
    assert likeness > 0.95
    same = same_audio(piece, (said * 2)[max(0, round(began_s * 8000) - 800) :][: len(piece) + 1600])
    print(f"bridged: {same}")  # noqa: T201  figures for the reader
    assert same.identical > 0.9


def test_a_critical_case_of_the_night_is_phoned_in_connected_answered_and_met(world: World) -> None:
    number, code = critical_case(world)
    question, answer = babble(3, 20.0), babble(7, 20.0)
    with world.engineer("engineer", talk=answer) as marta, world.calling(talk=question) as lucia:
        lucia.press("2", "2", number, code, "1")
        marta.until("answered")
        time.sleep(9.0)  # she hears the case out
        marta.press("1")
        world.until_step("talking")
        time.sleep(5.0)
        lucia.hang_up()
        caller, engineer = lucia.outcome(), marta.outcome()
    keep_to_listen_to("en", caller)
    assert world.says(caller, "confirm.opened")
    assert world.says(engineer, "offer.waits")
    assert world.hears_number(engineer, number)
    assert_heard(question, engineer.heard)
    assert_heard(answer, caller.heard)
    wait_until("the engineer has the case", lambda: case_of(number).holder_id is not None)
    case = case_of(number)
    assert case.holder_id == world.cast.people["engineer"].id
    assert case.called_at is not None
    assert case.due_at is not None
    assert case.due_at - case.called_at <= timedelta(hours=4)
    answer_case(world.cast.engineer, clock.now(), number, "The server is clean again: what happened.", "analysis")
    assert case_of(number).clock_state == "met"
    (call,) = world.handed_in()
    assert (call.outcome, call.known_by, call.connected_name) == ("connected", "code", "Marta Ibáñez")
    assert {"phone_confirmed", "call_taken"} <= set(events(number))


def test_a_case_is_heard_in_spanish_and_nothing_but_the_own_one(world: World) -> None:
    opened = world.cast.open("plus", severity=2)
    other = world.cast.open("standard", severity=2)
    with world.calling() as lucia:
        lucia.press(world.known("plus").replace("2", "1", 1), "3")
        world.until_noted("heard")
        time.sleep(20.0)
        lucia.hang_up()
        outcome = lucia.outcome()
    keep_to_listen_to("es", outcome)
    assert world.hears_number(outcome, opened.number, "es")
    for key in ("state.submitted", "state.not_held", "state.not_answered"):
        assert world.says(outcome, key, "es")
    with world.calling() as ivan:
        ivan.press(world.known("plus_second"), "1", other.number)
        world.until_noted("identified", times=2)
        time.sleep(8.0)
        ivan.hang_up()
        missed = ivan.outcome()
    assert world.says(missed, "case.none_such")
    assert [call.outcome for call in world.handed_in(2)] == ["heard", "hung_up"]


def test_a_page_reads_the_case_and_is_acknowledged_by_a_digit(world: World) -> None:
    number, code = critical_case(world)
    with world.calling() as lucia:
        lucia.press("2", "2", number, code, "1")
        wait_until("the case is confirmed", lambda: case_of(number).called_at is not None, 60.0)
        lucia.hang_up()
    world.handed_in()
    with world.engineer("engineer") as marta:
        tick(clock.now() + timedelta(seconds=1))
        assert PhonePage.objects.across_companies("the test's page").count() == 1
        marta.until("answered")
        time.sleep(10.0)
        marta.press("1")
        wait_until("the page is acknowledged", lambda: "alarm_acknowledged" in events(number), 60.0)
        engineer = marta.outcome()
    assert world.says(engineer, "page.alarm")
    assert world.hears_number(engineer, number)
    page = PhonePage.objects.across_companies("the test's page").get()
    assert (page.outcome, page.acknowledged_by_id) == ("acknowledged", world.cast.people["engineer"].id)
    (call,) = world.handed_in(direction="page")
    assert call.outcome == "acknowledged"


def test_baresip_calls_holds_and_resumes_and_another_baresip_takes_the_call(world: World, tmp_path: Path) -> None:
    number, code = critical_case(world)
    with Baresip(tmp_path / "engineer", user="marta", is_answering=True) as engineer:
        give_phone(world.cast, "engineer", engineer.address)
        with Baresip(tmp_path / "caller") as caller:
            caller.dial(world.line.target)
            caller.wait_for("CALL_ESTABLISHED", 30.0)
            for keys in ("2", "2", number, code, "1"):
                caller.press(keys)
            wait_until("the call is confirmed", lambda: case_of(number).called_at is not None, 60.0)
            engineer.wait_for("CALL_ESTABLISHED", 60.0)
            time.sleep(1.0)
            engineer.press("1")
            world.until_step("talking")
            caller.hold()
            time.sleep(2.0)
            caller.resume()
            time.sleep(2.0)
            caller.hang_up()
            caller.wait_for("CALL_CLOSED", 30.0)
        engineer.wait_for("CALL_CLOSED", 30.0)
    (call,) = world.handed_in()
    assert call.outcome == "connected"


def test_a_case_opened_by_voice_has_its_recording_and_its_number_is_said(world: World) -> None:
    with world.calling(talk=babble(3, 20.0)) as lucia:
        lucia.press(world.known("plus"), "2", "1")
        world.until_noted("recording")
        time.sleep(4.0)
        lucia.press("#")
        world.until_noted("opened")
        time.sleep(10.0)
        lucia.hang_up()
        outcome = lucia.outcome()
    (call,) = world.handed_in()
    case = case_of_call(call)
    assert (case.channel, case.severity, case.case_class) == ("phone", 1, "premium")
    assert case.called_at == case.submitted_at
    assert world.says(outcome, "record.notice")
    assert world.hears_number(outcome, case.number)
    recording = Recording.objects.get(call=call)
    assert (recording.case_id, recording.kind) == (case.id, "description")
    assert recording.voiced_s > 2


def test_three_wrong_pins_lead_to_a_person_and_nothing_is_said_of_anybody(world: World) -> None:
    with world.calling() as somebody:
        for times, pin in enumerate(("111111", "222222", "333333"), start=1):
            somebody.press("21" if times == 1 else "", "4071#", pin)
            world.until_noted("not_identified", times=times)
        world.until_noted("nobody")
        time.sleep(12.0)
        somebody.hang_up()
        outcome = somebody.outcome()
    assert world.says(outcome, "identify.too_many")
    assert world.says(outcome, "queue.nobody")
    (call,) = world.handed_in()
    assert (call.company_id, call.person_id, call.case_id) == (None, None, None)
    assert "4071" not in str(call.log)


@pytest.mark.parametrize(
    ("part", "refusal", "reads_s"), [("plus_admin", "not_named", 16), ("standard", "no_phone", 11)]
)
def test_who_may_not_phone_is_told_what_is_missing_and_may_leave_a_message(
    world: World, part: str, refusal: str, reads_s: int
) -> None:
    with world.calling(talk=babble(4, 20.0)) as caller:
        caller.press(world.known(part))
        world.until_noted("identified")
        time.sleep(reads_s)
        caller.press("1")
        world.until_noted("recording")
        time.sleep(3.0)
        caller.press("#")
        world.until_noted("message")
        caller.hang_up()
        outcome = caller.outcome()
    refusals = ("not_named", "no_phone", "expired", "no_contract")
    assert {each for each in refusals if world.says(outcome, f"refusal.{each}")} == {refusal}
    (call,) = world.handed_in()
    case = case_of_call(call)
    granted = (
        "undecided" if part.startswith("plus") else "standard"
    )  # a plan without premium incidents leaves no choice
    assert (case.case_class, case.company_id) == (granted, world.cast.people[part].company_id)


def test_silence_is_reminded_of_and_the_call_ends_politely(world: World) -> None:
    with world.calling() as nobody:
        outcome = nobody.outcome(180.0)
    assert outcome.ended == "they"
    (call,) = world.handed_in()
    assert call.outcome == "silent"


def test_a_caller_who_hangs_up_in_mid_digit_leaves_a_call_and_nothing_else(world: World) -> None:
    with world.calling() as somebody:
        somebody.press("2", "1", "40")
        world.until_noted("language")
        time.sleep(1.0)
        somebody.hang_up()
    (call,) = world.handed_in()
    assert call.outcome == "hung_up"
    assert Recording.objects.count() == 0


def test_who_does_not_answer_and_who_is_busy_are_passed_over_until_the_duty_manager_takes_the_call(
    transactional_db: None, keys: None, tmp_path: Path
) -> None:
    cast = make_cast(clock.now())
    with (
        line_world(cast, tmp_path, GUARDIA_LINE_RING_SECONDS="4") as world,
        world.engineer("engineer", after_s=None),
        world.engineer("analyst", refusal="busy"),
        world.engineer("duty_manager") as elena,
        world.calling() as lucia,
    ):
        lucia.press(world.known("plus"), "0")
        elena.until("answered", 90.0)
        time.sleep(2.0)
        elena.press("1")
        world.until_step("talking")
        lucia.hang_up()
        (call,) = world.handed_in()
    assert call.connected_name == "Elena Soto"
    whats = [entry["what"] for entry in call.log]
    assert [what for what in whats if what in {"no_answer", "busy", "connected"}] == ["no_answer", "busy", "connected"]


def test_keys_by_sip_info_and_a_law_do_the_same(world: World) -> None:
    number, code = critical_case(world)
    with world.calling(by_info=True, codec="PCMA") as lucia:
        lucia.press("2", "2", number, code, "1")
        wait_until("the case is confirmed", lambda: case_of(number).called_at is not None, 60.0)


def test_a_removed_pin_is_taken_no_more(world: World) -> None:
    remove_pin(world.cast.plus, clock.now())
    with world.calling() as lucia:
        lucia.press(world.known("plus"))
        world.until_noted("not_identified")
    (call,) = world.handed_in()
    assert call.person_id is None


def test_a_killed_line_is_back_in_time_and_what_was_said_is_handed_in(world: World) -> None:
    with world.calling(talk=babble(5, 20.0)) as lucia:
        lucia.press(world.known("plus"), "5")
        world.until_noted("recording")
        time.sleep(3.0)
        world.line.kill()
        took = world.line.restart()
    print(f"the line was back after {took:.1f} s")  # noqa: T201  figures for the reader
    assert took < BACK_WITHIN_S
    (call,) = world.handed_in()
    assert call.outcome == "interrupted"
    recording = Recording.objects.get(call=call)
    assert recording.seconds > 1.0
    assert recording.case_id is not None
    with world.calling() as again:
        again.until("answered")


def test_without_the_database_the_line_says_so_and_hands_in_later_with_the_true_time(world: World) -> None:
    world.line.kill()
    world.line.settings["DATABASE_URL"] = NOWHERE
    world.line.restart()
    began = clock.now()
    with world.calling(talk=babble(6, 20.0)) as lucia:
        lucia.press(world.known("plus"))
        time.sleep(6.0)
        lucia.press("1")
        time.sleep(14.0)  # the notice, and what she says
        lucia.press("#")
        time.sleep(10.0)
        ended = clock.now()
        lucia.hang_up()
        outcome = lucia.outcome()
    assert voiced_s(outcome.heard) > 10
    assert world.says(outcome, "away.kept")
    assert Call.objects.count() == 0
    world.line.kill()
    del world.line.settings["DATABASE_URL"]
    time.sleep(3.0)
    world.line.restart()
    (call,) = world.handed_in()
    assert (call.outcome, call.person_id) == ("away", world.cast.people["plus"].id)
    case = case_of_call(call)
    assert (case.severity, case.case_class) == (1, "premium")
    assert began < case.submitted_at < ended
    assert case.called_at == case.submitted_at
    assert Recording.objects.get(call=call).case_id == case.id
