"""What the clocks have told one member of staff, or everybody: to acknowledge, and what was settled lately."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Max

from guardia.features.accounts.queries import people_by_id
from guardia.features.cases.models import Case
from guardia.features.sla.models import EscalationStep, StaffNotice
from guardia.features.sla.queries import steps_to_come
from guardia.kernel.vocabulary import Actor
from guardia.reports.alarm_words import mark_title, role_of_reader, target_name, way_name
from guardia.reports.clock_view import clock_of_row
from guardia.reports.showing import ClockView

VIEWS = ("mine", "all")
MOST_CASES = 100
MOST_NOTICES = 2000
MOST_COUNTED = 100
LATELY = timedelta(days=1)


@dataclass(frozen=True)
class NextStep:
    """What happens unless somebody acknowledges."""

    at: datetime
    to: str
    by: tuple[str, ...]


@dataclass(frozen=True)
class AlertRow:
    """What was told of one case. `whats` is the latest of each clock; `whys` why the reader is told; `people` who
    was told too.
    """

    number: str
    subject: str
    company: str
    severity: int
    holder: str
    state: str
    clock: ClockView
    whats: tuple[str, ...]
    whys: tuple[str, ...]
    people: tuple[str, ...]
    told_at: datetime
    next_step: NextStep | None = None
    read_at: datetime | None = None
    is_settled: bool = False


@dataclass(frozen=True)
class AlertsPage:
    """The alerts of a view, most severe first, and those of the last day that are acknowledged or settled."""

    rows: tuple[AlertRow, ...]
    lately: tuple[AlertRow, ...]
    view: str
    version: str


def alerts_page(actor: Actor, now: datetime, view: str = "mine") -> AlertsPage:
    """Return the alerts that concern the actor, or all of them."""
    chosen = view if view in VIEWS else "mine"
    notices = _notices(actor, chosen)
    waiting = list(notices.filter(read_at=None).order_by("-created_at")[:MOST_NOTICES])
    read = list(notices.filter(read_at__gte=now - LATELY).order_by("-read_at")[:MOST_NOTICES])
    rows = _rows(waiting, now, steps_to_come(list({notice.case_id for notice in waiting})))
    order = sorted(rows, key=lambda row: (row.severity, row.clock.due_at or now, row.number))
    lately = sorted(_rows(read, now, ()), key=lambda row: row.read_at or now, reverse=True)
    return AlertsPage(tuple(order[:MOST_CASES]), tuple(lately[:MOST_CASES]), chosen, alerts_version(actor, chosen))


def alerts_version(actor: Actor, view: str = "mine") -> str:
    """Return a word that changes whenever the alerts of a view do."""
    seen = _notices(actor, view).aggregate(told=Max("created_at"), read=Max("read_at"))
    return f"{seen['told']}-{seen['read']}"


def unread_count(actor_id: UUID) -> int:
    """Return of how many cases somebody was told what nobody has acknowledged, at most `MOST_COUNTED`."""
    rows = StaffNotice.objects.across_companies("staff are told of every company's alarms").filter(
        person_id=actor_id, read_at=None
    )
    return len(rows.values_list("case_id", flat=True).distinct()[:MOST_COUNTED])


def _notices(actor: Actor, view: str) -> Any:
    rows = StaffNotice.objects.visible_to(actor).filter(kind="escalation")
    if view == "mine":
        rows = rows.filter(person_id=actor.id)
    return rows.select_related("case", "case__company").defer("case__words")


def _rows(notices: Iterable[StaffNotice], now: datetime, steps: Iterable[EscalationStep]) -> list[AlertRow]:
    by_case: dict[UUID, list[StaffNotice]] = {}
    for notice in notices:
        by_case.setdefault(notice.case_id, []).append(notice)
    names = {
        person.id: person.name
        for person in people_by_id({notice.person_id for told in by_case.values() for notice in told}).values()
    }
    first: dict[UUID, EscalationStep] = {}
    for step in steps:
        first.setdefault(step.case_id, step)
    return [_row(told, names, first.get(case_id), now) for case_id, told in by_case.items()]


def _row(told: list[StaffNotice], names: Mapping[UUID, str], step: EscalationStep | None, now: datetime) -> AlertRow:
    case: Case = told[0].case
    latest = {one.facts["clock"]: one for one in sorted(told, key=lambda one: one.created_at)}
    return AlertRow(
        number=case.number,
        subject=case.subject,
        company=case.company.name,
        severity=case.severity,
        holder=case.holder_name,
        state=case.state,
        clock=clock_of_row(case, now),
        whats=tuple(mark_title(clock, one.facts["mark"]) for clock, one in reversed(latest.items())),
        whys=tuple(dict.fromkeys(role_of_reader(one.facts["why"]) for one in told)),
        people=tuple(sorted({names[one.person_id] for one in told if one.person_id in names})),
        told_at=max(one.created_at for one in told),
        next_step=NextStep(step.at, target_name(step.to), tuple(map(way_name, step.by))) if step else None,
        read_at=max((one.read_at for one in told if one.read_at), default=None),
        is_settled=bool(told[0].facts.get("settled")),
    )
