"""The one-time code by which a call is told to be about a case (rule 3 of the service description).

Rules:
- Six digits, made from the case's id and the server's secret key: none is stored, and none follows from another.
- It is compared in constant time. After five wrong ones within an hour no code is taken for the rest of it: a million
  codes at five an hour are not guessed while a case lives.
- A confirmed call uses it up: a later call with it is told when the first was confirmed.
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from guardia.features.cases.rules.projection import EventFact

DIGITS: Final = 6
WRONG_TRIES: Final = 5
WITHIN: Final = timedelta(hours=1)


def phone_code(case_id: UUID, key: str) -> str:
    """Return the code of a case."""
    made = hmac.new(key.encode(), b"phone code " + case_id.bytes, hashlib.sha256).digest()
    return f"{int.from_bytes(made[:8], 'big') % 10**DIGITS:0{DIGITS}d}"


def spoken_code(code: str) -> str:
    """Return a code as it is read aloud: in pairs, which do not part at the end of a line."""
    return "\N{NO-BREAK SPACE}".join(code[place : place + 2] for place in range(0, DIGITS, 2))


def is_right(said: str, code: str) -> bool:
    """Whether what was said is the code; blanks and hyphens between the digits do not matter."""
    digits = "".join(character for character in said if character not in " -\N{NO-BREAK SPACE}")
    return hmac.compare_digest(digits.encode(), code.encode())


def has_tries_left(events: Iterable[EventFact], now: datetime) -> bool:
    """Whether one more code may be tried for the case whose log this is."""
    wrong = [event for event in events if event.type == "phone_code_refused" and event.occurred_at > now - WITHIN]
    return len(wrong) < WRONG_TRIES
