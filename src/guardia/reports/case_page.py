"""A case as its page shows it: the same facts for portal and console, filtered by who reads."""

from dataclasses import dataclass
from datetime import datetime

from guardia.features.accounts.queries import people_by_id
from guardia.features.cases import queries
from guardia.features.cases.models import Case, Report
from guardia.features.cases.rules import projection as folding
from guardia.features.contracts.queries import balance, contacts_of, contract_today, get_contract_of_case, year_of
from guardia.features.releases.queries import find_evidence, find_release
from guardia.features.sla.queries import policy_of, read_clock
from guardia.kernel.vocabulary import Actor
from guardia.reports.case_acts import case_acts
from guardia.reports.case_calls import recording_views
from guardia.reports.case_messages import message_views
from guardia.reports.case_steps import evidence_steps, target_words
from guardia.reports.clock_view import clock_of_case
from guardia.reports.kept_sentences import told
from guardia.reports.next_step import next_step
from guardia.reports.promise import PromiseView, promise_view
from guardia.reports.showing import Acts, ClockView, FileView, QuotaView, Step, TimelineEntry
from guardia.reports.timeline import Teller, file_views, pauses_of
from guardia.reports.timeline_clocks import INTERNAL_TYPES


@dataclass(frozen=True)
class ReportView:
    """What the signature change request says of the database."""

    claim: str
    product: str
    engine: str
    database_version: str
    detection_name: str


@dataclass(frozen=True)
class CasePage:
    """Everything on a case's page. `next_title` and `next_text` say what happens next, in the reader's language."""

    id: str
    number: str
    subject: str
    company: str
    plan: str
    kind: str
    case_class: str
    severity: int
    state: str
    state_reason: str
    channel: str
    submitted_at: datetime
    opened_by: str
    holder: str
    holder_since: datetime | None
    holders_before: tuple[str, ...]
    clock: ClockView
    quota: QuotaView
    lane: str
    report: ReportView | None
    files: tuple[FileView, ...]
    timeline: tuple[TimelineEntry, ...]
    steps: tuple[Step, ...]
    next_title: str
    next_text: str
    acts: Acts
    contacts: tuple[str, ...]
    target_level_1: str
    promise: PromiseView
    must_phone: bool
    fixed_in: str
    agent_command: str
    last_seq: int
    precheck_outcome: str
    has_evidence: bool
    goes_on_in: str = ""
    """The number of the case with which it was joined."""


def quota_view(contract_id: object, today_at: datetime) -> QuotaView:
    """Return the premium incidents of a contract's present year."""
    contract = get_contract_of_case(contract_id)  # type: ignore[arg-type]
    today = contract_today(contract, today_at)
    left, used = balance(contract, today)
    _first, last = year_of(contract, today)
    total = None if left is None else left + used
    return QuotaView(total=total, used=used, left=left, year_ends_on=last.isoformat())


def _goes_on_in(actor: Actor, case: Case) -> str:
    kept = queries.find_case_for(actor, case.merged_into_id) if case.merged_into_id is not None else None
    return kept.number if kept else ""


def _holders_before(events: list[folding.EventFact], holder: str) -> tuple[str, ...]:
    names = [event.actor["name"] for event in events if event.type == "taken"]
    return tuple(name for name in dict.fromkeys(names) if name != holder)


def _report_view(report: Report | None) -> ReportView | None:
    if report is None:
        return None
    return ReportView(report.claim, report.product, report.engine, report.database_version, report.detection_name)


def case_page(actor: Actor, now: datetime, number: str) -> CasePage:
    """Return a case that the actor may see, as its page shows it; raise NotFound for a stranger's."""
    case = queries.get_case_for(actor, number)
    report = queries.find_report(case)
    rows = list(queries.events_of(case))
    facts = queries.facts_of(case)
    clock = clock_of_case(
        case, read_clock(case.calendar_version_id, policy_of(case.terms, case.case_class), facts, now), now
    )
    files = [file for file in queries.files_of(case) if actor.is_staff or file.role != "internal"]
    contract = get_contract_of_case(case.contract_id)
    people = people_by_id(contacts_of(contract))
    fixed = find_release(case.fixed_in)
    found = next((event for event in reversed(facts) if event.type == "precheck"), None)
    promise = promise_view(actor, case, facts, now)
    title, text = next_step(case, report, facts, promise, is_staff=actor.is_staff)
    return CasePage(
        id=str(case.id),
        number=case.number,
        subject=case.subject,
        company=case.company.name,
        plan=case.terms["plan_name"],
        kind=case.kind,
        case_class=case.case_class,
        severity=case.severity,
        state=case.state,
        state_reason=told(case.state_reason),
        channel=case.channel,
        submitted_at=case.submitted_at,
        opened_by=case.opened_by_name,
        holder=case.holder_name,
        holder_since=case.holder_since,
        holders_before=_holders_before(facts, case.holder_name),
        clock=clock,
        quota=quota_view(case.contract_id, now),
        lane=case.terms["lane"],
        report=_report_view(report),
        files=file_views(files),
        timeline=Teller(actor, files, message_views(actor, case.id), recording_views(actor, case.id)).tell(
            rows, pauses_of([s for s in clock.stretches if s.start <= now])
        ),
        steps=evidence_steps(case, facts) if report else (),
        next_title=title,
        next_text=text,
        acts=case_acts(actor, case, facts),
        contacts=tuple(person.name for person in people.values()),
        target_level_1=target_words(policy_of(case.terms, case.case_class), 1),
        promise=promise,
        must_phone=promise.call.is_awaited,
        fixed_in=fixed.label if fixed else "",
        agent_command=f"guardia-agent update && guardia-agent verify {case.number} FILE" if report else "",
        last_seq=_seen_seq(actor, case),
        precheck_outcome=found.payload["outcome"] if found else "",
        has_evidence=bool(fixed and find_evidence(fixed.number)),
        goes_on_in=_goes_on_in(actor, case),
    )


def case_version(actor: Actor, number: str) -> str:
    """Return what changes whenever a case's page changes, for live views."""
    return str(_seen_seq(actor, queries.get_case_for(actor, number)))


def _seen_seq(actor: Actor, case: Case) -> int:
    """Return the seq of the last event that the reader may know of; customers are not even told of internal notes."""
    if actor.is_staff:
        return case.last_seq
    seen = queries.events_of(case).exclude(payload__contains={"internal": True}).exclude(type__in=INTERNAL_TYPES).last()
    return seen.seq if seen else 0
