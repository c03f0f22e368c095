"""Durations of promises: ISO 8601 in plans (`PT4H`), words in forms (`4 h 30 min`).

A promise lasts more than nothing and at most 90 days of 24 hours: beyond that it is a slip of the pen.
"""

import re
from datetime import timedelta

LONGEST = timedelta(days=90)
_ISO = re.compile(r"P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?=\d)(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?", re.ASCII)
_WORDS = re.compile(
    r"(?:(\d{1,4})\s*(?:w|sem)\s*)?(?:(\d{1,4})\s*d\s*)?(?:(\d{1,5})\s*h\s*)?(?:(\d{1,6})\s*(?:min|m)\s*)?"
    r"(?:(\d{1,7})\s*s)?",
    re.ASCII | re.IGNORECASE,
)
_UNITS = (("D", 86_400), ("H", 3_600), ("M", 60), ("S", 1))


def _of(match: re.Match[str] | None) -> timedelta | None:
    if match is None or not any(match.groups()):
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def parse_iso(text: str) -> timedelta | None:
    """Return the duration that `PT4H` means, or None where the text is no duration in whole units up to weeks."""
    return _of(_ISO.fullmatch(text))


def parse_words(text: str) -> timedelta | None:
    """Return the duration that a person typed: `4 h`, `1 d 12 h`, `30 min`, or ISO 8601; None where it is none."""
    text = text.strip()
    return parse_iso(text.upper()) if text[:1] in {"P", "p"} else _of(_WORDS.fullmatch(text))


def is_promise(span: timedelta) -> bool:
    """Whether a duration is one that can be promised."""
    return timedelta(0) < span <= LONGEST


def iso(span: timedelta) -> str:
    """Return a positive duration in ISO 8601, with hours as its largest unit: `PT36H`."""
    rest, parts = int(span.total_seconds()), []
    for unit, seconds in _UNITS[1:]:
        count, rest = divmod(rest, seconds)
        parts.append(f"{count}{unit}" if count else "")
    return "PT" + "".join(parts)


def words(text: str | None) -> str:
    """Return an ISO duration as a person types it: `4 h 30 min`; nothing for None."""
    span = parse_iso(text) if text else None
    if span is None:
        return text or ""
    rest, parts = int(span.total_seconds()), []
    for name, seconds in (("h", 3_600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, seconds)
        parts += [f"{count} {name}"] if count else []
    return " ".join(parts)
