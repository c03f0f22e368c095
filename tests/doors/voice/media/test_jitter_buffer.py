"""What a network does to a voice, and how it is heard all the same."""

import random
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from guardia.doors.voice.media.jitter import LONGEST_WAIT, WAIT, JitterBuffer
from guardia.doors.voice.media.rtp import Packet
from guardia.kernel.sound import FRAME, SILENT_FRAME

LOUD = [bytes([n]) * FRAME for n in range(1, 60)]
"""Frames that no other is like, none of them quiet."""


def packet(n: int, *, first: int = 65_530, time: int = 0xFFFFFF00, size: int = FRAME, source: int = 1) -> Packet:
    """The packet number n of a stream whose sequence and time both wrap soon after its start."""
    return Packet(0, False, (first + n) & 0xFFFF, (time + size * n) & 0xFFFFFFFF, source, b"")


def heard(buffer: JitterBuffer, ticks: int) -> list[bytes]:
    return [buffer.take() for _ in range(ticks)]


def voices(frames: Iterable[bytes]) -> list[bytes]:
    return [frame for frame in frames if frame != SILENT_FRAME]


def run(events: Iterable[tuple[float, Packet, bytes]], ticks: int) -> tuple[list[bytes], JitterBuffer]:
    """Play packets that come at instants (in ticks) into a buffer that is emptied at every whole tick."""
    buffer, waiting, frames = JitterBuffer(), sorted(events, key=lambda event: event[0]), []
    for tick in range(ticks):
        while waiting and waiting[0][0] <= tick:
            _at, came, sound = waiting.pop(0)
            buffer.put(came, sound)
        frames.append(buffer.take())
        assert len(buffer._waiting) <= 2 * LONGEST_WAIT
    return frames, buffer


def test_nothing_that_came_is_silence() -> None:
    assert heard(JitterBuffer(), 3) == [SILENT_FRAME] * 3


def test_a_steady_stream_comes_out_as_it_came_in_40_ms_later() -> None:
    frames, _ = run([(n, packet(n), sound) for n, sound in enumerate(LOUD)], 70)
    assert frames[: WAIT // FRAME] == [SILENT_FRAME] * 2
    assert frames[2 : 2 + len(LOUD)] == LOUD


@settings(deadline=None)
@given(st.lists(st.floats(0, 1.9), min_size=len(LOUD), max_size=len(LOUD)), st.sets(st.integers(1, len(LOUD) - 1)))
def test_jitter_reordering_and_duplicates_within_the_wait_change_nothing(delays: list[float], twice: set[int]) -> None:
    delays[0] = 0
    events = [(n + delays[n], packet(n), sound) for n, sound in enumerate(LOUD)]
    events += [(n + 1.95, packet(n), b"\x00" * FRAME) for n in twice]
    frames, _ = run(events, 70)
    assert frames[2 : 2 + len(LOUD)] == LOUD


@settings(deadline=None)
@given(st.sets(st.integers(1, len(LOUD) - 2)))
def test_what_is_lost_is_silence_of_the_same_length(lost: set[int]) -> None:
    frames, _ = run([(n, packet(n), sound) for n, sound in enumerate(LOUD) if n not in lost], 70)
    wanted = [SILENT_FRAME if n in lost else sound for n, sound in enumerate(LOUD)]
    while wanted[-1] == SILENT_FRAME:
        wanted.pop()
    assert voices(frames) == voices(wanted)
    if len(lost) < 5:
        assert frames[2 : 2 + len(wanted)] == wanted


def test_a_late_packet_makes_the_rest_wait_and_nothing_is_lost() -> None:
    events = [(n + (6 if n >= 10 else 0), packet(n), sound) for n, sound in enumerate(LOUD)]
    frames, _ = run(events, 80)
    assert voices(frames) == LOUD


def test_a_duplicate_and_a_packet_later_than_can_be_waited_for_are_dropped() -> None:
    buffer = JitterBuffer()
    for n in [*range(10), *range(11, 40)]:
        assert buffer.put(packet(n), LOUD[n]) == ""
        if n < 30:
            buffer.take()
    assert buffer.put(packet(12), LOUD[12]) == "duplicate"
    assert buffer.put(packet(10), LOUD[10]) == "late"


def test_packets_of_any_size_are_cut_into_frames() -> None:
    whole = b"".join(LOUD)
    for size in (80, 240, 320, 480, 56):
        cut = [whole[at : at + size] for at in range(0, len(whole), size)]
        frames, _ = run([(n * size / FRAME, packet(n, size=size), sound) for n, sound in enumerate(cut)], 80)
        assert b"".join(frames).strip(b"\xff") == whole, size


def test_comfort_noise_is_silence_and_the_voice_after_it_comes() -> None:
    events = [(float(n), packet(n), sound) for n, sound in enumerate(LOUD[:10])]
    events += [(10, packet(10), b"")]
    events += [(60 + n, packet(n, first=65_530 + 11, time=0xFFFFFF00 + 60 * FRAME), LOUD[20 + n]) for n in range(10)]
    frames, _ = run(events, 90)
    assert voices(frames) == LOUD[:10] + LOUD[20:30]
    assert 40 <= frames.index(LOUD[20]) - frames.index(LOUD[9]) <= 60


def test_a_new_source_is_followed_from_its_second_packet_with_nothing_lost() -> None:
    events = [(n, packet(n), sound) for n, sound in enumerate(LOUD[:20])]
    events += [(20 + n, packet(n, first=9, time=77, source=2), sound) for n, sound in enumerate(LOUD[20:40])]
    frames, _ = run(events, 60)
    assert voices(frames) == LOUD[:40]


def test_a_stray_packet_of_another_source_or_of_long_ago_changes_nothing() -> None:
    events = [(float(n), packet(n), sound) for n, sound in enumerate(LOUD)]
    events += [(n + 0.5, packet(n, first=3, time=3, source=99), b"\x00" * FRAME) for n in range(5, 50, 7)]
    events += [(n + 0.6, packet(n, first=20_000, time=3), b"\x00" * FRAME) for n in range(5, 50, 7)]
    frames, _ = run(events, 70)
    assert frames[2 : 2 + len(LOUD)] == LOUD


def test_a_time_line_that_jumps_is_followed_at_once_in_either_direction() -> None:
    for jump in (1_000_000, -1_000_000, 3_000, -3_000):
        events = [(n, packet(n), sound) for n, sound in enumerate(LOUD[:20])]
        events += [(n, packet(n, time=0xFFFFFF00 + jump), LOUD[n]) for n in range(20, 40)]
        frames, _ = run(events, 60)
        assert voices(frames) == LOUD[:40], jump


def test_a_sender_that_starts_its_sequence_anew_is_followed() -> None:
    events = [(n, packet(n), sound) for n, sound in enumerate(LOUD[:20])]
    events += [(20 + n, packet(n, first=30_000, time=0), sound) for n, sound in enumerate(LOUD[20:40])]
    frames, _ = run(events, 60)
    assert voices(frames) == LOUD[:40]


def test_a_sender_that_stalls_and_stops_its_clock_is_heard_again() -> None:
    events = [(n, packet(n), sound) for n, sound in enumerate(LOUD[:20])]
    events += [(n + 19, packet(n), LOUD[n]) for n in range(20, 40)]
    frames, _ = run(events, 90)
    assert voices(frames) == LOUD[:40]


def test_clocks_that_drift_apart_neither_fill_nor_starve_the_buffer() -> None:
    for drift in (0.998, 1.002):  # far more than any clock drifts
        events = [(n * drift, packet(n), LOUD[n % 50]) for n in range(5000)]
        frames, buffer = run(events, 5000)
        assert len(buffer._waiting) <= LONGEST_WAIT
        assert len(voices(frames)) > 4950


def test_a_wait_that_a_stall_made_long_grows_short_again() -> None:
    chance = random.Random(4)
    events = [(n + (8 if 100 <= n < 104 else chance.random()), packet(n), LOUD[n % 50]) for n in range(1500)]
    _, buffer = run(events, 200)
    assert len(buffer._waiting) > 4 * FRAME
    quiet = [(at, came, SILENT_FRAME if n % 3 else sound) for n, (at, came, sound) in enumerate(events)]
    _, buffer = run(quiet, 1500)
    assert len(buffer._waiting) <= 5 * FRAME


ANY_PACKET = st.builds(
    Packet,
    st.just(0),
    st.booleans(),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 2),
    st.just(b""),
)


@settings(deadline=None)
@given(st.lists(st.tuples(ANY_PACKET, st.binary(max_size=1500), st.booleans()), max_size=120))
def test_whatever_comes_the_buffer_stays_small_and_a_good_stream_is_heard_afterwards(
    hostile: list[tuple[Packet, bytes, bool]],
) -> None:
    buffer = JitterBuffer()
    for came, sound, is_taken in hostile:
        buffer.put(came, sound)
        assert len(buffer._waiting) <= 2 * LONGEST_WAIT
        if is_taken:
            assert len(buffer.take()) == FRAME
    heard(buffer, 20)
    frames = []
    for n in range(50):
        buffer.put(packet(n, source=7), LOUD[n])
        frames.append(buffer.take())
    assert LOUD[30] in frames
