"""Which parts are the message's words, which are files, and which are both.

- B-1 Text without a name that is not declared an attachment is body; of alternatives, the plain text unless it is empty
  or only says that HTML cannot be shown.
- B-2 The words of a message within the message count only where the outer one has none; so does text outside the parts.
- B-3 Whatever is not shown as words is a file. Of more files than are listed, the rest is one file, unread.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from guardia.doors.mail.reading import faults
from guardia.doors.mail.reading.calendars import calendar_text
from guardia.doors.mail.reading.charsets import Decoder
from guardia.doors.mail.reading.headers import decoded_words, words_of
from guardia.doors.mail.reading.markup import LONGEST_HTML, text_of
from guardia.doors.mail.reading.names import safe_name
from guardia.doors.mail.reading.structure import Part
from guardia.doors.mail.reading.transfer import files_within
from guardia.features.mail.rules.arrived import LONGEST_TEXT, MOST_ATTACHMENTS, Attachment

_BODIES: Final = {
    *("text/plain", "text/html", "text/enriched", "text/richtext", "text/markdown", "text/x-markdown"),
}
_MESSAGES: Final = {"message/rfc822", "message/global"}
_STUB: Final = re.compile(
    r"\bhtml\b.{0,200}\b(?:client|reader|viewer|program|support|browser|view|email|e-mail|cliente|lector|soport|admit|navegador|"
    r"compatible|visualiz|ver )"
    r"|\b(?:client|reader|viewer|program|cliente|lector|navegador|soporta|admite).{0,200}\bhtml\b",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST_STUB: Final = 400
_META: Final = re.compile(rb"<meta[^<>]{1,200}charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_LONGEST_FOR_TEXT: Final = 400_000
_ENOUGH: Final = 4 * LONGEST_TEXT


@dataclass(slots=True)
class Group:
    """The words of one alternative, or of one part that has none."""

    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    calendar: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return the best text (B-1)."""
        plain = "\n\n".join(filter(None, (text.strip("\n") for text in self.plain)))
        if self.html and (not plain.strip() or (len(plain) < _LONGEST_STUB and _STUB.search(plain))):
            derived = text_of("\n".join(self.html)[:_LONGEST_FOR_TEXT])
            plain = derived if derived.strip() else plain
        return "\n\n".join(filter(None, (plain, *self.calendar)))


@dataclass(slots=True)
class Bodies:
    """The words of a message in the order of its parts; of the message itself, or of one within it."""

    groups: dict[int, Group] = field(default_factory=dict)
    _single: int = 0
    length: int = 0

    def group_of(self, part: Part) -> Group:
        """Return the alternative that a part stands in, or a new group."""
        if not part.group:
            self._single -= 1
        return self.groups.setdefault(part.group or self._single, Group())

    def text(self) -> str:
        """Return all words."""
        return "\n\n".join(filter(None, (group.text().strip("\n") for group in self.groups.values())))

    def html(self) -> str:
        """Return all HTML, empty where there is nothing but plain text."""
        return "\n".join(markup for group in self.groups.values() for markup in group.html)


class Sorter:
    """Sorts the parts of one message into words and files (B-1 to B-3)."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self.outer = Bodies()
        self.inner = Bodies()
        self.named = Bodies()
        self.files: list[Attachment] = []
        self.images: list[tuple[str, Attachment]] = []
        self.rest: list[bytes] = []
        self.kept = 0

    def sort(self, parts: Sequence[Part], most_bytes: int) -> None:
        """Take in all parts; what is in messages within the message only as far as `most_bytes` of files go."""
        for part in parts:
            if part.is_rest:
                self.rest.append(part.raw())
            elif self._is_body(part):
                self._add_body(part, self.inner if part.nested else self.outer)
            elif len(self.files) >= MOST_ATTACHMENTS - 1:
                self.fault(faults.TOO_MANY_PARTS)
                self.rest.append(part.raw())
            elif part.nested and self.kept > most_bytes:
                self.fault(faults.TOO_LARGE_INSIDE)
            else:
                self._add_file(part)
        if self.rest:
            self.files.append(Attachment("rest-of-message.eml", "message/rfc822", _packed(self.rest)))

    def fault(self, fault: str) -> None:
        """Keep a fault, once."""
        if fault not in self._decoder.faults:
            self._decoder.faults.append(fault)

    def content(self, part: Part) -> bytes:
        """Return the decoded bytes of a part; the fault of its encoding is kept."""
        content, fault = part.content()
        if fault and content.strip():
            self.fault(fault)
        return content

    def _is_body(self, part: Part) -> bool:
        return part.kind.value in _BODIES and part.disposition.value != "attachment" and not _sent_name(part)

    def _add_body(self, part: Part, bodies: Bodies) -> None:
        if bodies.length > _ENOUGH:
            self.fault(faults.TEXT_CUT)
            return
        content = self.content(part)
        if not content.strip():
            return
        group = bodies.group_of(part)
        text = self.text(part, content)
        if part.kind.value == "text/html":
            group.html.append(text)
        elif part.kind.value in {"text/enriched", "text/richtext"}:
            group.plain.append(re.sub(r"</?[a-zA-Z-]{1,40}>", "", text))
        else:
            without, within = files_within(text)
            group.plain.append(without)
            for name, file in within:
                self._keep(Attachment(safe_name(name), "application/octet-stream", file))
        bodies.length += len(text)

    def text(self, part: Part, content: bytes) -> str:
        """Return the text of a part, cut where more than is ever shown."""
        is_html = part.kind.value == "text/html"
        longest = LONGEST_HTML if is_html else _ENOUGH
        declared = part.kind.parameters.get("charset", "")
        if is_html and not declared and (meta := _META.search(content, 0, 4_096)):
            declared = meta[1].decode("ascii")
        if len(content) > longest:
            self.fault(faults.HTML_CUT if is_html else faults.TEXT_CUT)
        text = self._decoder.text(content[:longest], declared, is_cut=len(content) > longest)
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _add_file(self, part: Part) -> None:
        kind = part.kind.value
        content = self.content(part)
        if kind in _MESSAGES:
            self._keep(Attachment(self._message_name(part, content), kind, content))
            return
        if kind == "text/calendar":
            bodies = self.inner if part.nested else self.outer
            if lines := calendar_text(self.text(part, content)):
                bodies.group_of(part).calendar.append(lines)
        elif kind in _BODIES and part.disposition.value != "attachment" and self.named.length <= _ENOUGH:
            group, text = self.named.group_of(part), self.text(part, content)
            self.named.length += len(text)
            (group.html if kind == "text/html" else group.plain).append(text)
        name = decoded_words(_sent_name(part), self._decoder) if _sent_name(part) else ""
        shown_name = "invite.ics" if kind == "text/calendar" and not name else safe_name(name, kind)
        content_id = part.head.first("content-id").decode("utf-8", "replace").strip("<> \t")
        is_inline = part.disposition.value != "attachment" and (
            (bool(content_id) and kind.startswith("image/")) or part.disposition.value == "inline"
        )
        file = Attachment(shown_name, kind, content, is_inline)
        self._keep(file)
        if content_id and kind.startswith("image/"):
            self.images.append((content_id, file))

    def _message_name(self, part: Part, content: bytes) -> str:
        name = decoded_words(_sent_name(part), self._decoder)
        if name:
            return safe_name(name, part.kind.value)
        head = re.search(rb"(?im)^subject:([^\r\n]{0,300})", content[:65_536])
        subject = words_of(head[1].strip(), self._decoder)[:120] if head else ""
        return safe_name(subject.replace("/", "-").replace("\\", "-") + ".eml" if subject.strip() else "message.eml")

    def _keep(self, file: Attachment) -> None:
        if len(self.files) < MOST_ATTACHMENTS - 1:
            self.files.append(file)
            self.kept += len(file.content)
        else:
            self.fault(faults.TOO_MANY_PARTS)


def _sent_name(part: Part) -> str:
    return part.disposition.parameters.get("filename", "").strip() or part.kind.parameters.get("name", "").strip()


def _packed(pieces: Sequence[bytes]) -> bytes:
    """Parts as a message that any mail program opens; a boundary that none of them holds."""
    boundary = b"rest-of-message"
    while any(b"--" + boundary in piece for piece in pieces):
        boundary += b"-x"
    return b"".join(_lines_of(pieces, boundary))


def _lines_of(pieces: Sequence[bytes], boundary: bytes) -> Iterator[bytes]:
    yield b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="' + boundary + b'"\r\n\r\n'
    for piece in pieces:
        yield b"--" + boundary + b"\r\n"
        yield piece
        yield b"\r\n"
    yield b"--" + boundary + b"--\r\n"
