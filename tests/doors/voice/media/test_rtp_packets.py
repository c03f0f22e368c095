"""RTP packets are read as RFC 3550 has them, and hostile ones are refused with the reason."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardia.doors.voice.media.rtp import LONGEST, BadPacket, Packet, read_packet, write_packet

SOUND = bytes(range(160))
HEAD = struct.pack("!HII", 7, 8, 9)

packets = st.builds(
    Packet,
    st.integers(0, 127),
    st.booleans(),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=400),
)


@settings(deadline=None)
@given(packets)
def test_what_is_written_is_read_back(packet: Packet) -> None:
    assert read_packet(write_packet(packet)) == packet


def test_sources_extension_and_padding_are_passed_over() -> None:
    extension = struct.pack("!HH", 0xBEDE, 2) + b"eight by"
    data = bytes([0x80 | 0x20 | 0x10 | 3, 0x80]) + HEAD + b"s" * 12 + extension + SOUND + b"\x00\x00\x00\x04"
    assert read_packet(data) == Packet(0, True, 7, 8, 9, SOUND)


@pytest.mark.parametrize(
    ("first", "rest", "why"),
    [
        (0x80, HEAD[:-1], "short"),
        (0x40, HEAD + SOUND, "version"),
        (0x00, HEAD + SOUND, "version"),
        (0x8F, HEAD + b"s" * 59, "length"),
        (0x90, HEAD + b"\xbe\xde\x00", "length"),
        (0x90, HEAD + b"\xbe\xde\xff\xff" + SOUND, "length"),
        (0xA0, HEAD + SOUND + b"\x00", "padding"),
        (0xA0, HEAD + SOUND + b"\xff", "padding"),
        (0xA0, HEAD, "padding"),
        (0xB1, HEAD + b"s" * 4 + b"\xbe\xde\x00\x00" + b"\x01\x03", "padding"),
        (0x80, HEAD + bytes(LONGEST), "length"),
    ],
)
def test_a_packet_whose_lengths_lie_is_refused(first: int, rest: bytes, why: str) -> None:
    with pytest.raises(BadPacket, match=f"^{why}$"):
        read_packet(bytes([first, 0]) + rest)


@settings(deadline=None)
@given(st.integers(0x80, 0xBF), st.binary(max_size=120))
def test_whatever_comes_is_a_packet_within_its_bytes_or_refused(first: int, rest: bytes) -> None:
    try:
        packet = read_packet(bytes([first]) + rest)
    except BadPacket:
        return
    assert packet.payload in rest
