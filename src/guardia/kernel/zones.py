"""Time zones of the pinned `tzdata` package, never of the machine.

Two machines with different system zones must give the same answer, so a zone is read from the package's own file.
`zoneinfo.reset_tzpath` would do it for the whole process, and is therefore not used.
"""

from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


class UnknownZone(LookupError):
    """The pinned zone database has no zone of this name."""


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


def offset_at(zone: ZoneInfo, instant: datetime) -> timedelta:
    """The zone's offset from UTC at an instant."""
    return instant.astimezone(zone).utcoffset() or timedelta(0)


def offset_change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The instant, to the second, at which the offset changes that differs between two instants."""
    old = offset_at(zone, before)
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if offset_at(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after
