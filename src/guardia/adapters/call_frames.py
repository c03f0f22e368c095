"""The frames of a call's journal: what they tell, as a record of the call, and how they are sealed in a file.

Rules:
- Each frame is sealed by AES-256-GCM for its call, its nonce being a fresh random prefix and the frame's number: none
  can be removed, swapped, doubled or brought from another call. Only an end can be missing, which looks as if the line
  had been killed there.
- What the file ends in the middle of is left out on reading: a write that a kill, a full disk or a power cut tore.
  Anything else that does not prove true makes the journal unreadable.
"""

import base64
import errno
import json
import secrets
import struct
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guardia.adapters.lab_keys import LabKeysRefused
from guardia.kernel.outside import CallFacts, CallNote, CallRecord, JournalUnreadable, KeptSound, LabKeys

MAGIC: Final = b"GRDCALL1"
BYTES_A_SECOND: Final = 8000
"""Of µ-law sound."""
_LENGTH_BYTES: Final = 4
_HEAD: Final = struct.Struct(">I8sI")
"""How long the sealed bytes are, the nonce's random prefix, and a checksum of both and the frame's number: a damaged
length must not pass for a torn end."""
_SECTOR: Final = 512
_TAG_BYTES: Final = 16

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
    notes, ended_at, last_at = [], None, facts.started_at
    for told, _ in frames:
        at = datetime.fromisoformat(told["at"])
        last_at = max(last_at, at)
        if told["is"] == "note":
            notes.append(CallNote(at, told["what"], told["data"]))
        elif told["is"] == "end":
            ended_at = at
    return CallRecord(facts, notes, _sounds(frames), ended_at, last_at)


def _sounds(frames: Sequence[Frame]) -> list[KeptSound]:
    begun: dict[int, tuple[str, datetime]] = {}
    length: dict[int, int] = {}
    voiced: dict[int, float] = {}
    for told, audio in frames:
        if told["is"] == "sound":
            begun[told["number"]] = told["kind"], datetime.fromisoformat(told["at"])
            length[told["number"]], voiced[told["number"]] = 0, 0.0
        elif told["is"] == "piece":
            length[told["number"]] += len(audio)
            voiced[told["number"]] += told["voiced"]
    return [
        KeptSound(number, kind, at, length[number] / BYTES_A_SECOND, round(voiced[number], 3))
        for number, (kind, at) in sorted(begun.items())
    ]


def audio_of(frames: Sequence[Frame], number: int) -> bytes:
    """Return a recording's sound. Raises FileNotFoundError where there is no such recording."""
    if not any(told["is"] == "sound" and told["number"] == number for told, _ in frames):
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
    """Return the frames of a file, without a torn end. Raises JournalUnreadable."""
    try:
        told, end = _opened_header(content)
        cipher = AESGCM(keys.unwrap(base64.b64decode(told["wrapped"]), told["key"]))
        frames = list(_each_frame(_without_lost_end(content), end, call_id, cipher))
        record_of(call_id, frames)
    except InvalidTag as error:
        raise JournalUnreadable(f"{call_id}: a frame is damaged, or another's") from error
    except (LabKeysRefused, ValueError, LookupError, TypeError, struct.error) as error:
        raise JournalUnreadable(f"{call_id}: {error}") from error
    return frames


def _opened_header(content: bytes) -> tuple[dict[str, Any], int]:
    """Return what the header tells, and where it ends."""
    if not content.startswith(MAGIC):
        raise ValueError("it is no journal")
    start = len(MAGIC) + _LENGTH_BYTES
    end = start + int.from_bytes(content[len(MAGIC) : start], "big")
    told: dict[str, Any] = json.loads(content[start:end])
    return told, end


def _each_frame(content: bytes, start: int, call_id: UUID, cipher: AESGCM) -> Iterator[Frame]:
    number = 0
    while start + _HEAD.size <= len(content):
        length, prefix, checksum = _HEAD.unpack_from(content, start)
        if not length and not any(content[start:]):
            return
        if checksum != _checksum(length, prefix, number):
            raise ValueError(f"frame {number} is damaged, or not in its place")
        start, end = start + _HEAD.size, start + _HEAD.size + length
        if end > len(content):
            return
        plain = cipher.decrypt(_nonce(prefix, number), content[start:end], call_id.bytes)
        told, _, audio = plain.partition(b"\n")
        yield json.loads(told), audio
        start, number = end, number + 1


def _without_lost_end(content: bytes) -> bytes:
    """Return a file without the zeros that a power cut leaves where data had not reached the disk.

    No whole frame ends in as many: its last bytes are a tag.
    """
    sector = -(-len(content.rstrip(b"\0")) // _SECTOR) * _SECTOR
    return content[:sector] if len(content) - sector >= _TAG_BYTES else content
