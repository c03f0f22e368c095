"""The corpus of messages: real bytes in folders by class, and what is expected of each, in the folder's `index.toml`.

Keys of a message's table (all but the first two may be left out; what is left out is not compared):
- `outcome`, `reason`: where it ends, as in `InboundMail`.
- `from`: the envelope's sender where it is not the address in From; empty for the null sender.
- `to`: the envelope's recipient, where it is not the support address.
- `auth`: what the proofs of its domain say: `proven` (unless told otherwise, for everybody at the cast's domains and
  at strangers' own), `none`, `forged`.
- `subject`, `text_has`, `text_lacks`, `html_lacks`, `attachments` (names, in order).
- `faults_has`: names in `reading.faults`.
- `signals`: all of them, in any order. `reports`: `kind recipient status` each.
- `severity`, `case_class`, `kind`, `critical`, `passwords`: what it states.

Messages on a case hold places to fill in: `{{TOKEN_MESSAGE_ID}}`, `{{REPLY_ADDRESS}}`, `{{CASE_NUMBER}}` (with or
without its space) of a case of Lucía Ferrer's, `{{FOREIGN_MESSAGE_ID}}` of a case of the ceramics company. What is too
large to be kept as a file is made by `big.py`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parent
KEYS = {
    *("outcome", "reason", "from", "to", "auth", "subject", "text_has", "text_lacks", "html_lacks", "attachments"),
    *("faults_has", "signals", "reports", "severity", "case_class", "kind", "critical", "passwords"),
}
STRANGE_IDS = {
    "TOKEN_MESSAGE_ID": "token.of.a.case@guardia.example",
    "FOREIGN_MESSAGE_ID": "token.of.another@guardia.example",
    "REPLY_ADDRESS": "soporte+12345674.abc@guardia.example",
    "CASE_NUMBER": "1234 5674",
}
"""What a test fills in that needs no real case."""
_FROM = re.compile(rb"(?im)^(?:\xef\xbb\xbf)?from:[^\r\n]*?([\w.+-]+@[\w.-]+\w)")


@dataclass(frozen=True)
class Message:
    """A file of the corpus and what is expected of it."""

    folder: str
    name: str
    expected: Mapping[str, Any]

    @property
    def id(self) -> str:
        return f"{self.folder}/{self.name}"

    def raw(self, places: Mapping[str, str] = STRANGE_IDS) -> bytes:
        """The bytes as on the wire, with the places filled in."""
        raw = (CORPUS / self.folder / f"{self.name}.eml").read_bytes()
        for place, value in places.items():
            raw = raw.replace(b"{{%s}}" % place.encode(), value.encode())
        return raw

    @property
    def envelope_sender(self) -> str:
        """MAIL FROM: as told, else the address in From."""
        if "from" in self.expected:
            return str(self.expected["from"])
        found = _FROM.search(self.raw())
        return found[1].decode().lower() if found else ""


def messages() -> Iterator[Message]:
    """Every message of the corpus, by folder and name."""
    for index in sorted(CORPUS.glob("*/index.toml")):
        for name, expected in tomllib.loads(index.read_text(encoding="utf-8")).items():
            yield Message(index.parent.name, name, expected)
