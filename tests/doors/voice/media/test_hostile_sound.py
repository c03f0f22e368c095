"""Nobody mutes the media thread, and legs come and go without a trace."""

import gc
import select
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.doors.voice.media.far_end import KEYS_TYPE, PORTS, VOICE, WITHIN_S, Desk, Ear, Peer, connected, voices

from guardia.doors.voice.control import RemoteMedia
from guardia.doors.voice.media.engine import SoundEngine
from guardia.doors.voice.media.rtp import Packet, write_packet
from guardia.doors.voice.media.socket_channel import SocketChannel
from guardia.kernel.sound import FRAME, SILENT_FRAME

# ---- who is heard ----


def test_only_the_signalled_host_is_heard_and_the_first_of_its_ports_that_spoke(
    desk: Desk, leg: tuple[SocketChannel, Peer, Ear]
) -> None:
    channel, peer, ear = leg
    foreign, neighbour = Peer(channel, host="127.0.0.2"), Peer(channel)
    foreign.press("1", 1)
    desk.until(lambda: desk.engine.figures()["dropped"].get("foreign_host") == 7)
    neighbour.press("2", 2)  # the host is right: its port is taken, as a NAT may have moved it
    desk.until(lambda: ear.keys == "2")
    came = len(neighbour.came)
    desk.until(lambda: len(neighbour.came) > came + 3)
    peer.press("3", 3)
    desk.until(lambda: desk.engine.figures()["dropped"].get("foreign_port") == 7)
    channel.connect(peer.media())
    peer.press("4", 4)
    desk.until(lambda: ear.keys == "24")
    assert "1" not in ear.keys
    foreign.close()
    neighbour.close()


def test_after_some_seconds_of_silence_another_port_of_the_host_is_heard(
    desk: Desk, leg: tuple[SocketChannel, Peer, Ear]
) -> None:
    channel, peer, ear = leg
    peer.press("1", 1)
    desk.until(lambda: ear.keys == "1")
    moved = Peer(channel)
    desk.work(3.3)
    moved.press("2", 2)
    desk.until(lambda: ear.keys == "12")
    moved.close()


# ---- hostile peers ----


def test_malformed_packets_are_counted_and_a_good_call_goes_on(
    desk: Desk, leg: tuple[SocketChannel, Peer, Ear]
) -> None:
    channel, peer, ear = leg
    channel.record(lambda _sound, _voiced: None)

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(st.binary(max_size=1600), st.binary(max_size=300).map(lambda rest: b"\x80\x00" + rest)))
    def hostile(data: bytes) -> None:
        peer.socket.sendto(data, peer.to)

    hostile()
    # The system drops what comes faster than it is taken, keys as well: a telephone's lasts, this one does not.
    desk.until(lambda: not select.select([channel.socket], [], [], 0)[0])
    peer.press("5", 0xABCDEF)
    desk.until(lambda: "5" in ear.keys)
    dropped = desk.engine.figures()["dropped"]
    assert dropped.keys() & {"short", "version"}
    assert "failed" not in dropped
    channel.play(VOICE[0])
    desk.until(lambda: VOICE[0] in peer.heard())


def test_a_flood_on_one_leg_leaves_the_others_their_sound(desk: Desk) -> None:
    flooded, flooder, _ear = connected(desk)
    channel, peer, ear = connected(desk)
    is_over = threading.Event()

    def flood() -> None:
        data = write_packet(Packet(0, False, 1, 1, 1, bytes(FRAME)))
        while not is_over.is_set():
            for _ in range(200):
                flooder.socket.sendto(data, flooder.to)
            time.sleep(0.005)

    flooding = threading.Thread(target=flood)
    flooding.start()
    channel.play(b"".join(VOICE))
    peer.press("6", 1)
    desk.until(lambda: ear.times_played == 1 and ear.keys == "6")
    desk.until(lambda: b"".join(VOICE) in peer.heard())
    is_over.set()
    flooding.join()
    flooder.press("8", 9)
    assert flooded.port
    flooder.close()
    peer.close()


def test_an_error_of_one_leg_is_logged_once_and_hurts_nobody_else(
    desk: Desk, leg: tuple[SocketChannel, Peer, Ear], caplog: pytest.LogCaptureFixture
) -> None:
    channel, peer, ear = leg
    broken = desk.engine.open(Ear())
    broken.connect(RemoteMedia("127.0.0.1", peer.socket.getsockname()[1], "PCMU", None))
    broken._speech = None  # type: ignore[assignment]
    channel.play(b"".join(VOICE))
    desk.until(lambda: ear.times_played == 1)
    assert desk.engine.figures()["dropped"]["failed"] > 5
    assert len([record for record in caplog.records if "went wrong" in record.message]) == 1


def test_a_far_end_that_is_gone_costs_packets_only(desk: Desk) -> None:
    channel, peer, ear = connected(desk)
    peer.close()  # from now on the system answers "port unreachable"
    channel.play(VOICE[0] * 10)
    desk.until(lambda: ear.times_played == 1)


def test_after_a_stop_nothing_said_or_heard_is_lost_no_burst_is_sent_and_recording_and_time_line_show_the_gap(
    desk: Desk, leg: tuple[SocketChannel, Peer, Ear]
) -> None:
    channel, peer, ear = leg
    recorded: list[bytes] = []
    desk.until(lambda: len(peer.came) > 2)
    began = time.monotonic()
    channel.record(lambda sound, _voiced: recorded.append(sound))
    channel.play(b"".join(VOICE))
    desk.work(0.3)
    with desk.engine._shared.lock:  # as a machine that does something else for a while
        peer.talk(VOICE[:25])
    came = len(peer.came)
    time.sleep(0.03)
    assert len(peer.came) - came < 15
    desk.until(lambda: ear.times_played == 1)
    desk.work(0.1)
    channel.record(None)
    took = time.monotonic() - began
    assert b"".join(VOICE) in peer.heard()
    assert voices(b"".join(recorded)) == VOICE[:25]
    assert abs(len(b"".join(recorded)) / 8000 - took) < 0.2
    steps = [(two.timestamp - one.timestamp) & 0xFFFFFFFF for one, two in pairwise(peer.came)]
    assert max(steps) > 15 * FRAME
    figures = desk.engine.figures()
    assert figures["worst_late_ms"] > 300
    assert figures["late_ticks"] >= 1
    assert figures["p99_late_ms"] <= figures["worst_late_ms"]


def test_the_schedule_does_not_drift(desk: Desk, leg: tuple[SocketChannel, Peer, Ear]) -> None:
    _channel, peer, _ear = leg
    desk.until(lambda: len(peer.came) > 2)
    first, began = peer.came[-1], time.monotonic()
    desk.work(2)
    last, took = peer.came[-1], time.monotonic() - began
    assert abs((last.timestamp - first.timestamp & 0xFFFFFFFF) / 8000 - took) < 0.2


# ---- coming and going ----


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def channels_in_memory() -> int:
    gc.collect()
    return sum(isinstance(thing, SocketChannel) for thing in gc.get_objects())


def test_two_hundred_legs_come_and_go_and_leave_nothing(desk: Desk) -> None:
    in_memory, before = channels_in_memory(), descriptors()  # what earlier tests left to the collector is gone first
    for _ in range(200):
        channel, other = desk.engine.open(Ear()), desk.engine.open(Ear())
        channel.connect(RemoteMedia("127.0.0.1", 9, "PCMU", KEYS_TYPE))
        channel.play(VOICE[0] * 100)
        channel.record(lambda _sound, _voiced: None)
        channel.bridge(other)
        channel.close()
        channel.close()
        other.close()
    assert desk.engine.count() == 0
    del channel, other
    desk.work(0.1)
    assert descriptors() == before
    assert channels_in_memory() <= in_memory
    assert desk.engine.figures()["channels"] == 0
    assert len(desk.engine._selector.get_map()) == 0


def test_where_no_port_is_free_the_next_leg_is_refused_and_a_closed_one_gives_its_own_back() -> None:
    few = range(25_001, 25_007)  # three even ones
    engine = SoundEngine("127.0.0.1", few, lambda act: act(), lambda: None)
    legs = [engine.open(Ear()) for _ in range(3)]
    with pytest.raises(OSError, match="no port is free"):
        engine.open(Ear())
    legs[1].close()
    assert engine.open(Ear()).port == legs[1].port
    engine.stop()
    engine.stop()
    with pytest.raises(OSError, match="stopped"):
        engine.open(Ear())
    assert engine.count() == 0


def test_a_closed_leg_is_told_nothing_more(desk: Desk) -> None:
    channel, peer, ear = connected(desk)
    peer.press("1", 1)
    channel.play(VOICE[0])
    end = time.monotonic() + WITHIN_S
    while desk.told.qsize() < 2 and time.monotonic() < end:
        time.sleep(0.005)
    channel.close()
    desk.work(0.1)
    assert (ear.keys, ear.times_played) == ("", 0)
    peer.close()


def test_the_thread_outlives_a_signalling_thread_that_takes_nothing_any_more() -> None:
    def gone(_act: Callable[[], None]) -> None:
        raise RuntimeError("the loop is closed")

    engine = SoundEngine("127.0.0.1", PORTS, gone, lambda: None)
    channel = engine.open(Ear())
    peer = Peer(channel)
    channel.connect(peer.media())
    channel.play(VOICE[0])
    end = time.monotonic() + WITHIN_S
    while peer.heard().count(SILENT_FRAME) < 3 and time.monotonic() < end:
        time.sleep(0.01)
    assert VOICE[0] in peer.heard()
    assert engine._thread.is_alive()
    engine.stop()
    peer.close()
