"""Identity: UUIDv7 keys for rows; case numbers of seven digits and a Damm check digit for people.

Case numbers are spoken and keyed on a phone: the check digit catches every single wrong digit and every swap of two
neighbours (Damm, 2004: a totally anti-symmetric quasigroup of order 10).
"""

import uuid

import uuid_utils
import uuid_utils.compat

_QUASIGROUP = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
CASE_NUMBER_DIGITS = 8


def uuid7() -> uuid.UUID:
    """Return a new UUIDv7 (RFC 9562): keys that sort by the time of their making."""
    return uuid.UUID(int=uuid_utils.compat.uuid7().int)


def uuid7_text() -> str:
    """Return a new UUIDv7 as text, for rows that are written many at a time."""
    return str(uuid_utils.uuid7())


def _damm(digits: str) -> int:
    interim = 0
    for digit in digits:
        interim = _QUASIGROUP[interim][int(digit)]
    return interim


def case_number(serial: int) -> str:
    """Return the eight-digit case number for a serial of at most seven digits."""
    body = f"{serial:0{CASE_NUMBER_DIGITS - 1}d}"
    if len(body) != CASE_NUMBER_DIGITS - 1:
        raise ValueError(f"a serial of at most {CASE_NUMBER_DIGITS - 1} digits is needed, got {serial}")
    return f"{body}{_damm(body)}"


def is_case_number(text: str) -> bool:
    """Whether `text` is eight digits whose check digit holds."""
    return len(text) == CASE_NUMBER_DIGITS and text.isascii() and text.isdigit() and _damm(text) == 0


def spoken(number: str) -> str:
    """Return a case number in the two groups in which it is read aloud: `4071 8823`."""
    return f"{number[:4]} {number[4:]}"
