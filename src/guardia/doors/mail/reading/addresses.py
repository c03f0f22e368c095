"""Who wrote: the addresses of a field, and ids of messages; read before words are decoded: none hides in them."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from guardia.doors.mail.reading.charsets import Decoder
from guardia.doors.mail.reading.headers import Head, decoded_words, unicode_of
from guardia.kernel.plain_text import one_line

LONGEST_ADDRESS: Final = 320
LONGEST_DISPLAY: Final = 200
MOST_ADDRESSES: Final = 50
MOST_IDS: Final = 300
_ID: Final = re.compile(r"<([^<>]{1,400})>")
_BARE_ID: Final = re.compile(r"[^\s<>,;\"]{1,200}@[^\s<>,;\"]{1,200}")
_LONGEST_ID: Final = 300
_LOCAL: Final = re.compile(r"[^\s<>,;:\"()\[\]\\@]{1,64}")
_DOMAIN: Final = re.compile(
    r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*"
)


def mailboxes(field: str) -> list[tuple[str, str]]:
    """Return display name and address, both as written, of each mailbox of a field; groups are opened."""
    return [mailbox for mailbox in _Scanner().read(field) if any(mailbox)]


class _Scanner:
    """Goes once over the signs of a field; quotes, comments and angle brackets are states."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.angle: list[str] = []
        self.comment: list[str] = []
        self.has_angle = False
        self.depth = 0
        self.is_escaped = False
        self.step = self._outside

    def read(self, field: str) -> Iterator[tuple[str, str]]:
        """Yield each mailbox as it ends."""
        for sign in field:
            if self.step(sign):
                yield self._taken()
        yield self._taken()

    def _outside(self, sign: str) -> bool:
        """Take a sign outside of everything; whether a mailbox ends with it. The other states do the same."""
        if sign == '"':
            self.step = self._quoted
        elif sign == "<":
            self.step, self.has_angle = self._angled, True
        elif sign == "(":
            self.step, self.depth = self._commented, 1
        elif sign == ":":
            self.said.clear()
        elif sign not in ",;":
            self.said.append(sign)
        return sign in ",;"

    def _quoted(self, sign: str) -> bool:
        if sign == '"' and not self.is_escaped:
            self.step = self._outside
        elif not self._is_escape(sign):
            self.said.append(sign)
        return False

    def _commented(self, sign: str) -> bool:
        if not self.is_escaped:
            self.depth += (sign == "(") - (sign == ")")
        if not self.depth:
            self.step = self._outside
        elif not self._is_escape(sign):
            self.comment.append(sign)
        return False

    def _angled(self, sign: str) -> bool:
        if sign != ">":
            self.angle.append(sign)
            return False
        self.step = self._outside
        return True

    def _is_escape(self, sign: str) -> bool:
        self.is_escaped = sign == "\\" and not self.is_escaped
        return self.is_escaped

    def _taken(self) -> tuple[str, str]:
        said, angle = "".join(self.said).strip(), "".join(self.angle).strip()
        mailbox = (said, angle) if self.has_angle else ("".join(self.comment).strip(), said)
        self.said, self.angle, self.comment, self.has_angle = [], [], [], False
        return mailbox


def address_of(written: str) -> str:
    """Return an address in small letters with its domain in ASCII, empty where none can be like that."""
    bare = written.strip().removeprefix("mailto:").lower()
    local, at, domain = bare.rpartition("@")
    if not at or len(bare) > LONGEST_ADDRESS or not _LOCAL.fullmatch(local) or one_line(local) != local:
        return ""
    domain = domain.rstrip(".")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except (UnicodeError, ValueError):
            return ""  # no such domain can be asked for or answered to
    return f"{local}@{domain}" if local.isprintable() and _DOMAIN.fullmatch(domain) else ""


def senders(head: Head, decoder: Decoder) -> list[tuple[str, str]]:
    """Return name and address of everybody in the From fields; an impossible address is empty."""
    found: list[tuple[str, str]] = []
    for value in head.all("from"):
        said = mailboxes(unicode_of(value, decoder))
        # `Ruiz, Carmen <carmen@…>`, as old programs write it: a word without @ is part of the name beside it.
        meant = [one for one in said if "@" in one[1]] or said
        for name, written in meant:
            if len(found) < MOST_ADDRESSES:
                address = address_of(written) or address_of(decoded_words(written, decoder))
                found.append((display_name(name, decoder), address))
    return found


def display_name(name: str, decoder: Decoder) -> str:
    """Return a display name in one line."""
    return one_line(decoded_words(name[:4_000], decoder))[:LONGEST_DISPLAY].strip(" '")


def message_ids(values: Sequence[bytes]) -> list[str]:
    """Return the message ids of fields in their order, without brackets."""
    found: list[str] = []
    for value in values:
        text = value.decode("utf-8", "replace")
        said = _ID.findall(text) if "<" in text else _BARE_ID.findall(text)
        found += ["".join(one.split()) for one in said]
    return [one for said in found if (one := one_line(said)) and len(one) <= _LONGEST_ID]


def answered_ids(head: Head) -> tuple[str, ...]:
    """Return what a message answers, newest first, each once."""
    newest_first = [*message_ids(head.all("in-reply-to")), *reversed(message_ids(head.all("references")))]
    return tuple(dict.fromkeys(newest_first))[:MOST_IDS]
