"""Wall time of a zone as instants, through the changes of daylight saving.

Rules:
- A wall time means the first instant at which the zone's clock shows it *or a later one*: one that is skipped means the
  end of the skipped stretch, one that occurs twice means its first occurrence. So each hand-over comes exactly once.
- A wall time is a naive datetime; 24:00 is the next day's midnight. Instants are in UTC.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from guardia.kernel.zones import offset_at, offset_change

DAY = timedelta(days=1)


def shown_at(zone: ZoneInfo, instant: datetime) -> datetime:
    """The wall time that the zone's clock shows at an instant."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def first_shown(zone: ZoneInfo, wall: datetime) -> datetime:
    """The first instant at which the zone's clock shows `wall` or later."""
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if shown_at(zone, first) == wall:
        return first
    return offset_change(zone, wall.replace(tzinfo=zone, fold=1).astimezone(UTC), first)


def occurrences(zone: ZoneInfo, wall: datetime) -> set[datetime]:
    """The instants at which the zone's clock begins to show `wall` or jumps over it: two where it is doubled."""
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return {first_shown(zone, wall)} | ({second} if shown_at(zone, second) == wall else set())


def changes_on(zone: ZoneInfo, day: date) -> set[datetime]:
    """The instants of a local date at which the zone's offset changes."""
    start, end = (first_shown(zone, datetime.combine(date_, time.min)) for date_ in (day, day + DAY))
    return {offset_change(zone, start, end)} if offset_at(zone, start) != offset_at(zone, end) else set()
