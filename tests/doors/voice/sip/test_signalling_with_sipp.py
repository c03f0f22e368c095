"""The signalling, with sipp as the far end."""

import time
from collections.abc import Iterator

import pytest
from tests.doors.voice.sip.bench import Answering, answering, passed, sipp
from tests.support.ports import free_port

pytestmark = pytest.mark.slow
SECRET = "secret-0815"


@pytest.fixture(scope="module")
def line() -> Iterator[Answering]:
    with answering() as found:
        yield found


def ended(line: Answering) -> tuple[str, int]:
    """Return why the next leg that ends did, when no leg is left."""
    event = line.wait("ended")
    assert line.ask("count")["count"] == 0
    return event["why"], event["code"]


def test_a_call_is_answered_and_ends_by_the_callers_bye(line: Answering) -> None:
    passed(sipp("uac", line.port, "-d", "200"))
    arrived, answered = line.wait("arrived"), line.wait("answered")
    assert (arrived["caller"], arrived["called"], arrived["peer"]) == ("sipp", "service", "127.0.0.1")
    assert answered["media"] == arrived["media"]
    assert ended(line) == ("hung_up", 0)


def test_a_call_that_the_line_hangs_up_hears_bye(line: Answering) -> None:
    with_bye = sipp("called_takes", local_port=(port := free_port()))
    line.tell("dial", f"sip:engineer@127.0.0.1:{port}", 10)
    line.wait("ringing")
    assert line.wait("answered")["media"]["digits"] == 101
    line.tell("hang_up")
    assert ended(line) == ("ours", 0)
    passed(with_bye)


def test_a_cancelled_call_ends_as_cancelled(line: Answering) -> None:
    passed(sipp("caller_cancels", line.port, "-s", "ring"))
    assert ended(line) == ("cancelled", 487)


def test_a_refused_call_hears_the_code(line: Answering) -> None:
    passed(sipp("caller_hears_busy", line.port, "-s", "refuse"))
    assert ended(line) == ("ours", 486)


def test_one_call_too_many_hears_busy() -> None:
    with answering(call_limit=2) as line:
        two = sipp("uac", line.port, "-d", "1500", "-r", "10", calls=2)
        line.wait("answered")
        line.wait("answered")
        passed(sipp("caller_hears_busy", line.port))
        passed(two)
        line.wait("ended")
        line.wait("ended")
        assert line.ask("count")["count"] == 0
        assert line.ask("counts")["busy"] == 1


def test_a_caller_without_an_offer_is_made_one(line: Answering) -> None:
    passed(sipp("caller_makes_no_offer", line.port))
    assert not line.wait("arrived")["media"]["hears"]
    assert line.wait("answered")["media"]["port"] == 6100
    assert line.wait("media_changed")["media"]["port"] == 6102
    assert ended(line) == ("hung_up", 0)


def test_hold_and_resume_and_a_move_are_told(line: Answering) -> None:
    passed(sipp("caller_holds", line.port))
    changes = [line.wait("media_changed")["media"] for _ in range(4)]
    assert [(media["sends"], media["hears"], media["port"]) for media in changes] == [
        (True, False, 6000),
        (True, True, 6000),
        (True, True, 6004),
        (True, False, 6004),
    ]
    assert ended(line) == ("hung_up", 0)


def test_keys_by_info_are_told(line: Answering) -> None:
    passed(sipp("caller_dials_by_info", line.port))
    assert [line.wait("key")["key"] for _ in range(3)] == ["5", "#", "7"]
    assert ended(line) == ("hung_up", 0)


def test_a_peer_that_asks_for_options_is_told_them(line: Answering) -> None:
    passed(sipp("caller_asks_options", line.port))


def test_a_call_that_is_never_acknowledged_is_lost(line: Answering) -> None:
    far = sipp("caller_never_acknowledges", line.port)
    line.wait("arrived")
    event = line.wait("ended", 40)
    assert (event["why"], event["code"]) == ("lost", 408)
    passed(far)


@pytest.mark.parametrize(
    ("scenario", "end"),
    [("called_is_busy", ("busy", 486)), ("called_redirects", ("refused", 302))],
)
def test_a_called_leg_that_is_not_taken_ends_with_its_reason(
    line: Answering, scenario: str, end: tuple[str, int]
) -> None:
    far = sipp(scenario, local_port=(port := free_port()))
    line.tell("dial", f"sip:engineer@127.0.0.1:{port}", 10)
    assert ended(line) == end
    passed(far)


@pytest.mark.parametrize("scenario", ["called_does_not_answer", "called_answers_too_late"])
def test_a_called_leg_that_rings_too_long_is_cancelled(line: Answering, scenario: str) -> None:
    far = sipp(scenario, local_port=(port := free_port()))
    line.tell("dial", f"sip:engineer@127.0.0.1:{port}", 1)
    line.wait("ringing")
    assert ended(line) == ("no_answer", 0)
    passed(far)


@pytest.mark.parametrize(
    "target",
    ["+34600111222", "sip:x@192.0.2.7", "sip:x@example.org", "tel:+34600111222", "sip:x@127.0.0.1:99999", "x\r\ny", ""],
)
def test_a_target_that_cannot_be_called_is_refused(line: Answering, target: str) -> None:
    line.tell("dial", target, 10)
    assert line.wait("not_dialled")["error"]


@pytest.mark.parametrize("code", [401, 407])
def test_a_number_is_called_by_the_trunk_with_digest(code: int) -> None:
    port = free_port()
    with answering(trunk=f"sip://guardia:{SECRET}@127.0.0.1:{port}") as line:
        far = sipp(f"trunk_takes_after_{code}", local_port=port, calls=2)
        while line.ask("count")["registered"] != "registered":
            time.sleep(0.2)
        line.tell("dial", "+34600111222", 10)
        line.wait("answered")
        line.tell("hang_up")
        assert line.wait("ended")["why"] == "ours"
        passed(far)


def test_the_line_registers_at_its_trunk_and_refreshes() -> None:
    port = free_port()
    far = sipp("registrar", local_port=port)
    with answering(trunk=f"sip://guardia:{SECRET}@127.0.0.1:{port}") as line:
        passed(far)
        assert line.ask("count")["registered"] == "registered"


def test_strangers_get_silence() -> None:
    with answering(peers=["192.0.2.0/24"]) as line:
        far = sipp("uac", line.port, "-timeout", "3", "-timeout_error")
        far.communicate(timeout=20)
        assert far.returncode != 0
        assert line.ask("counts")["stranger"] >= 1
        assert not [event for event in line.events if event["event"] == "arrived"]


def test_two_hundred_calls_leave_nothing_behind() -> None:
    with answering(is_quiet=True) as line:
        passed(sipp("uac", line.port, "-d", "100", "-r", "20", calls=40), 60)
        before = line.ask("weigh", "weight")
        passed(sipp("uac", line.port, "-d", "100", "-r", "20", calls=200), 120)
        after = line.ask("weigh", "weight")
        assert (after["count"], after["transactions"]) == (0, 0)
        assert set(after["alive"].values()) == {0}
        assert after["files"] == before["files"]
        assert after["kilobytes"] - before["kilobytes"] < 8_000
