"""What a case's page and API say of its promise besides the clock: the call that is awaited, what waits for a word."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from guardia.features.cases.models import Case
from guardia.features.cases.queries import is_unphoned, phone_code_of
from guardia.features.cases.rules.pending import (
    Dispute,
    LateEntry,
    Proposal,
    open_dispute,
    open_proposal,
    standing_answer,
    waiting_entries,
)
from guardia.features.cases.rules.projection import EventFact
from guardia.features.sla.queries import awaited_opening, policy_of
from guardia.features.sla.rules.policies import Policy
from guardia.kernel.vocabulary import Actor


@dataclass(frozen=True)
class CallView:
    """Whether a request must also be phoned in, now (rule 3), and with what.

    `code` is for the customer only, and empty where no call could open its clock any more: staff are told it by the
    caller. `opens_at` is when the clock starts without a call.
    """

    is_awaited: bool
    phone: str
    code: str
    opens_at: datetime | None
    called_at: datetime | None


@dataclass(frozen=True)
class PromiseView:
    """`proposal` and `dispute` wait for customer and vendor; `late_entries` (for staff) for a duty manager.

    Acknowledged and qualified are two facts: that somebody is at work, and that the answer was given.
    """

    call: CallView
    acknowledged_at: datetime | None
    qualified_at: datetime | None
    proposal: Proposal | None
    dispute: Dispute | None
    late_entries: tuple[LateEntry, ...]
    has_standing_answer: bool
    promised_as: str


def must_phone(case: Case, now: datetime) -> bool:
    """Whether a level-1 case must also be phoned in: its target opens by a call and the office is closed (rule 3)."""
    return _opens_at(case, now) is not None


def _opens_at(case: Case, now: datetime) -> datetime | None:
    if not is_unphoned(case):
        return None
    return awaited_opening(case.calendar_version_id, policy_of(case.terms, case.case_class), case.severity, now)


def call_view(actor: Actor, case: Case, now: datetime) -> CallView:
    """Return what one reader is told about the call of a case."""
    opens_at = _opens_at(case, now)
    hears_calls = Policy.parse(policy_of(case.terms, case.case_class)).hears_calls
    has_code = not actor.is_staff and hears_calls and is_unphoned(case)
    return CallView(
        is_awaited=opens_at is not None,
        phone=settings.GUARDIA.phone,
        code=phone_code_of(case) if has_code else "",
        opens_at=opens_at,
        called_at=case.called_at,
    )


def promise_view(actor: Actor, case: Case, events: list[EventFact], now: datetime) -> PromiseView:
    """Return what one reader is told about the promise of a case."""
    is_open = case.closed_at is None
    return PromiseView(
        call=call_view(actor, case, now),
        acknowledged_at=case.acknowledged_at,
        qualified_at=case.answered_at,
        proposal=open_proposal(events) if is_open else None,
        dispute=open_dispute(events) if is_open else None,
        late_entries=waiting_entries(events) if actor.is_staff else (),
        has_standing_answer=standing_answer(events) is not None,
        promised_as=case.terms.get("promised_as") or case.case_class,
    )
