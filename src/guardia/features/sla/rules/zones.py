"""Time zones of the pinned `tzdata` package, never of the machine (RC-1).

Rules:
- Two machines with different system zones must give the same answer, so a zone is read from the package's own file.
  `zoneinfo.reset_tzpath` would do it for the whole process, and is therefore not used.
- A zone is seen as stretches of constant offset in UTC: a wall time that is skipped lies in none of them, and one that
  occurs twice lies in two.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import NamedTuple
from zoneinfo import ZoneInfo

from guardia.features.sla.rules.instants import DAY, NOTHING, SECOND


class UnknownZone(LookupError):
    """The pinned zone database has no zone of this name."""


class Stretch(NamedTuple):
    """A half-open stretch of UTC in which the zone's offset does not change."""

    starts_at: datetime
    ends_at: datetime
    offset: timedelta


@cache
def zone_names() -> frozenset[str]:
    """The names of all zones of the pinned package."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


@cache
def find_zone(name: str) -> ZoneInfo | None:
    """The zone of that exact name, or None."""
    if name not in zone_names():
        return None
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def get_zone(name: str) -> ZoneInfo:
    """The zone of that exact name. Raises UnknownZone."""
    zone = find_zone(name)
    if zone is None:
        raise UnknownZone(f"no zone {name!r} in the tzdata package; zones are named like Europe/Madrid")
    return zone


def stretches(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Stretch]:
    """The stretches of constant offset that fill `[start, end)`, both in UTC, in order.

    Offsets are compared a day apart. No zone since FIRST_YEAR changes twice within a day (a test looks at them all), so
    each change shows, and is then found to the second by halving.
    """
    begin, offset = start, _offset(zone, start)
    known = start
    while known < end:
        probe = min(known + DAY, end)
        if (found := _offset(zone, probe)) != offset:
            change = _change_between(zone, known, probe)
            yield Stretch(begin, change, offset)
            begin, offset = change, found
        known = probe
    if begin < end:
        yield Stretch(begin, end, offset)


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    old = _offset(zone, before)
    while after - before > SECOND:
        middle = before + (after - before) // SECOND // 2 * SECOND
        if _offset(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or NOTHING
