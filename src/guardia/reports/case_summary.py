"""A case as programs read it: flat, instants in UTC."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings

from guardia.features.cases import queries
from guardia.features.cases.models import Case
from guardia.features.cases.rules.pending import open_proposal
from guardia.features.contracts.queries import balance, contract_today, get_contract_of_case
from guardia.features.releases.queries import find_release
from guardia.features.sla.queries import policy_of, read_clock
from guardia.kernel.vocabulary import Actor
from guardia.reports.clock_view import clock_of_case, clock_of_row
from guardia.reports.promise import call_view
from guardia.reports.showing import ClockStretch

MOST = 100


@dataclass(frozen=True)
class CaseSummary:
    """`precheck` is its outcome or empty; `ahead` a newer release that holds the correction; `fixed_in` a label.

    `must_phone`: it must also be phoned in now, with `phone_code`; unphoned, the clock starts at `office_opens_at`.
    `steps` explain the end in force; they come with one case, not in lists.
    """

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
    phone_code: str
    office_opens_at: datetime | None
    acknowledged_at: datetime | None
    called_at: datetime | None
    breached_at: datetime | None
    proposed_severity: int | None = None
    steps: tuple[ClockStretch, ...] = ()


def _summary(actor: Actor, case: Case, now: datetime) -> CaseSummary:
    call, clock = call_view(actor, case, now), clock_of_row(case, now)
    contract = get_contract_of_case(case.contract_id)
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
        clock_state=clock.state,
        closed_at=case.closed_at,
        closed_how=case.closed_how,
        precheck=found.payload["outcome"] if found else "",
        ahead=found.payload.get("ahead_label", "") if found else "",
        fixed_in=fixed.label if fixed else "",
        premium_left=balance(contract, contract_today(contract, now))[0],
        must_phone=call.is_awaited,
        phone=call.phone,
        url=f"{settings.GUARDIA.public_url}/cases/{case.number}/",
        phone_code=call.code,
        office_opens_at=call.opens_at,
        acknowledged_at=case.acknowledged_at,
        called_at=call.called_at,
        breached_at=clock.breached_at,
    )


def case_summary(actor: Actor, now: datetime, number: str) -> CaseSummary:
    """Return one case that the actor may see, with the arithmetic of its clock."""
    case = queries.get_case_for(actor, number)
    log = queries.facts_of(case)
    reading = read_clock(case.calendar_version_id, policy_of(case.terms, case.case_class), log, now)
    proposal = open_proposal(log) if case.closed_at is None else None
    return replace(
        _summary(actor, case, now),
        breached_at=reading.breached_at,
        proposed_severity=proposal.to if proposal else None,
        steps=clock_of_case(case, reading, now).stretches,
    )


def case_summaries(actor: Actor, now: datetime) -> list[CaseSummary]:
    """Return the latest cases that the actor may see, newest first."""
    return [_summary(actor, case, now) for case in queries.cases_for(actor)[:MOST]]
