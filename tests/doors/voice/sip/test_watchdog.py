"""The watchdog ends a line that has gone mute, and leaves one that answers."""

import signal
import socket
import threading
import time

import pytest
from tests.doors.voice.sip.bench import answering, sipp
from tests.support.ports import free_port

from guardia.doors.voice.sip.watchdog import Watchdog


def test_a_port_that_does_not_answer_ends_the_process() -> None:
    codes: list[int] = []
    dog = Watchdog("127.0.0.1", free_port(), every_s=0.05, die=codes.append)
    dog.start()
    time.sleep(0.5)
    dog.stop()
    assert codes == [70]


def test_a_port_that_answers_is_left() -> None:
    codes: list[int] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as echo:
        echo.bind(("127.0.0.1", 0))

        def answer() -> None:
            for _ in range(4):
                data, asker = echo.recvfrom(4000)
                echo.sendto(data, asker)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        dog = Watchdog("127.0.0.1", echo.getsockname()[1], every_s=0.05, die=codes.append)
        dog.start()
        thread.join(3)
        dog.stop()
    assert not thread.is_alive()
    assert codes == []


@pytest.mark.slow
def test_a_loop_that_does_not_turn_ends_the_line_within_eight_seconds() -> None:
    with answering() as line:
        line.tell("freeze")
        started = time.monotonic()
        assert line.process.wait(12) == 70
        assert time.monotonic() - started < 9


@pytest.mark.slow
def test_a_port_that_is_taken_is_an_error() -> None:
    with answering() as line:
        with pytest.raises(AssertionError, match="the process ended"), answering(port=line.port):
            pass
        assert line.ask("count")["count"] == 0


@pytest.mark.slow
def test_a_signal_stops_the_line_and_hangs_up() -> None:
    with answering() as line:
        far = sipp("uac", line.port, "-d", "20000")
        line.wait("answered")
        line.process.send_signal(signal.SIGTERM)
        assert line.wait("ended")["why"] == "ours"
        assert line.wait("stopped")["count"] == 0
        assert line.process.wait(5) == 0
        far.kill()
        far.communicate()
