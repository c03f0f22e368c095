"""winmail.dat opened: Outlook's own envelope around a text and files.

tnefparse reads the single values; the walk over objects and properties is ours, because its own copies the rest of the
data for each object, and counts as far as the data says, which may be four thousand million.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tnefparse import properties
from tnefparse.codepage import Codepage
from tnefparse.mapi import GUID_EXISTS_FLAG, MULTI_VALUE_FLAG, parse_property
from tnefparse.tnef import TNEF

MOST_OBJECTS: Final = 5_000
MOST_PROPERTIES: Final = 2_000
MOST_VALUES: Final = 1_000
MOST_FILES: Final = 100
_OBJECT: Final = struct.Struct("<BHHI")
_MESSAGE_SIGNATURE: Final = b"\x07\x03\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"
_SHORT: Final = (0x2, 0xB)
_COUNTED: Final = (0x0, 0xD, 0x1E, 0x1F, 0x102)


@dataclass(slots=True)
class TnefFile:
    """A file within."""

    name: str = ""
    content: bytes = b""


@dataclass(slots=True)
class Opened:
    """What was within. `has_rich_text`: there is a text in RTF, which is not read. `is_cut`: its end is missing."""

    text: str = ""
    html: str = ""
    files: list[TnefFile] = field(default_factory=list)
    has_rich_text: bool = False
    is_cut: bool = False


def open_tnef(content: bytes) -> Opened | None:
    """Return what is within, None where it cannot be read at all."""
    try:
        return _open(content)
    except (struct.error, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _open(content: bytes) -> Opened | None:
    if len(content) < 6 or struct.unpack_from("<I", content)[0] != TNEF.TNEF_SIGNATURE:  # noqa: PLR2004
        return None
    opened = Opened()
    codec = "cp1252"
    for name, data, is_whole in _objects(content):
        opened.is_cut = opened.is_cut or not is_whole
        if name == TNEF.ATTOEMCODEPAGE:
            codec = _codec(struct.unpack_from("<I", data)[0])
        elif name == TNEF.ATTBODY:
            opened.text = opened.text or data.rstrip(b"\x00").decode(codec, "replace")
        elif name == TNEF.ATTMAPIPROPS:
            _take_message(opened, data, codec)
        elif name == TNEF.ATTATTACHRENDDATA and len(opened.files) < MOST_FILES:
            opened.files.append(TnefFile())
        elif opened.files:
            _take_file(opened.files[-1], name, data, codec)
    return opened


def _objects(content: bytes) -> Iterator[tuple[int, bytes, bool]]:
    at = 6
    for _ in range(MOST_OBJECTS):
        if at + _OBJECT.size > len(content):
            if content[at:].strip(b"\x00"):
                yield 0, b"", False
            return
        _, name, _, length = _OBJECT.unpack_from(content, at)
        start = at + _OBJECT.size
        yield name, content[start : start + length], start + length <= len(content)
        at = start + length + 2
    raise ValueError("more objects than any mail program writes")


def _codec(number: int) -> str:
    codec = Codepage(number).best_guess() or "cp1252"
    try:
        "".encode(codec)
    except LookupError:
        return "cp1252"
    return codec


def _take_message(opened: Opened, data: bytes, codec: str) -> None:
    body, markup, internet = None, None, codec
    for name, value in _properties(data, codec):
        if name == properties.MAPI_INTERNET_CODEPAGE:
            internet = _codec(struct.unpack_from("<I", value)[0])
        elif name == properties.MAPI_BODY:
            body = value
        elif name == properties.MAPI_BODY_HTML:
            markup = value
        elif name == properties.MAPI_RTF_COMPRESSED:
            opened.has_rich_text = True
    opened.text = _as_text(body, internet) or opened.text
    opened.html = _as_text(markup, internet) or opened.html


def _take_file(file: TnefFile, name: int, data: bytes, codec: str) -> None:
    if name == TNEF.ATTATTACHTITLE:
        file.name = file.name or data.rstrip(b"\x00").decode(codec, "replace")
    elif name == TNEF.ATTATTACHDATA:
        file.content = data
    elif name == TNEF.ATTATTACHMENT:
        long_name = ""
        for prop, value in _properties(data, codec):
            if prop == properties.MAPI_ATTACH_LONG_FILENAME:
                long_name = _as_text(value, codec)
            elif prop == properties.MAPI_ATTACH_FILENAME:
                file.name = file.name or _as_text(value, codec)
            elif prop == properties.MAPI_ATTACH_DATA_OBJ and not file.content:
                whole = _as_bytes(value)
                file.content = whole.removeprefix(_MESSAGE_SIGNATURE)
        file.name = long_name or file.name


def _properties(data: bytes, codec: str) -> Iterator[tuple[int, Any]]:
    """Names and values, as far as they can be read."""
    try:
        yield from _all_properties(data, codec)
    except (struct.error, ValueError, LookupError):
        return  # what follows a broken one cannot be found without its length


def _all_properties(data: bytes, codec: str) -> Iterator[tuple[int, Any]]:
    """Names and values; counts are believed only within our limits."""
    at = 4
    for _ in range(min(struct.unpack_from("<I", data)[0], MOST_PROPERTIES)):
        if at + 4 > len(data):
            return
        kind, name = struct.unpack_from("<HH", data, at)
        at += 4
        if name >= GUID_EXISTS_FLAG:
            at += 16
            is_named, number = struct.unpack_from("<II", data, at)
            at += 8 + (number + -number % 4 if is_named else 0)
        values = 0
        if kind & MULTI_VALUE_FLAG:
            kind ^= MULTI_VALUE_FLAG
            values = min(struct.unpack_from("<I", data, at)[0], MOST_VALUES)
            at += 4
        if not values and kind in _COUNTED and struct.unpack_from("<I", data, at)[0] > MOST_VALUES:
            return
        value: Any = b""
        for _ in range(values or 1):
            value, at = parse_property(data, at, name, kind, codec, values)
        if (values or 1) % 2 and kind in _SHORT:
            at += 2
        yield name, value


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, list):
        return b"".join(one for one in value if isinstance(one, bytes))
    return value if isinstance(value, bytes) else b""


def _as_text(value: Any, codec: str) -> str:
    if isinstance(value, list) and any(isinstance(one, str) for one in value):
        return "".join(one for one in value if isinstance(one, str)).rstrip("\x00")
    return _as_bytes(value).rstrip(b"\x00").decode(codec, "replace")
