"""The marks by which an answer finds its case: made with a key, so that nobody makes one up.

- T-1 A mail of ours about a case has the Message-ID `<mail.number.mac@domain>`; an answer names it in In-Reply-To or
  References, and so leads to the case. The mac covers the mail's own id and the case number.
- T-2 Its Reply-To is `local+number.mac@domain`, where the mac covers the case number and the person it is sent to: the
  address leads to the case for that person alone.
- T-3 Its return path is `bounce+mail.mac@domain`, so that a bounce leads to the mail that came back.
- T-4 `[1234 5678]` in a subject is a hint only: whoever reads it must take part in the case.

A mark says which case is meant, never who writes: the sender proves that apart. Marks are compared in constant time;
small and large letters are the same, since mail programs change them. 80 bits of HMAC-SHA-256 are kept.
"""

import base64
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import UUID

from guardia.kernel.ids import CASE_NUMBER_DIGITS, is_case_number

BOUNCES: Final = "bounce"
_MAC_BYTES: Final = 10
_SUBJECT: Final = re.compile(r"\[#?\s?(\d{4})[\s\u00a0]?(\d{4})\]")
_MARKED_ID: Final = re.compile(r"([a-z2-7]{26})\.(\d{8})\.([a-z2-7]{16})")


@dataclass(frozen=True)
class MailNames:
    """What makes and reads the marks: a secret key, and our address `local@domain`."""

    key: bytes
    local: str
    domain: str

    @classmethod
    def of(cls, key: bytes, address: str) -> "MailNames":
        """Return the names under a support address."""
        local, _, domain = address.lower().rpartition("@")
        return cls(key, local, domain)

    def message_id(self, mail: UUID, number: str) -> str:
        """T-1: the id, without brackets, of a mail about a case (`number` empty: about none)."""
        shown = number or "0" * CASE_NUMBER_DIGITS
        return f"{_short(mail)}.{shown}.{self._mac('id', mail.hex, shown)}@{self.domain}"

    def reply_address(self, number: str, person: UUID) -> str:
        """T-2: where a person's answer on a case goes."""
        return f"{self.local}+{number}.{self._mac('reply', number, person.hex)}@{self.domain}"

    def return_path(self, mail: UUID) -> str:
        """T-3: where the bounce of a mail goes."""
        return f"{BOUNCES}+{_short(mail)}.{self._mac('bounce', mail.hex)}@{self.domain}"

    def own_id(self, message_id: str) -> tuple[UUID, str] | None:
        """Return the mail and the case number (empty: about none) of a Message-ID of ours; None for every other."""
        local, _, domain = message_id.strip().lower().rpartition("@")
        match = _MARKED_ID.fullmatch(local)
        if domain != self.domain or match is None:
            return None
        mail, number = _long(match[1]), match[2]
        if not hmac.compare_digest(match[3], self._mac("id", mail.hex, number)):
            return None
        return mail, "" if number == "0" * CASE_NUMBER_DIGITS else number

    def replied(self, address: str, person: UUID) -> str:
        """Return the case number of a reply address that was given to this very person, else an empty text."""
        tag = self._tag(address, self.local)
        number, _, mac = tag.partition(".")
        is_real = is_case_number(number) and hmac.compare_digest(
            mac.encode(), self._mac("reply", number, person.hex).encode()
        )
        return number if is_real else ""

    def bounced(self, address: str) -> UUID | None:
        """Return the mail whose return path an address is, or None."""
        short, _, mac = self._tag(address, BOUNCES).partition(".")
        if len(short) != 26 or not re.fullmatch("[a-z2-7]+", short):  # noqa: PLR2004  base32 of 16 bytes
            return None
        mail = _long(short)
        return mail if hmac.compare_digest(mac.encode(), self._mac("bounce", mail.hex).encode()) else None

    def is_own_address(self, address: str) -> bool:
        """Whether an address is the desk itself: its support address, with or without a tag, or a return path."""
        local, _, domain = address.strip().lower().rpartition("@")
        return domain == self.domain and local.partition("+")[0] in {self.local, BOUNCES}

    def _tag(self, address: str, name: str) -> str:
        local, _, domain = address.strip().lower().rpartition("@")
        before, plus, tag = local.partition("+")
        return tag if domain == self.domain and before == name and plus else ""

    def _mac(self, *parts: str) -> str:
        digest = hmac.digest(self.key, "|".join(parts).encode(), "sha256")
        return base64.b32encode(digest[:_MAC_BYTES]).decode().lower()


def mail_key(secret: str) -> bytes:
    """Return the key of the marks, derived from the server's secret."""
    return sha256(f"guardia mail marks|{secret}".encode()).digest()


def numbers_in_subject(subject: str) -> tuple[str, ...]:
    """T-4: the case numbers in square brackets whose check digit holds, in their order, each once."""
    found = ("".join(match.groups()) for match in _SUBJECT.finditer(subject))
    return tuple(dict.fromkeys(number for number in found if is_case_number(number)))


def own_ids(names: MailNames, message_ids: Sequence[str]) -> tuple[tuple[UUID, str], ...]:
    """Return what the ids of ours among `message_ids` lead to, in their order."""
    found = (names.own_id(message_id) for message_id in message_ids)
    return tuple(one for one in found if one is not None)


def _short(mail: UUID) -> str:
    return base64.b32encode(mail.bytes).decode().lower().rstrip("=")


def _long(short: str) -> UUID:
    return UUID(bytes=base64.b32decode(short.upper() + "======"))
