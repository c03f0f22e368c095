"""A case as programs read it: flat, instants in UTC."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from guardia.features.cases import queries
from guardia.features.cases.models import Case
from guardia.features.contracts.queries import balance, get_contract_of_case
from guardia.features.releases.queries import find_release
from guardia.kernel.vocabulary import Actor
from guardia.reports.case_page import must_phone
from guardia.reports.clock_view import clock_of_row

MOST = 100


@dataclass(frozen=True)
class CaseSummary:
    """`precheck` is its outcome or empty; `ahead` a newer release that holds the correction; `fixed_in` a label."""

    number: str
    subject: str
    kind: str
    case_class: str
    severity: int
    state: str
    holder: str
    submitted_at: datetime
    due_at: datetime | None
    answered_at: datetime | None
    clock_state: str
    closed_at: datetime | None
    closed_how: str
    precheck: str
    ahead: str
    fixed_in: str
    premium_left: int | None
    must_phone: bool
    phone: str
    url: str


def _summary(case: Case, now: datetime) -> CaseSummary:
    found = queries.find_event(case, "precheck")
    fixed = find_release(case.fixed_in)
    return CaseSummary(
        number=case.number,
        subject=case.subject,
        kind=case.kind,
        case_class=case.case_class,
        severity=case.severity,
        state=case.state,
        holder=case.holder_name,
        submitted_at=case.submitted_at,
        due_at=case.due_at,
        answered_at=case.answered_at,
        clock_state=clock_of_row(case, now).state,
        closed_at=case.closed_at,
        closed_how=case.closed_how,
        precheck=found.payload["outcome"] if found else "",
        ahead=found.payload.get("ahead_label", "") if found else "",
        fixed_in=fixed.label if fixed else "",
        premium_left=balance(get_contract_of_case(case.contract_id), now.date())[0],
        must_phone=must_phone(case, now),
        phone=settings.GUARDIA.phone,
        url=f"{settings.GUARDIA.public_url}/cases/{case.number}/",
    )


def case_summary(actor: Actor, now: datetime, number: str) -> CaseSummary:
    """Return one case that the actor may see."""
    return _summary(queries.get_case_for(actor, number), now)


def case_summaries(actor: Actor, now: datetime) -> list[CaseSummary]:
    """Return the latest cases that the actor may see, newest first."""
    return [_summary(case, now) for case in queries.cases_for(actor)[:MOST]]
