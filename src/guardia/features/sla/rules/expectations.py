"""What a written calendar, policy or history may look like, and the one way of saying that it does not.

Rules:
- Everything that is refused is refused with `Malformed`: the place, what was expected there, and what was found.
- Nothing is guessed: an instant carries its offset, a duration its units, a severity is a number from 1 to 4.
- Unknown names are refused where a slip of the pen would silently change the answer (`known_keys`).
"""

import json
import re
from collections.abc import Collection
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final, cast

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2999  # No promise reaches further; it bounds every search (RC-1, P15).
SEVERITIES: Final = (1, 2, 3, 4)

_LONGEST_SHOWN: Final = 60
_PLAIN_KEY: Final = re.compile(r"[\w-]{1,40}", re.ASCII)
_INSTANT: Final = re.compile(
    r"(?P<year>\d{4})-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII
)
_DATE: Final = re.compile(r"(?P<year>\d{4})-\d{2}-\d{2}", re.ASCII)
_NUMBER: Final = r"\d{1,12}(?:[.,]\d{1,9})?"
_DURATION: Final = re.compile(
    rf"P(?:(?P<W>{_NUMBER})W)?(?:(?P<D>{_NUMBER})D)?"
    rf"(?P<time>T(?:(?P<H>{_NUMBER})H)?(?:(?P<M>{_NUMBER})M)?(?:(?P<S>{_NUMBER})S)?)?",
    re.ASCII,
)
_SECONDS_IN: Final = {"W": 604_800, "D": 86_400, "H": 3_600, "M": 60, "S": 1}


class Malformed(ValueError):
    """A written value that does not say what it must: where, what was expected, what was found."""

    def __init__(self, place: str, expected: str, got: str | None = None) -> None:
        self.place = place
        self.expected = expected
        self.got = got
        super().__init__(f"{place}: expected {expected}" + (f", got {got}" if got is not None else ""))


def shown(value: object) -> str:
    """The value as one short line, for the end of a sentence."""
    text = json.dumps(value, default=str)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."


def inside(place: str, key: str) -> str:
    """The place of `key` in the object at `place` ("" is the outermost one)."""
    step = key if _PLAIN_KEY.fullmatch(key) else shown(key)
    return f"{place}.{step}" if place else step


def mapping(value: object, place: str, expected: str) -> dict[str, Any]:
    """The JSON object at this place. Raises Malformed."""
    if not isinstance(value, dict):
        raise Malformed(place, expected, shown(value))
    return cast("dict[str, Any]", value)


def sequence(value: object, place: str, expected: str) -> list[Any]:
    """The JSON list at this place. Raises Malformed."""
    if not isinstance(value, list):
        raise Malformed(place, expected, shown(value))
    return value


def required(value: dict[str, Any], key: str, place: str, expected: str) -> Any:
    """What the object at `place` says under `key`. Raises Malformed when it says nothing."""
    if key not in value:
        raise Malformed(inside(place, key), expected, "nothing")
    return value[key]


def known_keys(value: dict[str, Any], place: str, allowed: Collection[str]) -> None:
    """Refuse names that mean nothing here. Raises Malformed."""
    for key in value:
        if key not in allowed:
            raise Malformed(inside(place, key), f"one of the names {', '.join(allowed)}", shown(key))


def boolean(value: object, place: str) -> bool:
    """A JSON true or false. Raises Malformed."""
    if not isinstance(value, bool):
        raise Malformed(place, "true or false", shown(value))
    return value


def text(value: object, place: str) -> str:
    """A JSON string. Raises Malformed."""
    if not isinstance(value, str):
        raise Malformed(place, "a text", shown(value))
    return value


def severity(value: object, place: str) -> int:
    """A severity, 1 gravest to 4. Raises Malformed."""
    # JSON's true is Python's 1, and 1.0 equals 1: neither is a severity.
    if type(value) is not int or value not in SEVERITIES:
        raise Malformed(place, "a severity from 1 to 4", shown(value))
    return value


def instant(value: object, place: str) -> datetime:
    """An aware instant from ISO 8601 text that carries its offset. Raises Malformed."""
    expected = "an instant with offset, like 2026-11-23T10:00:00+01:00"
    found = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Malformed(place, expected, shown(value))
    if not FIRST_YEAR < int(found["year"]) < LAST_YEAR:
        raise Malformed(place, f"an instant after the year {FIRST_YEAR} and before {LAST_YEAR}", shown(value))
    try:
        return datetime.fromisoformat(found.string)
    except ValueError as error:
        raise Malformed(place, expected, shown(value)) from error


def day(value: object, place: str) -> date:
    """A date from text like 2026-12-25. Raises Malformed."""
    expected = "a date, like 2026-12-25"
    if not isinstance(value, str) or _DATE.fullmatch(value) is None:
        raise Malformed(place, expected, shown(value))
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise Malformed(place, expected, shown(value)) from error


def duration(value: object, place: str) -> timedelta:
    """A positive ISO 8601 duration; weeks and days are of 24 h each day, years and months have no length (RC-2).

    Raises Malformed.
    """
    expected = "a positive ISO 8601 duration in weeks, days, hours, minutes or seconds, like PT4H"
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    parts = [(unit, found[unit]) for unit in _SECONDS_IN if found[unit] is not None] if found else []
    if found is None or not parts or found["time"] == "T" or any(_has_fraction(number) for _, number in parts[:-1]):
        raise Malformed(place, expected, shown(value))
    seconds = sum((Fraction(number.replace(",", ".")) * _SECONDS_IN[unit] for unit, number in parts), Fraction())
    microseconds = seconds * 1_000_000
    if microseconds <= 0 or microseconds.denominator != 1:
        raise Malformed(place, expected, shown(value))
    try:
        return timedelta(microseconds=int(microseconds))
    except OverflowError as error:
        raise Malformed(place, "a shorter duration", shown(value)) from error


def _has_fraction(number: str) -> bool:
    return not number.isdecimal()
