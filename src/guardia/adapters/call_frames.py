"""The frames of a call's journal: what they tell, as a record of the call, and how they are sealed in a file.

Rules:
- Each frame is sealed by AES-256-GCM for its call, its nonce being a fresh random prefix and the frame's number: none
  can be removed, swapped, doubled or brought from another call unseen. Only an end can be missing, which looks as if
  the line had been killed there.
- What the file ends in the middle of is left out on reading: a write that a kill, a full disk or a power cut tore.
- Any other frame that does not prove true is left out too, and the note `damaged` stands in its place. Reading goes on
  at the next frame that proves true and comes later in the order. Sound whose beginning is lost is a message.
- Without its header and its first frame a journal is unreadable; where only the lab key is missing, it is locked.
"""

import base64
import errno
import json
import secrets
import struct
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guardia.adapters.lab_keys import LabKeysRefused
from guardia.kernel.outside import (
    CallFacts,
    CallNote,
    CallRecord,
    JournalLocked,
    JournalUnreadable,
    KeptSound,
    LabKeys,
)

MAGIC: Final = b"GRDCALL1"
BYTES_A_SECOND: Final = 8000
"""Of µ-law sound."""
_LENGTH_BYTES: Final = 4
_HEAD: Final = struct.Struct(">I8sI")
"""How long the sealed bytes are, the nonce's random prefix, and a checksum of both and the frame's number: a damaged
length must not pass for a torn end."""
_SECTOR: Final = 512
_TAG_BYTES: Final = 16
_MOST_LOST_BYTES: Final = 1024 * 1024
_MOST_LOST_FRAMES: Final = 4096
"""How far behind a damage the next frame is looked for, at least."""
_DAMAGED: Final = "damaged"

Frame = tuple[dict[str, Any], bytes]
"""What a frame tells, and its sound."""


# ---- what frames tell ----


def facts_frame(facts: CallFacts) -> Frame:
    told = {"is": "call", "direction": facts.direction, "at": facts.started_at.isoformat(), "caller": facts.caller}
    return told, b""


def record_of(call_id: UUID, frames: Sequence[Frame]) -> CallRecord:
    """Return what frames tell. Raises LookupError, ValueError or TypeError where they are no journal's."""
    begun, _ = frames[0]
    facts = CallFacts(call_id, begun["direction"], datetime.fromisoformat(begun["at"]), begun["caller"])
    notes: list[CallNote] = []
    ended_at, last_at = None, facts.started_at
    for told, _ in frames:
        at = datetime.fromisoformat(told["at"])
        last_at = max(last_at, at)
        if told["is"] == "note":
            notes.append(CallNote(at, told["what"], told["data"]))
        elif told["is"] == "end":
            ended_at = at
    is_damaged = any(note.what == _DAMAGED for note in notes)
    return CallRecord(facts, notes, _sounds(frames), ended_at, last_at, is_damaged=is_damaged)


def _sounds(frames: Sequence[Frame]) -> list[KeptSound]:
    begun: dict[int, tuple[str, datetime]] = {}
    length: dict[int, int] = {}
    voiced: dict[int, float] = {}
    for told, audio in frames:
        if told["is"] not in {"sound", "piece"}:
            continue
        number = told["number"]
        if number not in begun:
            begun[number] = told.get("kind", "message"), datetime.fromisoformat(told["at"])
        length[number] = length.get(number, 0) + len(audio)
        voiced[number] = voiced.get(number, 0.0) + told.get("voiced", 0.0)
    return [
        KeptSound(number, kind, at, length[number] / BYTES_A_SECOND, round(voiced[number], 3))
        for number, (kind, at) in sorted(begun.items())
    ]


def audio_of(frames: Sequence[Frame], number: int) -> bytes:
    """Return a recording's sound. Raises FileNotFoundError where there is no such recording."""
    if not any(told["is"] in {"sound", "piece"} and told["number"] == number for told, _ in frames):
        raise FileNotFoundError(errno.ENOENT, f"no recording {number}")
    return b"".join(audio for told, audio in frames if told["is"] == "piece" and told["number"] == number)


# ---- frames as bytes ----


def sealed_frame(frame: Frame, number: int, call_id: UUID, cipher: AESGCM) -> bytes:
    told, audio = frame
    prefix = secrets.token_bytes(8)
    sealed = cipher.encrypt(_nonce(prefix, number), json.dumps(told).encode() + b"\n" + audio, call_id.bytes)
    return _HEAD.pack(len(sealed), prefix, _checksum(len(sealed), prefix, number)) + sealed


def _nonce(prefix: bytes, number: int) -> bytes:
    return prefix + number.to_bytes(4, "big")


def _checksum(length: int, prefix: bytes, number: int) -> int:
    return zlib.crc32(struct.pack(">I8sI", length, prefix, number))


def header_of(wrapped: bytes, key_id: str) -> bytes:
    told = json.dumps({"key": key_id, "wrapped": base64.b64encode(wrapped).decode()}).encode()
    return MAGIC + len(told).to_bytes(_LENGTH_BYTES, "big") + told


def frames_of(content: bytes, call_id: UUID, keys: LabKeys) -> list[Frame]:
    """Return the frames of a file, without a torn end. Raises JournalLocked, JournalUnreadable."""
    try:
        told, end = _opened_header(content)
        cipher = AESGCM(keys.unwrap(base64.b64decode(told["wrapped"]), told["key"]))
        frames = _with_damage_noted(_each_frame(_without_lost_end(content), end, call_id, cipher))
        record_of(call_id, frames)
    except LabKeysRefused as error:
        raise JournalLocked(f"{call_id}: {error}") from error
    except (ValueError, LookupError, TypeError, struct.error) as error:
        raise JournalUnreadable(f"{call_id}: {error}") from error
    return frames


def is_locked(content: bytes, keys: LabKeys) -> bool:
    """Whether the key of a file, or of its beginning, cannot be had with these lab keys."""
    try:
        told, _ = _opened_header(content)
        keys.unwrap(base64.b64decode(told["wrapped"]), told["key"])
    except LabKeysRefused:
        return True
    except (ValueError, LookupError, TypeError):
        return False
    return False


def _with_damage_noted(found: Iterator[Frame | None]) -> list[Frame]:
    """Return frames with one note for each place where some are damaged (None). Raises ValueError without the first."""
    frames: list[Frame] = []
    for frame in found:
        if frame is not None:
            frames.append(frame)
        elif not frames:
            raise ValueError("its first frame is damaged, or another's")
        elif frames[-1][0].get("what") != _DAMAGED:
            frames.append(({"is": "note", "what": _DAMAGED, "at": frames[-1][0]["at"], "data": {}}, b""))
    return frames


def _opened_header(content: bytes) -> tuple[dict[str, Any], int]:
    """Return what the header tells, and where it ends."""
    if not content.startswith(MAGIC):
        raise ValueError("it is no journal")
    start = len(MAGIC) + _LENGTH_BYTES
    end = start + int.from_bytes(content[len(MAGIC) : start], "big")
    told: dict[str, Any] = json.loads(content[start:end])
    return told, end


def _each_frame(content: bytes, start: int, call_id: UUID, cipher: AESGCM) -> Iterator[Frame | None]:
    """Yield the frames, and None in the place of what is damaged."""
    number, written = 0, len(content.rstrip(b"\0"))
    while start + _HEAD.size <= len(content) and start < written:
        length, prefix, checksum = _HEAD.unpack_from(content, start)
        if checksum == _checksum(length, prefix, number):
            if start + _HEAD.size + length > len(content):
                return
            yield _frame_at(content, start, number, call_id, cipher)
            start, number = start + _HEAD.size + length, number + 1
            continue
        yield None
        found = _next_frame(content, start, number, call_id, cipher)
        if found is None:
            return
        start, number = found


def _frame_at(content: bytes, start: int, number: int, call_id: UUID, cipher: AESGCM) -> Frame | None:
    """Return the frame that begins there; None where it does not prove true."""
    length, prefix, _ = _HEAD.unpack_from(content, start)
    sealed = content[start + _HEAD.size : start + _HEAD.size + length]
    try:
        plain = cipher.decrypt(_nonce(prefix, number), sealed, call_id.bytes)
    except InvalidTag:
        return None
    told, _, audio = plain.partition(b"\n")
    return json.loads(told), audio


def _next_frame(content: bytes, start: int, number: int, call_id: UUID, cipher: AESGCM) -> tuple[int, int] | None:
    """Return where the next frame that proves true begins, and its number, at least `number`.

    A checksum is linear in the number, so that one look tells which number a head would be of.
    """
    numbers = _numbers(number // _MOST_LOST_FRAMES)
    for place in range(start, min(start + _MOST_LOST_BYTES, len(content) - _HEAD.size)):
        if content[place]:  # no frame is as long
            continue
        length, prefix, checksum = _HEAD.unpack_from(content, place)
        if not _TAG_BYTES <= length <= len(content) - place - _HEAD.size:
            continue
        found = numbers.get(checksum ^ _checksum(length, prefix, 0), -1)
        if found >= number and _frame_at(content, place, found, call_id, cipher) is not None:
            return place, found
    return None


@lru_cache(maxsize=4)
def _numbers(block: int) -> dict[int, int]:
    """Return the numbers of a block of frames and of the block after it, by what each changes in a checksum."""
    zero, first = _checksum(0, bytes(8), 0), block * _MOST_LOST_FRAMES
    return {_checksum(0, bytes(8), one) ^ zero: one for one in range(first, first + 2 * _MOST_LOST_FRAMES)}


def _without_lost_end(content: bytes) -> bytes:
    """Return a file without the zeros that a power cut leaves where data had not reached the disk.

    No whole frame ends in as many: its last bytes are a tag.
    """
    sector = -(-len(content.rstrip(b"\0")) // _SECTOR) * _SECTOR
    return content[:sector] if len(content) - sector >= _TAG_BYTES else content
