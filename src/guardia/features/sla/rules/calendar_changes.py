"""What differs between two calendars, as facts that a page can put into words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from guardia.features.sla.rules.calendars import WEEKDAYS

What = Literal["zone", "weekday", "closed", "not_closed", "exception", "no_exception"]
Rules = Mapping[str, Any]


@dataclass(frozen=True)
class CalendarChange:
    """One difference: of `key` (a weekday or a date), from `before` to `after`; windows as lists, `label` of a date."""

    what: What
    key: str
    before: Any = None
    after: Any = None
    label: Any = ""


def changes_between(old: Rules, new: Rules, labels: Mapping[str, Any]) -> list[CalendarChange]:
    """Return what the new rules change of the old, dates in order; `labels` of both, by date."""
    found: list[CalendarChange] = []
    if old["zone"] != new["zone"]:
        found.append(CalendarChange("zone", "", old["zone"], new["zone"]))
    for day in WEEKDAYS:
        before, after = old["weekly"].get(day, []), new["weekly"].get(day, [])
        if before != after:
            found.append(CalendarChange("weekday", day, before, after))
    return [*found, *_dates(old, new, labels)]


def _dates(old: Rules, new: Rules, labels: Mapping[str, Any]) -> list[CalendarChange]:
    found: list[CalendarChange] = []
    was_closed, is_closed = set(old.get("closed_on", [])), set(new.get("closed_on", []))
    opened, opens = old.get("open_on", {}), new.get("open_on", {})
    for day in sorted({*(was_closed ^ is_closed), *opened, *opens}):
        label = labels.get(day, "")
        if day in opens and opened.get(day) != opens[day]:
            found.append(CalendarChange("exception", day, opened.get(day), opens[day], label))
        elif day in opened and day not in opens:
            found.append(CalendarChange("no_exception", day, opened[day], None, label))
        elif day in is_closed - was_closed:
            found.append(CalendarChange("closed", day, label=label))
        elif day in was_closed - is_closed:
            found.append(CalendarChange("not_closed", day, label=label))
    return found
