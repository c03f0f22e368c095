"""The head of a message or of a part: fields split, words decoded, parameters read; linear, never failing.

- H-1 A head ends at the first blank line, or at the first line that is no field and has no known field right after it.
- H-2 A carriage return alone ends a line only where no line feed occurs at all; otherwise it counts as a blank.
- H-3 Encoded words next to each other, of the same set, are joined before they are decoded: others split characters.
"""

import binascii
import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from guardia.doors.mail.reading.charsets import Decoder, codec_of

MOST_FIELDS: Final = 10_000
LONGEST_HEAD: Final = 2_000_000
LONGEST_VALUE: Final = 200_000
_LONGEST_PARAMETERS: Final = 20_000
_MOST_PIECES: Final = 100
_FIELD: Final = re.compile(rb"([!-9;-~]{1,200})[ \t]{0,20}:")
_KNOWN: Final = re.compile(
    rb"(?:from|to|cc|subject|date|message-id|mime-version|content-[a-z-]{1,40}|x-[a-z0-9-]{1,60}|received|reply-to|"
    rb"return-path|in-reply-to|references|sender|importance|thread-[a-z]{1,10}|dkim-signature|auto-submitted|list-[a-z]{1,20})"
    rb"[ \t]{0,20}:",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"=\?([^?\s=]{1,60})\?([bBqQ])\?([^?]{0,75000})\?=")
_HEX: Final = re.compile(rb"=([0-9A-Fa-f]{2})")
_PARAMETER: Final = re.compile(
    r";[\s;]{0,200}([^\s=;\"]{1,80})\s{0,80}=\s{0,80}(\"(?:[^\"\\]|\\.)*\"|[^;]*)", re.DOTALL
)
_SECTION: Final = re.compile(r"([^*]{1,60})(?:\*(\d{1,3}))?(\*)?")


@dataclass(frozen=True, slots=True)
class Head:
    """The fields of a head in their order, names in small letters; `end` is where the body begins."""

    fields: Sequence[tuple[str, bytes]]
    end: int
    is_cut: bool = False
    has_blank: bool = True

    def first(self, name: str) -> bytes:
        """Return the value of the first such field, empty where there is none."""
        return next((value for field, value in self.fields if field == name), b"")

    def all(self, name: str) -> list[bytes]:
        """Return the values of all such fields."""
        return [value for field, value in self.fields if field == name]


def split_head(raw: bytes, start: int, end: int) -> Head:
    """Return the head of `raw[start:end]` (H-1)."""
    fields: list[tuple[str, bytes]] = []
    pieces: list[bytes] = []
    name = ""
    at = start + len(codecs.BOM_UTF8) if raw.startswith(codecs.BOM_UTF8, start, end) else start
    last = min(end, start + LONGEST_HEAD)
    has_blank = False
    while at < end:
        if at >= last or len(fields) >= MOST_FIELDS:
            _close(fields, name, pieces)
            return Head(fields, _after_blank(raw, at, end), is_cut=True)
        stop = raw.find(b"\n", at, end)
        after = end if stop < 0 else stop + 1
        line = raw[at : end if stop < 0 else stop].rstrip(b"\r")
        if not line.strip(b" \t\r\x00"):
            has_blank = True
            at = after
            break
        if line[0] in b" \t" and name:
            pieces.append(line)
        elif match := _FIELD.match(line):
            _close(fields, name, pieces)
            name, pieces = match[1].decode("ascii").lower(), [line[match.end() :]]
        elif at == start and line.startswith((b"From ", b">From ")):
            pass  # an mbox line
        elif not _is_spoilt(raw, after, end, is_first=not (fields or name)):
            break
        at = after
    _close(fields, name, pieces)
    return Head(fields, at, has_blank=has_blank)


def _is_spoilt(raw: bytes, after: int, end: int, *, is_first: bool) -> bool:
    """Whether a line that is no field only stands among fields: what follows it is a known one, at the start two."""
    match = _KNOWN.match(raw, after, end)
    if match is None or not is_first:
        return match is not None
    following = raw.find(b"\n", after, min(end, after + 2_000)) + 1
    return following > 0 and _KNOWN.match(raw, following, end) is not None


def _close(fields: list[tuple[str, bytes]], name: str, pieces: Sequence[bytes]) -> None:
    if name:
        value = (
            pieces[0] if len(pieces) == 1 else b" ".join([pieces[0], *(piece.lstrip(b" \t") for piece in pieces[1:])])
        )
        fields.append((name, value[:LONGEST_VALUE].translate(_BLANKS, b"\x00").strip()))


_BLANKS: Final = bytes.maketrans(b"\r\t\x0b\x0c", b"    ")


def _after_blank(raw: bytes, at: int, end: int) -> int:
    """Where the body of a head that is too large begins."""
    found = [
        place + len(blank) for blank in (b"\n\n", b"\n\r\n") if (place := raw.find(blank, max(0, at - 1), end)) >= 0
    ]
    return min(found, default=end)


def unicode_of(value: bytes, decoder: Decoder) -> str:
    """Return the text of a field whose encoded words are left as they are."""
    return value.decode("ascii") if value.isascii() and b"\x1b" not in value else decoder.text(value)


def words_of(value: bytes, decoder: Decoder) -> str:
    """Return the text of a field with its encoded words decoded (H-3)."""
    return decoded_words(unicode_of(value, decoder), decoder)


def decoded_words(text: str, decoder: Decoder) -> str:
    """Return `text` with its encoded words decoded (H-3)."""
    if "=?" not in text:
        return text
    return "".join(_with_words(text, decoder))


def _with_words(text: str, decoder: Decoder) -> Iterator[str]:
    charset, content = "", bytearray()
    at = 0
    for match in _WORD.finditer(text):
        between = text[at : match.start()]
        named = match[1].partition("*")[0].lower()
        if content and (between.strip() or named != charset):
            yield decoder.text(bytes(content), charset)
            content.clear()
        if between.strip() or not at:
            yield between
        charset = named
        content += _word_bytes(match[2], match[3])
        at = match.end()
    if content:
        yield decoder.text(bytes(content), charset)
    yield text[at:]


def _word_bytes(encoding: str, said: str) -> bytes:
    content = said.encode("utf-8", "replace")
    if encoding in "qQ":
        return _HEX.sub(lambda code: bytes((int(code[1], 16),)), content.replace(b"_", b" "))
    bare = re.sub(rb"[^A-Za-z0-9+/]", b"", content)
    bare = bare[:-1] if len(bare) % 4 == 1 else bare
    return binascii.a2b_base64(bare + b"=" * (-len(bare) % 4))


@dataclass(frozen=True, slots=True)
class Described:
    """A field like Content-Type: its value in small letters, and its parameters."""

    value: str
    parameters: dict[str, str]


def described(value: bytes, decoder: Decoder) -> Described:
    """Return a field of a value and parameters, RFC 2231 and its misuses included."""
    if not value:
        return Described("", {})
    text = unicode_of(value[:_LONGEST_PARAMETERS], decoder)
    first, apart, _ = text.partition(";")
    if not apart:
        return Described(first.strip().lower(), {})
    plain: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for match in _PARAMETER.finditer(text, len(first)):
        said = match[2].strip()
        if said.startswith('"'):
            said = (
                re.sub(r"\\(.)", r"\1", said.strip('"')) if not re.search(r"\\[A-Za-z0-9]", said) else said.strip('"')
            )
        section = _SECTION.fullmatch(match[1].lower())
        if section is None or not (section[2] or section[3]):
            plain.setdefault(match[1].lower(), said)
        elif len(pieces.setdefault(section[1], [])) < _MOST_PIECES:
            pieces[section[1]].append((int(section[2] or 0), bool(section[3]), said))
    for name, said_pieces in pieces.items():
        plain[name] = _joined(sorted(said_pieces, key=lambda piece: piece[0]), decoder)
    return Described(first.strip().lower(), plain)


def _joined(pieces: Sequence[tuple[int, bool, str]], decoder: Decoder) -> str:
    """A parameter of several pieces (RFC 2231); its set is named before the first quote."""
    charset = ""
    content = bytearray()
    for at, (_, is_coded, said) in enumerate(pieces):
        coded = said
        if at == 0 and is_coded and said.count("'") > 1:
            charset, _, coded = said.split("'", 2)
        content += unquote_to_bytes(coded) if is_coded else coded.encode("utf-8", "replace")
    return decoder.text(bytes(content), charset if codec_of(charset) else "")
