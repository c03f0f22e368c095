"""Numbers and moments as pieces: what is composed when it is said, as `prompts.py` holds the words.

A moment is said as weekday, hour and minute of the twelve-hour clock, part of the day, and whose time it is, so that a
caller in another zone is not misled. The zone's city is the only part that no prompt holds.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from guardia.doors.voice.script import Language, Piece, Prompt, Text
from guardia.kernel.zones import find_zone, zone_names

MOST_NUMBER = 999
_TEENS_END = 30
"""Numbers below are one word, or said as one."""
_MORNING, _NOON, _NIGHT = 6, 12, 20


def number(value: int, language: Language) -> list[str]:
    """Return the keys that say a whole number from 0 to 999; a greater one is said as 999."""
    value = max(0, min(value, MOST_NUMBER))
    hundreds, rest = divmod(value, 100)
    if not hundreds:
        return _below_hundred(rest, language)
    if not rest:
        return ["number.100"] if hundreds == 1 else [f"hundreds.{hundreds}"]
    joint = ["number.and"] if language == "en" else []
    return [f"hundreds.{hundreds}", *joint, *_below_hundred(rest, language)]


def _below_hundred(value: int, language: Language) -> list[str]:
    tens, unit = divmod(value, 10)
    if value < _TEENS_END or not unit:
        return [f"number.{value}"]
    joint = ["number.and"] if language == "es" else []
    return [f"number.{tens * 10}", *joint, f"number.{unit}"]


def moment(at: datetime, zone: str) -> Sequence[Piece]:
    """Return the pieces that say an instant in a zone; where the zone is not known it is said in UTC."""
    there = find_zone(zone)
    local = at.astimezone(there or find_zone("UTC"))
    minute = [Prompt(f"minute.{local.minute}")] if local.minute else []
    return [
        Prompt(f"weekday.{local.isoweekday()}"),
        Prompt(f"hour.{local.hour % 12 or 12}"),
        *minute,
        Prompt(f"daypart.{_daypart(local.hour)}"),
        Prompt("moment.time_in"),
        Text(_place(zone) if there else "UTC"),
    ]


@cache
def places() -> tuple[str, ...]:
    """Return whose time may be said: the city of every zone."""
    return tuple(sorted({"UTC", *(_place(zone) for zone in zone_names())}))


def _place(zone: str) -> str:
    return zone.rsplit("/", 1)[-1].replace("_", " ")


def _daypart(hour: int) -> str:
    if hour < _MORNING:
        return "early"
    return "morning" if hour < _NOON else "afternoon" if hour < _NIGHT else "night"
