"""Marks of a running clock: when a share of its target is used, and when its end is.

Rules:
- The covered steps of a clock are as long as its target, or as the rest that was left of it where they begin.
- A share is used at the first instant at which that part of the target has been counted, as RC-4 says it of the end:
  one that is used up at closing time falls then, not on the next morning (P13, P18).
- A share that was used before the first step began is not marked again: nobody is warned of it twice.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from guardia.features.sla.rules.instants import NOTHING
from guardia.features.sla.rules.timetable import Interval


def marks_of(
    steps: Sequence[Interval], target: timedelta, percents: Iterable[int], due_at: datetime | None = None
) -> list[tuple[str, datetime]]:
    """Return the marks of a clock in their order: `("50", instant)`, ..., and at last `("breach", end)`.

    Without steps (a raise that left no rest) only the end is marked, where `due_at` gives it.
    """
    if not steps:
        return [] if due_at is None else [("breach", due_at)]
    counted = sum((step.ends_at - step.starts_at for step in steps), NOTHING)
    used_before = max(NOTHING, target - counted)
    shares = [(percent, target * percent / 100 - used_before) for percent in sorted(percents)]
    found = [(str(percent), _instant_after(steps, share)) for percent, share in shares if NOTHING <= share <= counted]
    return [*found, ("breach", steps[-1].ends_at)]


def _instant_after(steps: Sequence[Interval], counted: timedelta) -> datetime:
    """The first instant at which the steps have counted so much, which is not more than they hold."""
    for step in steps:
        length = step.ends_at - step.starts_at
        if counted <= length:
            return step.starts_at + counted
        counted -= length
    return steps[-1].ends_at
