"""The peers that the line is tested with are tried on each other first: sipp, baresip and our own phone."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from tests.support.hearing import babble, heard, same_audio, silence, sweep
from tests.support.line_baresip import Baresip
from tests.support.line_peers import HOST, Sipp, sipp
from tests.support.line_running import figures_of, options_ping
from tests.support.ports import free_port

from guardia.doors.voice.phone import AnswerOptions, CallOptions, place_call, take_calls
from guardia.doors.voice.phone_audio import write_wav
from guardia.doors.voice.phone_loop import Outcome


@contextmanager
def phone(**options: Any) -> Iterator[tuple[str, list[Outcome]]]:
    """Our own phone that takes a call; its address for sipp, and the outcome after the block."""
    taken: list[Outcome] = []
    answering = AnswerOptions(port=free_port(), wait_s=15, longest_s=15, **options)
    waiting = threading.Event()
    thread = threading.Thread(target=lambda: taken.extend(take_calls(answering, lambda _line: waiting.set())))
    thread.start()
    assert waiting.wait(5)
    yield f"{HOST}:{answering.port}", taken
    thread.join(30)
    assert not thread.is_alive()


# ---- sipp calls ----


def test_sipp_presses_keys_in_groups(tmp_path: Path) -> None:
    with phone(after_s=0.1) as (target, taken):
        sipp("call_keys", target, tmp_path, keys=["2", "40#"], caller="600123").check(1)
    assert (taken[0].keys_heard, taken[0].caller, taken[0].ended) == ("240#", "600123", "they")


def test_sipp_hangs_up_in_the_middle_of_a_key(tmp_path: Path) -> None:
    with phone(after_s=0.1) as (target, taken):
        sipp("call_cut", target, tmp_path, keys=["7"]).check(1)
    assert (taken[0].keys_heard, taken[0].ended) == ("7", "they")


def test_sipp_presses_keys_by_info(tmp_path: Path) -> None:
    with phone(after_s=0.1) as (target, taken):
        sipp("call_info", target, tmp_path, keys=["2", "4*#"], pause_s=0.2).check(1)
    assert taken[0].keys_heard == "24*#"


def test_sipp_holds_and_comes_back(tmp_path: Path) -> None:
    with phone(after_s=0.1) as (target, taken):
        sipp("call_hold", target, tmp_path, pause_s=0.3).check(1)
    assert taken[0].changes == ["sendonly", "sendrecv"]


def test_sipp_gives_up_while_it_rings(tmp_path: Path) -> None:
    with phone(after_s=None) as (target, taken):
        sipp("call_cancel", target, tmp_path, pause_s=0.2).check(1)
    assert (taken[0].was_answered, taken[0].ended) == (False, "they")


def test_sipp_complains_where_a_call_goes_otherwise_than_written(tmp_path: Path) -> None:
    with phone(refusal="decline") as (target, _taken):
        run = sipp("call_refused", target, tmp_path, values={"code": "486"})
    assert (run.code, run.failed) == (1, 1)
    assert "603 Decline" in run.complaints


# ---- sipp is called ----


def _call(target: str, keys: str = "", longest_s: float = 10.0) -> Outcome:
    return place_call(CallOptions(target, keys=keys, longest_s=longest_s), lambda _line: None)


def test_sipp_answers_and_presses_keys(tmp_path: Path) -> None:
    with Sipp("answer_keys", tmp_path, keys=["1", "22"], pause_s=0.2) as callee:
        made = _call(callee.address, keys="w3,hang")
        callee.finish().check(1)
    assert made.keys_heard == "122"


@pytest.mark.parametrize(("code", "reason"), [("486", "Busy Here"), ("503", "Service Unavailable")])
def test_sipp_refuses(tmp_path: Path, code: str, reason: str) -> None:
    with Sipp("answer_refused", tmp_path, pause_s=0.1, values={"code": code, "reason": reason}) as callee:
        made = _call(callee.address)
        callee.finish().check(1)
    assert made.ended == f"{code} {reason}"


def test_sipp_rings_until_the_caller_gives_up(tmp_path: Path) -> None:
    with Sipp("answer_never", tmp_path) as callee:
        made = _call(callee.address, longest_s=1.0)
        callee.finish().check(1)
    assert made.ended == "we"


def test_a_killed_sipp_leaves_the_caller_without_an_answer(tmp_path: Path) -> None:
    with Sipp("answer_keys", tmp_path, pause_s=0.2) as callee:
        threading.Timer(1.0, callee.kill).start()
        made = _call(callee.address, longest_s=2.0)
    assert made.was_answered
    assert made.seconds > 1.0


# ---- baresip ----


@pytest.mark.parametrize("codec", ["pcmu", "pcma"])
def test_baresip_answers_talks_and_hears(tmp_path: Path, codec: Literal["pcmu", "pcma"]) -> None:
    write_wav(tmp_path / "talk.wav", sweep(1.5) + silence(0.5))
    with Baresip(tmp_path, talk=babble(3, 1.5) + silence(0.5), codec=codec, is_answering=True) as other:
        options = CallOptions(other.address, keys="w2,40#,w0.5,hang", talk=tmp_path / "talk.wav", longest_s=15)
        made = place_call(options, lambda _line: None)
        other.wait_for("CALL_CLOSED")
        assert other.keys_heard == "40#"
        assert heard(made.heard, babble(3, 1.5)) is not None
        assert heard(other.heard(), sweep(1.5)) is not None
        assert same_audio(other.said(), made.heard).correlation > 0.99


def test_baresip_calls_presses_holds_and_hangs_up(tmp_path: Path) -> None:
    with Baresip(tmp_path, user="600777") as other, phone(after_s=0.1, keys="w0.2,15") as (target, taken):
        other.dial(f"sip:line@{target}")
        other.wait_for("CALL_ESTABLISHED")
        other.press("40#")
        other.hold()
        time.sleep(0.5)
        other.resume()
        time.sleep(0.5)
        other.hang_up()
        other.wait_for("CALL_CLOSED")
        assert other.keys_heard == "15"
    assert (taken[0].keys_heard, taken[0].caller, taken[0].ended) == ("40#", "600777", "they")
    assert taken[0].changes == ["sendonly", "sendrecv"]


def test_sipp_calls_baresip(tmp_path: Path) -> None:
    with Baresip(tmp_path, is_answering=True) as other:
        target = f"{HOST}:{other.port}"
        sipp("call_keys", target, tmp_path, service=other.user, keys=["40#"], pause_s=0.2).check(1)
        assert other.keys_heard == "40#"


# ---- measuring ----


def test_a_ping_is_answered_by_whoever_speaks_sip_and_by_nobody_else(tmp_path: Path) -> None:
    with Baresip(tmp_path) as other:
        assert options_ping(HOST, other.port)
        assert figures_of(other.pid).memory_mb > 1
        assert figures_of(other.pid).files > 3
        port = other.port
    assert not options_ping(HOST, port, 0.3)
