"""Calendar parts as lines that anybody can read: what, when, where, who asks."""

import re
from typing import Final

from guardia.kernel.plain_text import one_line

_READ_AT_MOST: Final = 200_000
_LONGEST: Final = 500
_LINE: Final = re.compile(r"([A-Z-]{1,40})((?:;[^:\"\n]{0,300}|\"[^\"\n]{0,300}\")*):([^\n]*)", re.IGNORECASE)
_MOMENT: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z?))?")
_ZONE: Final = re.compile(r"TZID=\"?([^;:\"]{1,60})", re.IGNORECASE)
_NAME: Final = re.compile(r"CN=\"?([^;:\"]{1,120})", re.IGNORECASE)
_LABELS: Final = {
    "SUMMARY": "Asunto / Subject",
    "DTSTART": "Inicio / Start",
    "DTEND": "Fin / End",
    "LOCATION": "Lugar / Location",
    "ORGANIZER": "Organiza / Organiser",
}


def calendar_text(content: str) -> str:
    """Return the first event of a calendar as lines, empty where there is none."""
    unfolded = re.sub(r"\r?\n[ \t]", "", content[:_READ_AT_MOST]).replace("\r", "\n")
    event = unfolded.partition("BEGIN:VEVENT")[2].partition("END:VEVENT")[0] or unfolded
    said: dict[str, str] = {}
    for match in _LINE.finditer(event):
        name = match[1].upper()
        if name in _LABELS and name not in said:
            said[name] = one_line(_value(name, match[2], match[3].strip()))[:_LONGEST]
    return "\n".join(f"{label}: {said[name]}" for name, label in _LABELS.items() if said.get(name))


def _value(name: str, parameters: str, value: str) -> str:
    if name in {"DTSTART", "DTEND"}:
        return _moment(parameters, value)
    if name == "ORGANIZER":
        address = re.sub(r"(?i)^mailto:", "", value)
        named = _NAME.search(parameters)
        return f"{named[1]} <{address}>" if named else address
    return re.sub(r"\\([,;\\])", r"\1", re.sub(r"\\[nN]", " ", value))


def _moment(parameters: str, value: str) -> str:
    match = _MOMENT.fullmatch(value)
    if match is None:
        return value
    day = f"{match[1]}-{match[2]}-{match[3]}"
    if match[4] is None:
        return day
    zone = _ZONE.search(parameters)
    where = " UTC" if match[6] else f" ({zone[1]})" if zone else ""
    return f"{day} {match[4]}:{match[5]}{where}"
