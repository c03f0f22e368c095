"""A roster version's rules as they are written, and what is refused.

`{"zone": "Europe/Madrid", "people": [id, …], "hand_over": {"every": "P1W", "weekday": "mon", "time": "09:00"},
"starts_on": "2026-11-02", "layers": [{"name", "weekly": {"mon": [["09:00", "19:00"]], …}, "people", "hand_over",
"starts_on"}, …], "holidays": {"country": "ES", "region": "MD", "by": "next_working_day" | "people" | "none",
"people": [id, …], "dates": {"2026-12-08": {"en": …, "es": …}}}}`

Rules:
- A rotation has at least one person, a period of a day, a week or two weeks, and a weekday where the period is weeks.
- A layer has a name and at least one window; windows of a day neither overlap nor run backwards. No layer needs to
  cover anything: what none covers is the base rotation's, so there are no gaps.
- The dates of the holidays are part of the rules: a version never changes, whatever a newer list of holidays says.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from guardia.features.duty.rules.rotation import HandOver, Holidays, Hours, Layer, Rotation, Rules
from guardia.kernel.words import gettext_noop
from guardia.kernel.zones import find_zone

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PERIODS = {"P1D": 1, "P1W": 7, "P2W": 14}
HOLIDAY_RULES = ("none", "next_working_day", "people")
MOST_PEOPLE, MOST_LAYERS, LONGEST_NAME = 50, 5, 40
_TIME = re.compile(r"([01]\d|2[0-4]):([0-5]\d)", re.ASCII)
_DAY = timedelta(days=1)


class RosterFault(ValueError):
    """What is wrong with written rules: the field, and a sentence with named parts for its reader."""

    def __init__(self, field: str, sentence: str, **parts: object) -> None:
        super().__init__(f"{field}: {sentence % parts if parts else sentence}")
        self.field, self.sentence, self.parts = field, sentence, parts


def parse_rules(written: Mapping[str, Any]) -> Rules:
    """The rules that a JSON object says. Raises RosterFault."""
    zone = find_zone(str(written.get("zone", "")))
    if zone is None:
        raise RosterFault("zone", gettext_noop("Name a time zone of the tz database, such as Europe/Madrid."))
    layers = written.get("layers", [])
    if len(layers) > MOST_LAYERS:
        raise RosterFault("layers", gettext_noop("A roster has at most %(most)s layers."), most=MOST_LAYERS)
    return Rules(
        zone=zone,
        base=_rotation(written, ""),
        layers=tuple(_layer(layer, f"layers.{number}.") for number, layer in enumerate(layers)),
        holidays=_holidays(written.get("holidays") or {}),
    )


def everybody(rules: Rules) -> frozenset[UUID]:
    """Everybody whom the rules name."""
    rotations = (rules.base, *(layer.rotation for layer in rules.layers))
    return frozenset({*rules.holidays.people, *(person for rotation in rotations for person in rotation.people)})


def _rotation(written: Mapping[str, Any], place: str) -> Rotation:
    return Rotation(
        people=_people(written.get("people"), f"{place}people"),
        hand_over=_hand_over(written.get("hand_over") or {}, f"{place}hand_over"),
        starts_on=_date(written.get("starts_on"), f"{place}starts_on"),
    )


def _people(written: Any, place: str) -> tuple[UUID, ...]:
    if not written:
        raise RosterFault(place, gettext_noop("Name at least one person, or nobody would be on duty."))
    if len(written) > MOST_PEOPLE:
        raise RosterFault(place, gettext_noop("A rotation has at most %(most)s people."), most=MOST_PEOPLE)
    try:
        return tuple(UUID(str(person)) for person in written)
    except ValueError:
        raise RosterFault(place, gettext_noop("One of the people is unknown. Choose them from the list.")) from None


def _hand_over(written: Mapping[str, Any], place: str) -> HandOver:
    every = PERIODS.get(str(written.get("every", "")))
    if every is None:
        raise RosterFault(f"{place}.every", gettext_noop("Say how often the duty is handed over."))
    at = _time(written.get("time"), f"{place}.time")
    if at >= _DAY:
        raise RosterFault(f"{place}.time", gettext_noop("A hand-over is at a time from 00:00 to 23:59."))
    weekday = written.get("weekday") or None
    if every > 1 and weekday not in WEEKDAYS:
        raise RosterFault(f"{place}.weekday", gettext_noop("Say on which weekday the duty is handed over."))
    return HandOver(every, at, WEEKDAYS.index(weekday) if every > 1 and weekday else None)


def _layer(written: Mapping[str, Any], place: str) -> Layer:
    name = str(written.get("name", "")).strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise RosterFault(
            f"{place}name", gettext_noop("Give the layer a name of 1 to %(most)s letters."), most=LONGEST_NAME
        )
    weekly = written.get("weekly") or {}
    hours = tuple(_hours(weekly.get(day) or (), f"{place}weekly.{day}") for day in WEEKDAYS)
    if not any(hours):
        raise RosterFault(f"{place}weekly", gettext_noop("Give the layer at least one window, such as 09:00-19:00."))
    return Layer(name, hours, _rotation(written, place))


def _hours(written: Any, place: str) -> Hours:
    hours = sorted((_time(start, place), _time(end, place)) for start, end in written)
    for start, end in hours:
        if end <= start:
            raise RosterFault(place, gettext_noop("A window ends after it starts, at 24:00 at the latest."))
    for (_, end), (start, _) in pairwise(hours):
        if start < end:
            raise RosterFault(place, gettext_noop("Two windows of this day overlap."))
    return tuple(hours)


def _holidays(written: Mapping[str, Any]) -> Holidays:
    by = written.get("by") or "none"
    if by not in HOLIDAY_RULES:
        raise RosterFault("holidays.by", gettext_noop("Say what a public holiday does to the duty."))
    dates = {_date(day, "holidays.dates"): _names(name) for day, name in (written.get("dates") or {}).items()}
    people = _people(written.get("people"), "holidays.people") if by == "people" else ()
    return Holidays(dates, people, moves_hand_over=by == "next_working_day")


def _names(written: Any) -> dict[str, str]:
    return {str(language): str(name) for language, name in written.items()} if isinstance(written, dict) else {}


def _time(written: Any, place: str) -> timedelta:
    found = _TIME.fullmatch(str(written or ""))
    since_midnight = timedelta(hours=int(found[1]), minutes=int(found[2])) if found else None
    if since_midnight is None or since_midnight > _DAY:
        raise RosterFault(place, gettext_noop("Write a time as 09:00."))
    return since_midnight


def _date(written: Any, place: str) -> date:
    try:
        day = date.fromisoformat(str(written or ""))
    except ValueError:
        raise RosterFault(place, gettext_noop("Write a date as 2026-11-23.")) from None
    if not 2000 <= day.year <= 2199:  # noqa: PLR2004  no roster reaches further
        raise RosterFault(place, gettext_noop("Write a date between the years 2000 and 2199."))
    return day
