"""A press is told once, however its packets come (RFC 4733)."""

import struct
from itertools import product

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


def events(key: str, *packets: tuple[float, int, int]) -> list[tuple[float, int, bytes]]:
    """Packets of a key from (when it comes, timestamp, duration); none says that it is the end."""
    return [
        (at, timestamp & 0xFFFFFFFF, struct.pack("!BBH", KEYS.index(key), 10, lasts))
        for at, timestamp, lasts in packets
    ]


def ended(packets: list[tuple[float, int, bytes]], every_end_moves_by: int = 0) -> list[tuple[float, int, bytes]]:
    """The same, and the last one says three times that it is the end."""
    at, timestamp, payload = packets[-1]
    over = payload[:1] + b"\x8a" + payload[2:]
    return packets[:-1] + [(at + n * TICK_S, timestamp + n * every_end_moves_by, over) for n in range(3)]


@pytest.mark.parametrize("every", [160, 400])
@pytest.mark.parametrize("lost", [(), (0,), (1,), (0, 1)])
def test_a_key_held_longer_than_an_event_can_last_is_one_press(every: int, lost: tuple[int, ...]) -> None:
    """RFC 4733, 2.5.1.3: it goes on as another event, at a timestamp 0xFFFF later, and so on."""
    first = 0xFFFF0000  # the time line wraps around too
    packets = [
        (n / 8000, first + (n - 1) // 0xFFFF * 0xFFFF, (n - 1) % 0xFFFF + 1) for n in range(every, 200_000, every)
    ]
    edge = next(n for n, packet in enumerate(packets) if packet[1] > first)
    kept = [packet for n, packet in enumerate(packets) if n - edge + 1 not in lost]
    assert len({timestamp for _at, timestamp, _lasts in kept}) == 4
    assert told(events("5", *kept)) == "5"
    assert told(ended(events("5", *kept)) + events("5", (26.0, first + 208_000, 160))) == "55"


@pytest.mark.parametrize("lasts", ["all that passed", "one packet", "all that passed, then an end that moves too"])
def test_a_sender_that_moves_the_timestamp_in_every_packet_of_a_press_doubles_nothing(lasts: str) -> None:
    def press(first: int) -> list[tuple[float, int, bytes]]:
        durations = [160] * 8 if lasts == "one packet" else [160 * n for n in range(1, 9)]
        sent = [(1 + (first + 160 * n) / 8000, first + 160 * n, duration) for n, duration in enumerate(durations)]
        return ended(events("0", *sent), 160 if lasts.endswith("too") else 0)

    packets = press(1000)
    assert told(packets) == "0"
    for lost in range(8):
        assert told(packets[:lost] + packets[lost + 1 :]) == "0"
    assert told(packets + press(1000 + 160 * 14)) == "00"


@pytest.mark.parametrize(("pressed", "gap"), [(2, 2), (2, 3), (3, 2), (5, 2), (8, 2), (8, 8)])
def test_the_second_of_two_quick_equal_presses_is_heard_whatever_is_lost(pressed: int, gap: int) -> None:
    """Counted in 20 ms; the ends of both are lost, and of the rest any but one packet each."""
    numbers = range(pressed)
    for first, second in product([kept for kept in product([False, True], repeat=pressed) if any(kept)], repeat=2):
        packets = [(1 + n / 50, 5000, 160 * (n + 1)) for n in numbers if first[n]]
        begins = pressed + gap
        packets += [(1 + (begins + n) / 50, 5000 + 160 * begins, 160 * (n + 1)) for n in numbers if second[n]]
        assert told(events("7", *packets)) == "77", packets


def test_equal_presses_without_any_gap_are_two_where_the_end_of_the_first_was_heard() -> None:
    one, two = (arrivals("3", gap_s=0.0) for _ in range(2))
    again = [(at + 0.1, timestamp + 800, payload) for at, timestamp, payload in two]
    assert told(one[:5] + again) == "33"


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
    flood = "".join(reader.read(n * 1000, write_press("1")[0], 1.0) for n in range(1000))
    assert flood == "1" * 32
    assert len(reader._known) <= 32
    assert reader.read(5000, write_press("9")[0], 1.5) == "9"
