"""The customer's list of cases and the vendor's queue."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from guardia.features.cases import queries
from guardia.features.cases.models import Case
from guardia.features.contracts.rules.entitlement import PREMIUM_TIER
from guardia.kernel.vocabulary import Actor
from guardia.reports.clock_view import clock_of_row
from guardia.reports.showing import ClockView


@dataclass(frozen=True)
class CaseRow:
    """One row: `tier` is premium or standard, the first sort key of the queue."""

    number: str
    subject: str
    company: str
    plan: str
    kind: str
    claim: str
    case_class: str
    severity: int
    state: str
    holder: str
    clock: ClockView
    submitted_at: datetime
    tier: str


@dataclass(frozen=True)
class QueuePage:
    """The queue, with the figures of its duty strip and the counts of its views."""

    rows: tuple[CaseRow, ...]
    view: str
    counts: dict[str, int]
    due_next: CaseRow | None
    breached: tuple[CaseRow, ...]
    running: int
    unassigned: int
    search: str


@dataclass(frozen=True)
class CaseListPage:
    """The company's own cases."""

    rows: tuple[CaseRow, ...]
    view: str
    counts: dict[str, int]


VIEWS = ("open", "mine", "unassigned", "due", "signature", "waiting", "closed")
MOST_ROWS = 200
_DUE_WITHIN = timedelta(hours=1)


def _row(case: Case, claims: dict[UUID, str], now: datetime) -> CaseRow:
    return CaseRow(
        number=case.number,
        subject=case.subject,
        company=case.company.name,
        plan=case.terms["plan_name"],
        kind=case.kind,
        claim=claims.get(case.id, ""),
        case_class=case.case_class,
        severity=case.severity,
        state=case.state,
        holder=case.holder_name,
        clock=clock_of_row(case, now),
        submitted_at=case.submitted_at,
        tier="premium" if case.tier == PREMIUM_TIER else "standard",
    )


def case_rows(cases: list[Case], now: datetime) -> tuple[CaseRow, ...]:
    """Return rows for cases that the caller may see."""
    claims = {case_id: report.claim for case_id, report in queries.reports_of(cases).items()}
    return tuple(_row(case, claims, now) for case in cases)


def customer_cases(actor: Actor, now: datetime, view: str, language: str) -> CaseListPage:  # noqa: ARG001  the door's signature
    """Return the cases of the actor's company, newest first."""
    rows = queries.cases_for(actor)
    views = {"open": rows.filter(closed_at=None), "closed": rows.exclude(closed_at=None), "all": rows}
    chosen = view if view in views else "open"
    counts = {name: some.count() for name, some in views.items()}
    return CaseListPage(case_rows(list(views[chosen][:MOST_ROWS]), now), chosen, counts)


def _views(actor: Actor, now: datetime) -> dict[str, QuerySet[Case]]:
    queue = queries.queue_for(actor)
    return {
        "open": queue,
        "mine": queue.filter(holder_id=UUID(actor.id)),
        "unassigned": queue.filter(holder_id=None),
        "due": queue.filter(answered_at=None, due_at__lte=now + _DUE_WITHIN),
        "signature": queue.filter(kind="signature_change"),
        "waiting": queue.filter(state="waiting_customer"),
        "closed": queries.cases_for(actor).exclude(closed_at=None),
    }


def _found(rows: QuerySet[Case], search: str) -> QuerySet[Case]:
    words = search.strip()
    if not words:
        return rows
    digits = words.replace(" ", "")
    return rows.filter(Q(subject__icontains=words) | Q(company__name__icontains=words) | Q(number__startswith=digits))


def queue_page(actor: Actor, now: datetime, view: str = "open", search: str = "") -> QueuePage:
    """Return the queue in its order, with the duty strip's figures."""
    views = _views(actor, now)
    chosen = view if view in views else "open"
    queue = views["open"]
    waiting = queue.filter(answered_at=None, due_at__isnull=False)
    due_next = list(waiting.filter(due_at__gt=now).order_by("due_at")[:1])
    breached = list(waiting.filter(due_at__lt=now).order_by("due_at")[:5])
    return QueuePage(
        rows=case_rows(list(_found(views[chosen], search)[:MOST_ROWS]), now),
        view=chosen,
        counts={name: rows.count() for name, rows in views.items()},
        due_next=next(iter(case_rows(due_next, now)), None),
        breached=case_rows(breached, now),
        running=waiting.filter(due_at__gt=now).count(),
        unassigned=views["unassigned"].count(),
        search=search,
    )
