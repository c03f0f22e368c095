"""The PIN by which a company's person is known on the phone, and how many wrong ones are taken.

Rules:
- Six digits, made by the server and never chosen; what somebody would guess first is never made.
- What is kept is keyed with the server's secret and bound to the person: whoever has only the database can try none.
- Five wrong tries within an hour close the keyed contract, ten close the number that the caller shows. While either is
  closed no PIN is taken, right or wrong, so that nothing is learnt from further tries.
- Callers who show no number are counted together, else one of them could go on to the next contract for ever: sixty
  wrong tries within an hour close the way to all who show none, and leave it open to who shows one.
- A contract that does not exist is counted like one that does.
- A case's code is tried under the same rules, its number in the contract's place.
"""

import hashlib
import hmac
import secrets
from datetime import timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

DIGITS: Final = 6
WITHIN: Final = timedelta(hours=1)
WRONG_OF_CONTRACT: Final = 5
WRONG_OF_CALLER: Final = 10
WRONG_WITHOUT_NUMBER: Final = 60
NO_NUMBER: Final = "no number"
"""As which all callers are counted who show none; no shown number is kept like that."""
LONGEST_CONTRACT: Final = 32
_LONGEST_CALLER: Final = 80
_FEWEST_DIGITS_OF_A_NUMBER: Final = 3
_FEWEST_DIFFERENT: Final = 3


def make_pin() -> str:
    """Return a new PIN."""
    while True:
        pin = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        if not is_guessable(pin):
            return pin


def is_guessable(pin: str) -> bool:
    """Whether somebody would guess it first: few different digits, a half twice, or digits that count up or down."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    half = len(pin) // 2
    return len(set(pin)) < _FEWEST_DIFFERENT or pin[:half] == pin[half:] or steps in ({1}, {9})


def pin_digest(person_id: UUID, pin: str, key: str) -> str:
    """Return what is kept of a person's PIN."""
    return hmac.new(key.encode(), b"phone pin " + person_id.bytes + pin.encode(), hashlib.sha256).hexdigest()


def is_pin(person_id: UUID, pin: str, key: str, digest: str) -> bool:
    """Whether it is the PIN of which `digest` was kept; compared in constant time."""
    return hmac.compare_digest(pin_digest(person_id, pin, key), digest)


def digits_of(text: str) -> str:
    """Return the digits of a contract's number, as they are keyed."""
    return "".join(character for character in text if character in "0123456789")


def counted_caller(shown: str) -> str:
    """Return the number by which a caller's wrong tries are counted; `NO_NUMBER` for all who show none."""
    is_number = len(digits_of(shown)) >= _FEWEST_DIGITS_OF_A_NUMBER
    return shown.strip().lower()[:_LONGEST_CALLER] if is_number else NO_NUMBER


def most_of_caller(caller: str) -> int:
    """Return how many wrong tries within the hour close the way to a caller as counted."""
    return WRONG_WITHOUT_NUMBER if caller == NO_NUMBER else WRONG_OF_CALLER


def has_tries_left(wrong_of_what: int, wrong_of_caller: int, caller: str) -> bool:
    """Whether one more try is taken after so many wrong ones within the hour."""
    return wrong_of_what < WRONG_OF_CONTRACT and wrong_of_caller < most_of_caller(caller)
