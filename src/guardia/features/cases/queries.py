"""Cases and their events, access checked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from guardia.features.cases.models import Case, CaseEvent, CaseFile, IdempotencyKey, Report
from guardia.features.cases.rules.projection import EventFact
from guardia.kernel.errors import NotFound
from guardia.kernel.ids import is_case_number
from guardia.kernel.vocabulary import Actor

_QUEUE_ORDER = ("tier", "severity", F("due_at").asc(nulls_last=True), "-plan_rank", "submitted_at", "id")


def _unknown() -> NotFound:
    return NotFound(
        "case_unknown",
        _("There is no such case in this account. Check the number: its last digit is a check digit."),
    )


def get_case_for(actor: Actor, number: str) -> Case:
    """Return a case that the actor may see; raise NotFound, for a stranger's just as for none."""
    rows = Case.objects.visible_to(actor).select_related("company")
    case = rows.filter(number=number).first() if is_case_number(number) else None
    if case is None:
        raise _unknown()
    return case


def find_case_for(actor: Actor, case_id: UUID) -> Case | None:
    """Return a case that the actor may see, or None."""
    return Case.objects.visible_to(actor).filter(id=case_id).first()


def cases_for(actor: Actor) -> QuerySet[Case]:
    """Return the cases that the actor may see, newest first."""
    return Case.objects.visible_to(actor).select_related("company").order_by("-submitted_at")


def queue_for(actor: Actor) -> QuerySet[Case]:
    """Return open cases in the order of the queue: tier, severity, due (none last), plan rank, arrival."""
    return Case.objects.visible_to(actor).select_related("company").filter(closed_at=None).order_by(*_QUEUE_ORDER)


def next_unheld(actor: Actor) -> Case | None:
    """Return and lock the first case of the queue that nobody holds; others who ask at once get the next one."""
    rows = Case.objects.visible_to(actor).filter(closed_at=None, holder_id=None).order_by(*_QUEUE_ORDER)
    return rows.select_for_update(skip_locked=True).first()


def events_of(case: Case) -> QuerySet[CaseEvent]:
    """Return the events of a case that the caller may see, in order."""
    return CaseEvent.objects.of_company(case.company_id).filter(case=case).order_by("seq")


def facts_of(case: Case) -> list[EventFact]:
    """Return the events as the folds read them."""
    return [
        EventFact(event.seq, event.type, event.actor, event.occurred_at, event.payload) for event in events_of(case)
    ]


def find_event(case: Case, event_type: str, **payload: Any) -> CaseEvent | None:
    """Return the latest event of a type whose payload has these values."""
    filters = {f"payload__{name}": value for name, value in payload.items()}
    return events_of(case).filter(type=event_type, **filters).last()


def files_of(case: Case, role: str | None = None) -> QuerySet[CaseFile]:
    """Return the files of a case, in the order in which they came."""
    rows = CaseFile.objects.of_company(case.company_id).filter(case=case).order_by("added_at", "id")
    return rows.filter(role=role) if role else rows


def get_file(case: Case, file_id: UUID) -> CaseFile:
    """Return one file of a case that the caller may see."""
    row = files_of(case).filter(id=file_id).first()
    if row is None:
        raise NotFound("file_unknown", _("There is no such file in this case."))
    return row


def find_report(case: Case) -> Report | None:
    """Return what a signature change request says, or None for other kinds."""
    return Report.objects.of_company(case.company_id).filter(case=case).first()


def get_report(case: Case) -> Report:
    """Return what a signature change request says; raise Report.DoesNotExist for other kinds."""
    return Report.objects.of_company(case.company_id).get(case=case)


def reports_of(cases: Sequence[Case]) -> dict[UUID, Report]:
    """Return the reports of cases that the caller may see, by case."""
    rows = Report.objects.across_companies("the cases in hand were access-checked")
    return {report.case_id: report for report in rows.filter(case_id__in=[case.id for case in cases])}


def proven_cases() -> QuerySet[Case]:
    """Return closed signature changes with a released correction: the memory that later releases are tested on."""
    rows = Case.objects.across_companies("each closed case is a test of every later release")
    return rows.filter(kind="signature_change", state="closed", fixed_in__isnull=False).order_by("closed_at")


def get_case_of_company(company_id: UUID, number: str) -> Case:
    """Return a case of one company by its number."""
    rows = Case.objects.of_company(company_id).select_related("company")
    case = rows.filter(number=number).first() if is_case_number(number) else None
    if case is None:
        raise _unknown()
    return case


def get_case_for_lab(case_id: UUID) -> Case:
    """Return the case of a lab job."""
    return Case.objects.across_companies("the lab job in hand names its case").select_related("company").get(id=case_id)


def all_cases() -> QuerySet[Case]:
    """Return every case, for computing projections again."""
    return Case.objects.across_companies("projections are computed again for all").order_by("id")


def open_changes_on(lane: str) -> QuerySet[Case]:
    """Return open signature changes whose terms name `lane`, oldest first: a publication may concern them."""
    rows = Case.objects.across_companies("a lane's publication concerns every company on it").select_related("company")
    return rows.filter(terms__lane=lane, closed_at=None, kind="signature_change").order_by("submitted_at")


def find_answer(owner: str, key: str, *, since: datetime) -> IdempotencyKey | None:
    """Return the kept answer of an earlier request with this key."""
    return IdempotencyKey.objects.filter(owner=owner, key=key, created_at__gte=since).first()
