"""Instants in UTC, the only ones that the clock reckons with.

Rules:
- An instant is aware; a naive one is refused here, at the border, once.
- Inside the rules every instant is in UTC, so that a difference of two is elapsed time. Python reckons in wall time
  between two instants of one other zone, which is an hour wrong across a daylight-saving change (P2).
"""

from datetime import UTC, datetime, timedelta
from typing import Final

SECOND: Final = timedelta(seconds=1)
DAY: Final = timedelta(days=1)
NOTHING: Final = timedelta(0)


def in_utc(instant: datetime) -> datetime:
    """The same instant in UTC. Raises ValueError for a naive one."""
    if instant.tzinfo is UTC:
        return instant
    if instant.utcoffset() is None:
        raise ValueError(f"an instant needs its offset, and {instant.isoformat()} has none")
    return instant.astimezone(UTC)


def seconds_of(duration: timedelta) -> int | float:
    """Seconds for printing: a whole number wherever the microseconds allow it."""
    return duration // SECOND if duration.microseconds == 0 else duration.total_seconds()
