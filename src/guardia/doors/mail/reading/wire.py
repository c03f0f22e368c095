"""What passes between the worker and the process that reads for it: lengths, JSON, and the bytes of files behind it.

No pickle: the process that reads has had strangers' bytes in its hands, so nothing that it says may run here. An answer
that is not exactly what is expected is a ValueError.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any, Final

from guardia.features.mail.rules.arrived import Attachment, DeliveryReport, Letter, Stated

LENGTHS: Final = struct.Struct("!IQ")
"""The length of the JSON, then that of the bytes behind it."""
LONGEST_JSON: Final = 64_000_000


def packed(said: Any, content: Sequence[bytes]) -> list[bytes]:
    """Return what is to be sent, in pieces that are not copied together."""
    text = json.dumps(said, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    return [LENGTHS.pack(len(text), sum(map(len, content))) + text, *content]


def packed_letter(letter: Letter) -> list[bytes]:
    """Return a letter as it is sent: its words as JSON, its files behind them."""
    said = {
        one.name: getattr(letter, one.name)
        for one in fields(Letter)
        if one.name not in {"attachments", "stated", "reports"}
    }
    said["stated"] = asdict(letter.stated)
    said["reports"] = [asdict(report) for report in letter.reports]
    said["files"] = [[file.name, file.type, len(file.content), file.is_inline] for file in letter.attachments]
    return packed(said, [file.content for file in letter.attachments])


def unpacked_letter(text: bytes, content: bytes) -> Letter:
    """Return the letter that was sent. Raise ValueError where it is none."""
    try:
        return _letter(json.loads(text), content)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no letter: {error}") from error


def _letter(said: dict[str, Any], content: bytes) -> Letter:
    files: list[Attachment] = []
    at = 0
    for name, kind, length, is_inline in said.pop("files"):
        files.append(Attachment(_text(name), _text(kind), content[at : at + length], bool(is_inline)))
        at += length
    if at != len(content) or any(file.content is None for file in files):
        raise ValueError("the files do not have the lengths that were named")
    stated = said.pop("stated")
    stated["fields"] = tuple((_text(name), _text(value)) for name, value in stated["fields"])
    stated["passwords"] = _texts(stated["passwords"])
    reports = tuple(
        DeliveryReport(**{name: _text(value) for name, value in one.items()}) for one in said.pop("reports")
    )
    several: dict[str, Any] = {
        name: _texts(said.pop(name)) for name in ("all_senders", "in_reply_to", "signals", "faults")
    }
    single: dict[str, Any] = {name: _text(value) for name, value in said.items()}
    return Letter(attachments=tuple(files), stated=Stated(**stated), reports=reports, **several, **single)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(_text(value) for value in values)
