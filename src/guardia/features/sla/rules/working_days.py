"""Whole working days back from an instant, for rules that count days and not hours.

A working day is a local date on which the calendar has a window.
"""

from datetime import datetime
from typing import Final

from guardia.features.sla.rules.calendars import Calendar
from guardia.features.sla.rules.instants import DAY, in_utc

MOST_DAYS: Final = 366
_LONGEST_LOOK_BACK: Final = 8 * MOST_DAYS


def working_days_before(calendar: Calendar, at: datetime, days: int) -> datetime:
    """Return the same wall time on the working day that lies `days` of them before the local date of `at`.

    Raises ValueError where `days` is below 1, or the calendar has not so many in the eight years before.
    """
    if days < 1:
        raise ValueError(f"at least one working day is needed, got {days}")
    local = at.astimezone(calendar.tzinfo)
    day, left = local.date(), days
    for _ in range(_LONGEST_LOOK_BACK):
        day -= DAY
        left -= bool(calendar.day_rule(day).windows)
        if not left:
            return in_utc(local.replace(year=day.year, month=day.month, day=day.day))
    raise ValueError(f"the calendar has no {days} working days in the eight years before {local.date()}")
