"""Time zones of the pinned `tzdata` package, never of the machine.

Two machines with different system zones must give the same answer, so a zone is read from the package's own file.
`zoneinfo.reset_tzpath` would do it for the whole process, and is therefore not used.
"""

from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo


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
