"""Time zones of the pinned `tzdata` package, never of the machine (RC-1).

Rules:
- Two machines with different system zones must give the same answer: a zone comes from `guardia.kernel.zones`.
- A zone is seen as stretches of constant offset in UTC: a wall time that is skipped lies in none of them, and one that
  occurs twice lies in two.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from guardia.features.sla.rules.instants import DAY
from guardia.kernel.zones import UnknownZone, find_zone, get_zone, offset_at, offset_change, zone_names

__all__ = ["Stretch", "UnknownZone", "find_zone", "get_zone", "stretches", "zone_names"]


class Stretch(NamedTuple):
    """A half-open stretch of UTC in which the zone's offset does not change."""

    starts_at: datetime
    ends_at: datetime
    offset: timedelta


def stretches(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Stretch]:
    """The stretches of constant offset that fill `[start, end)`, both in UTC, in order.

    Offsets are compared a day apart. No zone since FIRST_YEAR changes twice within a day (a test looks at them all), so
    each change shows, and is then found to the second by halving.
    """
    begin, offset = start, offset_at(zone, start)
    known = start
    while known < end:
        probe = min(known + DAY, end)
        if (found := offset_at(zone, probe)) != offset:
            change = offset_change(zone, known, probe)
            yield Stretch(begin, change, offset)
            begin, offset = change, found
        known = probe
    if begin < end:
        yield Stretch(begin, end, offset)
