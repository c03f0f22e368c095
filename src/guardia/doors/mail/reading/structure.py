"""The parts of a message, however it is built or broken: found by an own splitter that neither recurses nor copies.

- P-1 A boundary counts only as a whole line. After the closing one, further parts are still read.
- P-2 A missing boundary is guessed from the first line that looks like one; without any, the body is one part.
- P-3 Messages within messages are opened a few deep; they stay whole beside what is found in them.
- P-4 Depth, parts and bytes looked at are limited; what is beyond is one part that is kept unread.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from guardia.doors.mail.reading import faults, transfer
from guardia.doors.mail.reading.charsets import Decoder
from guardia.doors.mail.reading.headers import Described, Head, described, split_head

MOST_PARTS: Final = 500
DEEPEST: Final = 1_500
NESTED_DEEPEST: Final = 3
SCANNED_AT_MOST: Final = 300_000_000
_MOST_CANDIDATES: Final = 5_000
_GUESS: Final = re.compile(rb"^--([^\s-][^\r\n]{0,199}?)(?:--)?[ \t]*\r?$", re.MULTILINE)
_TYPE: Final = re.compile(r"[!-.0-~]{1,127}/[!-~]{1,127}")


@dataclass(frozen=True, slots=True)
class Part:
    """A part that has no parts. `group` numbers the multipart/alternative it stands in, 0 where in none."""

    source: bytes
    start: int
    body: int
    end: int
    head: Head
    kind: Described
    disposition: Described
    group: int
    nested: int
    parent: str
    is_rest: bool = False

    def raw(self) -> bytes:
        """Return the part as it came, with its head."""
        return self.source[self.start : self.end]

    def content(self) -> tuple[bytes, str]:
        """Return the decoded bytes and the fault of its encoding."""
        encoding = self.head.first("content-transfer-encoding").decode("ascii", "replace")
        return transfer.decoded(self.source[self.body : self.end], encoding)


@dataclass(slots=True)
class Message:
    """What the splitter found: the outermost head, all parts in their order, and what stands outside of them."""

    head: Head
    kind: Described
    parts: list[Part] = field(default_factory=list)
    types: list[bytes] = field(default_factory=list)
    strays: list[bytes] = field(default_factory=list)
    containers: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Open:
    source: bytes
    start: int
    end: int
    depth: int
    nested: int
    group: int
    parent: str


class Splitter:
    """Takes one message apart (P-1 to P-4); faults go to the decoder's list."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._scanned = 0
        self._groups = 0

    def split(self, raw: bytes) -> Message:
        """Return the parts of `raw`."""
        whole = _Open(raw, 0, len(raw), 0, 0, 0, "")
        head = split_head(raw, 0, len(raw))
        if head.is_cut:
            self._fault(faults.HEAD_CUT)
        if not head.has_blank and head.end < len(raw):
            self._fault(faults.NO_SEPARATOR)
        message = Message(head, self._kind(head, ""))
        waiting = [(whole, head)]
        while waiting:
            piece, its_head = waiting.pop()
            within = self._take(message, piece, its_head)
            waiting += [(one, split_head(one.source, one.start, one.end)) for one in reversed(within)]
        return message

    def _kind(self, head: Head, parent: str) -> Described:
        kind = described(head.first("content-type"), self._decoder)
        if _TYPE.fullmatch(kind.value):
            return kind
        default = "message/rfc822" if parent == "multipart/digest" else "text/plain"
        if kind.value and "html" in kind.value:
            default = "text/html"
        elif kind.value and "name" in kind.parameters:
            default = "application/octet-stream"
        return Described(default, kind.parameters)

    def _take(self, message: Message, piece: _Open, head: Head) -> list[_Open]:
        """Add a part, or return the pieces within it."""
        kind = self._kind(head, piece.parent)
        if not piece.nested:
            message.types.append(head.first("content-type")[:500])
        is_beyond = len(message.parts) >= MOST_PARTS or piece.depth > DEEPEST or self._scanned > SCANNED_AT_MOST
        disposition = described(head.first("content-disposition"), self._decoder)
        if is_beyond:
            self._fault(faults.TOO_MANY_PARTS)
        elif kind.value.startswith("multipart/"):
            within = self._pieces(message, piece, head, kind)
            if within is not None:
                return within
            kind = Described("text/plain", {})
        part = Part(
            *(piece.source, piece.start, head.end, piece.end, head, kind, disposition),
            *(piece.group, piece.nested, piece.parent, is_beyond),
        )
        message.parts.append(part)
        return [] if is_beyond else self._nested(part, piece)

    def _nested(self, part: Part, piece: _Open) -> list[_Open]:
        """P-3: what is in a message within the message."""
        if part.kind.value not in {"message/rfc822", "message/global"} or piece.nested >= NESTED_DEEPEST:
            return []
        if part.parent == "multipart/report":
            return []
        content, fault = part.content()
        if fault:
            self._fault(fault)
        return (
            [_Open(content, 0, len(content), piece.depth + 1, piece.nested + 1, 0, part.kind.value)] if content else []
        )

    def _pieces(self, message: Message, piece: _Open, head: Head, kind: Described) -> list[_Open] | None:
        boundary = kind.parameters.get("boundary", "").strip().encode("utf-8", "replace")
        places, is_closed = self._boundaries(piece.source, head.end, piece.end, boundary) if boundary else ([], True)
        if not places:
            self._fault(faults.BOUNDARY_MISSING)
            guess = _GUESS.search(piece.source, head.end, min(piece.end, head.end + 65_536))
            if guess is None:
                return None
            places, is_closed = self._boundaries(piece.source, head.end, piece.end, guess[1].removesuffix(b"--"))
            if not places:
                return None
        if not is_closed:
            self._fault(faults.BOUNDARY_OPEN)
        if not piece.nested:
            message.containers.add(kind.value)
        return self._between(message, piece, kind, [(head.end, head.end, False), *places])

    def _between(
        self, message: Message, piece: _Open, kind: Described, places: Sequence[tuple[int, int, bool]]
    ) -> list[_Open]:
        group = piece.group
        if kind.value == "multipart/alternative" and not group:
            self._groups += 1
            group = self._groups
        found: list[_Open] = []
        ends = [*(place[0] for place in places[1:]), piece.end]
        for at, ((_, start, is_close), end) in enumerate(zip(places, ends, strict=True)):
            stop = _without_last_break(piece.source, start, end)
            if at == 0 or is_close:
                stray = piece.source[start : min(stop, start + 100_000)].strip()
                if stray and not piece.nested:
                    message.strays.append(stray)
            elif start < end:
                found.append(_Open(piece.source, start, stop, piece.depth + 1, piece.nested, group, kind.value))
        return found

    def _boundaries(
        self, source: bytes, start: int, end: int, boundary: bytes
    ) -> tuple[list[tuple[int, int, bool]], bool]:
        """Where the boundary's lines begin and end, and whether each closes (P-1); whether the last one does."""
        self._scanned += end - start
        delimiter = b"--" + boundary
        places: list[tuple[int, int, bool]] = []
        at = source.find(delimiter, start, end)
        for _ in range(_MOST_CANDIDATES):
            if at < 0:
                break
            after = at + len(delimiter)
            if at == start or source[at - 1] in b"\r\n":
                stop = source.find(b"\n", after, min(end, after + 1_000))
                stop = stop if stop >= 0 else min(end, after + 1_000)
                tail = source[after:stop].strip(b" \t\r")
                if tail in {b"", b"--"}:
                    places.append((at, min(stop + 1, end), tail == b"--"))
                    after = stop
            at = source.find(delimiter, after, end)
        return places, bool(places) and any(is_close for _, _, is_close in places)

    def _fault(self, fault: str) -> None:
        if fault not in self._decoder.faults:
            self._decoder.faults.append(fault)


def _without_last_break(source: bytes, start: int, end: int) -> int:
    """The line break before a boundary belongs to the boundary."""
    if end > start and source[end - 1 : end] == b"\n":
        end -= 1
    if end > start and source[end - 1 : end] == b"\r":
        end -= 1
    return end
