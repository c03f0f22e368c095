"""RTP packets (RFC 3550): read with suspicion, written plainly. Nothing here does I/O or remembers anything.

A packet is refused with the reason why, one word for the figures: `short` (its header is not all there), `version` (not
2: STUN, SIP, anything else), `length` (its contributing sources or extension reach past its end, or it is longer than
any we would ask for), `padding` (more of it than there is payload, or none although it is announced).
"""

import struct
from typing import NamedTuple

PCMU, PCMA, COMFORT_NOISE = 0, 8, 13
"""Payload types by RFC 3551; those of key events are agreed for each call."""
HEADER = struct.Struct("!BBHII")
LONGEST = 1500
MARKER = 0x80
_VERSION = 2
_PADDING, _EXTENSION = 0x20, 0x10


class BadPacket(ValueError):
    """Why a packet is refused, in one word."""


class Packet(NamedTuple):
    """What is used of a packet. Sequence numbers have 16 bits, timestamps and sources 32."""

    kind: int
    is_marked: bool
    sequence: int
    timestamp: int
    source: int
    payload: bytes


def read_packet(data: bytes) -> Packet:
    """Read a packet. Raises BadPacket."""
    length = len(data)
    if length < HEADER.size:
        raise BadPacket("short")
    first, second, sequence, timestamp, source = HEADER.unpack_from(data)
    if first >> 6 != _VERSION:
        raise BadPacket("version")
    if length > LONGEST:
        raise BadPacket("length")
    start = HEADER.size + 4 * (first & 0x0F)
    if first & _EXTENSION:
        if start + 4 > length:
            raise BadPacket("length")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if start > length:
        raise BadPacket("length")
    if first & _PADDING:
        padding = data[-1]
        if not 0 < padding <= length - start:
            raise BadPacket("padding")
        length -= padding
    return Packet(second & 0x7F, second >= MARKER, sequence, timestamp, source, data[start:length])


def write_packet(packet: Packet) -> bytes:
    """Write a packet without contributing sources, extension or padding."""
    second = packet.kind | (MARKER if packet.is_marked else 0)
    return HEADER.pack(_VERSION << 6, second, packet.sequence, packet.timestamp, packet.source) + packet.payload
