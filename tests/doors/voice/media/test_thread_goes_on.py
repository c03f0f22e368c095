"""The media thread goes on after whatever is raised in it, or the process ends, to be started again."""

import logging
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest
from tests.doors.voice.media.far_end import VOICE, WITHIN_S, Desk, Peer, connected

from guardia.doors.voice.media.socket_channel import SocketChannel
from guardia.doors.voice.sip.watchdog import EXIT_CODE

BEHIND_THE_LOCK = """
import os, selectors, sys, time
from functools import partial
from guardia.doors.voice.media.engine import SoundEngine

class Broken(selectors.DefaultSelector):
    def select(self, timeout=None):
        raise OSError("the selector is gone")

class Ear:
    pass

engine = SoundEngine("127.0.0.1", range(24_000, 25_000), print, partial(os._exit, int(sys.argv[1])))
engine._selector = Broken()
engine.open(Ear())
time.sleep(60)
"""


class Failing(selectors.DefaultSelector):
    """A selector that fails so many times, and then is as good as any."""

    def __init__(self, times: int, error: type[BaseException]) -> None:
        super().__init__()
        self.left, self.error = times, error

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.left:
            self.left -= 1
            raise self.error("the selector is tired")
        return super().select(timeout)


def with_failing(desk: Desk, times: int, error: type[BaseException] = OSError) -> Failing:
    """Give the engine such a selector, before any leg has come."""
    failing = Failing(times, error)
    desk.engine._selector = failing
    return failing


def wait_for(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not happened() and time.monotonic() < end:
        time.sleep(0.01)
    assert happened()


def complaints(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if "sound of all calls" in record.message]


def test_a_turn_that_fails_is_logged_and_the_next_ones_hear_and_speak(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with_failing(desk, 60)
    channel, peer, ear = connected(desk)
    channel.play(b"".join(VOICE))
    desk.until(lambda: ear.times_played == 1)
    peer.press("4", 800)
    desk.until(lambda: ear.keys == "4")
    peer.close()
    assert b"".join(VOICE) in peer.heard()
    assert desk.engine.figures()["failed_turns"] == 60
    assert len(complaints(caplog)) == 1


def test_turns_that_fail_now_and_then_end_nothing_however_many_they_are(desk: Desk) -> None:
    failing = with_failing(desk, 60)
    channel, peer, ear = connected(desk)
    for round_ in range(3):
        failing.left = 60
        wait_for(lambda: not failing.left)
        channel.play(VOICE[0])
        desk.until(lambda: ear.times_played == round_ + 1)  # noqa: B023  asked at once
    peer.close()
    assert desk.engine.figures()["failed_turns"] > 150


def test_what_is_to_be_told_and_cannot_be_taken_out_costs_a_turn(desk: Desk) -> None:
    class Grudging(list[Callable[[], None]]):
        """What was told, that can be taken out from the third time on."""

        times = 0

        def __setitem__(self, where: object, what: object) -> None:
            self.times += 1
            if self.times < 3:
                raise RuntimeError("not yet")
            super().__setitem__(where, what)  # type: ignore[call-overload]

    channel, peer, ear = connected(desk)
    with desk.engine._shared.lock:
        desk.engine._shared.told = Grudging(desk.engine._shared.told)
    channel.play(VOICE[0])
    desk.until(lambda: ear.times_played == 1)
    peer.close()
    assert desk.engine.figures()["failed_turns"] == 2


@pytest.mark.parametrize(("times", "error"), [(1_000_000, OSError), (1, SystemExit), (1, KeyboardInterrupt)])
def test_a_thread_that_cannot_go_on_ends_the_process_once(
    times: int, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    desk, raised = Desk(), list[type[BaseException] | None]()
    before, threading.excepthook = threading.excepthook, lambda what: raised.append(what.exc_type)
    with_failing(desk, times, error)
    leg: tuple[SocketChannel, Peer, object] = connected(desk)
    wait_for(lambda: bool(desk.deaths))
    desk.engine._thread.join(WITHIN_S)
    threading.excepthook = before
    leg[1].close()
    desk.engine.stop()
    assert desk.deaths == ["media"]
    assert len([record for record in complaints(caplog) if record.levelno == logging.CRITICAL]) == 1


def test_an_engine_that_is_stopped_while_its_turns_fail_does_not_end_the_process() -> None:
    desk = Desk()
    failing = with_failing(desk, 50)
    leg = connected(desk)
    wait_for(lambda: failing.left < 45)
    desk.engine.stop()
    leg[1].close()
    assert desk.deaths == []


def test_the_process_of_a_line_that_has_gone_mute_ends_with_the_watchdogs_code() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", BEHIND_THE_LOCK, str(EXIT_CODE)], capture_output=True, text=True, timeout=50, check=False
    )
    assert ended.returncode == EXIT_CODE == 70
    assert "to be started again" in ended.stderr
    assert ended.stderr.count("Something went wrong") == 1
