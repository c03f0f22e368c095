"""What became of the response target of a case, in Python and as the database counts it: one meaning each.

- breached: the target passed without a qualified answer (RC-10), whatever came later; a running clock that is past its
  end is one, even before the ticker has recorded it.
- met: the qualified answer came in time. answered: it came, and there was no target.
- ended: closed or rejected before an answer was due. running: open with a target to come. waiting: open, best effort.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from django.db.models import Aggregate, Case, DurationField, F, FloatField, Q, Value, When
from django.db.models.functions import Coalesce

OUTCOMES = ("met", "breached", "answered", "running", "waiting", "ended")


class Promised(Protocol):
    """A case, as far as its outcome follows from it."""

    clock_state: str
    due_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None


def outcome_of(case: Promised, now: datetime) -> str:
    """Return one of OUTCOMES as of now."""
    if case.clock_state in {"breached", "met", "answered"}:
        return case.clock_state
    if case.due_at is not None and case.due_at < (case.closed_at or now):
        return "breached"
    if case.closed_at is not None:
        return "ended"
    return "waiting" if case.due_at is None else "running"


def outcome_in_sql(now: datetime) -> Case:
    """Return the same as an expression over rows of cases."""
    return Case(
        When(clock_state__in=["breached", "met", "answered"], then=F("clock_state")),
        When(Q(due_at__lt=Coalesce(F("closed_at"), Value(now))), then=Value("breached")),
        When(closed_at__isnull=False, then=Value("ended")),
        When(due_at=None, then=Value("waiting")),
        default=Value("running"),
    )


class Percentile(Aggregate):
    """The value below which a share of the rows lies, between two of them by proportion; None without rows."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    allow_distinct = False

    def __init__(self, expression: Any, share: float, *, of_time: bool = False) -> None:
        super().__init__(expression, share=share, output_field=DurationField() if of_time else FloatField())


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the same of numbers in hand."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
