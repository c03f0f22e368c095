"""The ticker as tests drive it: as often as there is something to do, at an instant of their choice."""

from datetime import datetime
from typing import Any

from guardia.features.cases.models import Case, CaseEvent
from guardia.features.sla.models import ClockFiring, ClockWatch, EscalationStep
from guardia.journeys.fire_clocks import tick
from guardia.journeys.rebuild_projections import rebuild_projections

WHY = "a test looks at every row"


def tick_all(now: datetime) -> int:
    """Tick until nothing is due at this instant; return how many clocks were heard."""
    heard = 0
    while (done := tick(now)).did_something:
        heard += done.clocks
    return heard


def case_of(number: str) -> Case:
    """Return a case as it is stored now."""
    return Case.objects.across_companies(WHY).get(number=number)


def watch_of(number: str, clock: str = "response") -> ClockWatch:
    """Return what is watched of a clock."""
    return ClockWatch.objects.across_companies(WHY).get(case__number=number, clock=clock)


def fired(number: str, clock: str = "response") -> list[str]:
    """Return the marks of a case that were recorded, in order."""
    rows = ClockFiring.objects.across_companies(WHY).filter(case__number=number, clock=clock)
    return list(rows.order_by("fired_at", "late_by").values_list("mark", flat=True))


def events(number: str, *types: str) -> list[CaseEvent]:
    """Return the events of these types of a case, in order."""
    rows = CaseEvent.objects.across_companies(WHY).filter(case__number=number, type__in=types)
    return list(rows.order_by("seq"))


def told(number: str) -> list[tuple[Any, ...]]:
    """Return the escalation steps in a case's log: clock, mark, whom."""
    log = [(event.payload, step) for event in events(number, "escalated") for step in event.payload["steps"]]
    return [(payload["clock"], payload["mark"], step["to"]) for payload, step in log]


def steps(number: str) -> list[EscalationStep]:
    """Return the steps of a case that were set off for later, in their order."""
    return list(EscalationStep.objects.across_companies(WHY).filter(case__number=number).order_by("at", "step"))


def differences() -> dict[str, list[str]]:
    """Return what `guardia rebuild` would complain about, by case number."""
    return {number: columns for number, columns in rebuild_projections(repair=False) if columns}
