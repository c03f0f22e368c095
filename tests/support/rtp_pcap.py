"""Capture files that sipp plays: keys as RFC 4733 events with a payload type of our choice."""

import struct
from pathlib import Path

_KEYS = "0123456789*#"
_PRESSED, _ENDS, _GAP = 5, 3, 5


def write_keys(path: Path, keys: str, source: int, payload_type: int = 101) -> float:
    """Write a capture in which keys are pressed for 100 ms each; return how many seconds it lasts.

    Sequence and time stamps begin alike in each, so that every capture of a call needs a source (SSRC) of its own.
    """
    packets: list[tuple[int, bytes]] = []
    sequence, frame = 100, 0
    for key in keys:
        stamp = 8000 + 160 * frame
        for number in range(_PRESSED + _ENDS):
            is_end = number >= _PRESSED
            event = struct.pack("!BBH", _KEYS.index(key), 0x80 * is_end | 10, 160 * min(number + 1, _PRESSED))
            marker = 0x80 if number == 0 else 0
            head = struct.pack("!BBHII", 0x80, marker | payload_type, sequence, stamp, source)
            packets.append((20 * (frame + number), head + event))
            sequence += 1
        frame += _PRESSED + _ENDS + _GAP
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)
    path.write_bytes(header + b"".join(_record(at_ms, payload) for at_ms, payload in packets))
    return frame * 0.02


def _record(at_ms: int, payload: bytes) -> bytes:
    udp = struct.pack("!HHHH", 6000, 6002, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
    frame = bytes(12) + b"\x08\x00" + ip + udp
    return struct.pack("<IIII", at_ms // 1000, at_ms % 1000 * 1000, len(frame), len(frame)) + frame
