"""What a customer's program may do about a case's promise: dispute its severity, answer a proposal, change class."""

from django.http import HttpRequest
from ninja import Router
from pydantic import StrictBool, StrictInt

from guardia.doors.api.asked import Asked
from guardia.doors.api.authentication import ContactToken, contact_of
from guardia.doors.api.cases import CaseDetail, Key
from guardia.journeys.change_class import change_class
from guardia.journeys.change_severity import answer_proposal, dispute_severity
from guardia.kernel import clock
from guardia.reports.case_summary import case_summary

router = Router(auth=ContactToken(), tags=["promise"])


class Dispute(Asked):
    """The severity that it should be, 1 (critical) to 4 (low), and why."""

    wanted: StrictInt
    reason: str


class ProposalAnswer(Asked):
    """Whether the lower severity that the vendor proposes is agreed to."""

    agrees: StrictBool
    reason: str = ""


class WantedClass(Asked):
    """premium (spends an incident; the clock starts now) or standard, and why."""

    case_class: str
    reason: str


def _shown(request: HttpRequest, number: str) -> CaseDetail:
    return CaseDetail.of(case_summary(contact_of(request), clock.now(), number))


@router.post("/cases/{number}/severity-dispute", response=CaseDetail, summary="Dispute the severity")
def new_dispute(request: HttpRequest, number: str, body: Dispute, idempotency_key: Key = None) -> CaseDetail:
    """Say which severity it should be; the vendor changes it, or says why it stays."""
    now = clock.now()
    dispute_severity(contact_of(request), now, number, body.wanted, body.reason, idempotency_key=idempotency_key)
    return _shown(request, number)


@router.post("/cases/{number}/severity-proposal", response=CaseDetail, summary="Answer a proposed lower severity")
def proposal_answer(request: HttpRequest, number: str, body: ProposalAnswer, idempotency_key: Key = None) -> CaseDetail:
    """Agree, or decline: then the severity stays."""
    now = clock.now()
    answer_proposal(contact_of(request), now, number, body.agrees, body.reason, idempotency_key=idempotency_key)
    return _shown(request, number)


@router.post("/cases/{number}/class", response=CaseDetail, summary="Make it premium, or decide an undecided class")
def wanted_class(request: HttpRequest, number: str, body: WantedClass, idempotency_key: Key = None) -> CaseDetail:
    """Change the class of an unanswered case, as a named contact."""
    now = clock.now()
    change_class(contact_of(request), now, number, body.case_class, body.reason, idempotency_key=idempotency_key)
    return _shown(request, number)
