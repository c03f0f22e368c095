"""A press is told once, however its packets come (RFC 4733)."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardia.doors.voice.media.digits import KEYS, KeyReader, write_press

TICK_S = 0.02


def arrivals(keys: str, frames: int = 5, gap_s: float = 0.08) -> list[tuple[float, int, bytes]]:
    """When each packet of some presses comes, with its timestamp."""
    found: list[tuple[float, int, bytes]] = []
    at = 1.0
    for key in keys:
        for payload in write_press(key, frames):
            found.append((at, int(at * 8000) if payload == write_press(key, frames)[0] else found[-1][1], payload))
            at += TICK_S
        at += gap_s
    return found


def told(packets: list[tuple[float, int, bytes]]) -> str:
    reader = KeyReader()
    return "".join(reader.read(timestamp, payload, now) for now, timestamp, payload in packets)


def test_a_press_says_how_long_it_lasts_and_its_end_three_times() -> None:
    payloads = [struct.unpack("!BBH", payload) for payload in write_press("#")]
    assert payloads == [(11, 10, 160), (11, 10, 320), (11, 10, 480), (11, 10, 640), *[(11, 0x8A, 800)] * 3]


@pytest.mark.parametrize("key", ["A", "", "12", "ü"])
def test_what_is_no_key_cannot_be_pressed(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        write_press(key)


@settings(deadline=None)
@given(st.text(KEYS, min_size=1, max_size=12), st.data())
def test_loss_duplicates_and_reordering_neither_lose_nor_add_a_press(keys: str, data: st.DataObject) -> None:
    came: list[tuple[float, int, bytes]] = []
    packets = arrivals(keys)
    for press in range(len(keys)):
        of_press = packets[7 * press : 7 * press + 7]
        kept = data.draw(st.lists(st.sampled_from(range(7)), min_size=1, max_size=12))  # some never, some twice
        delays = data.draw(st.lists(st.floats(0, 0.07), min_size=len(kept), max_size=len(kept)))
        came += [(of_press[n][0] + delay, *of_press[n][1:]) for n, delay in zip(kept, delays, strict=True)]
    assert told(sorted(came, key=lambda packet: packet[0])) == keys


def test_a_press_whose_end_is_lost_counts_once_and_the_same_key_again_counts_again() -> None:
    assert told([packet for packet in arrivals("551") if not packet[2][1] & 0x80]) == "551"


def test_a_key_held_long_is_one_press_even_over_a_gap() -> None:
    packets = arrivals("8", frames=200)
    assert told(packets) == "8"
    assert told(packets[:20] + packets[90:]) == "8"


def test_a_sender_that_begins_anew_for_every_press_is_understood() -> None:
    one = [(at, 160, payload) for at, _timestamp, payload in arrivals("4")]
    again = [(at + 1, timestamp, payload) for at, timestamp, payload in one]
    other = [(at + 2, 160, payload) for at, _timestamp, payload in arrivals("7")]
    assert told(one + again + other) == "447"


@pytest.mark.parametrize("event", [12, 13, 14, 15, 16, 32, 255])
def test_other_events_are_no_keys(event: int) -> None:
    assert told([(1.0, 5, struct.pack("!BBH", event, 10, 160))]) == ""


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 0xFFFFFFFF), st.binary(max_size=9)), max_size=200))
def test_a_flood_of_anything_tells_no_more_keys_than_fingers_press(flood: list[tuple[int, bytes]]) -> None:
    keys = told([(1.0, timestamp, payload) for timestamp, payload in flood])
    assert len(keys) <= 32
    assert set(keys) <= set(KEYS)


def test_a_reader_that_was_flooded_hears_the_next_press_and_remembers_little() -> None:
    reader = KeyReader()
    flood = "".join(reader.read(n, write_press("1")[0], 1.0) for n in range(1000))
    assert flood == "1" * 32
    assert len(reader._known) <= 32
    assert reader.read(5000, write_press("9")[0], 1.5) == "9"
