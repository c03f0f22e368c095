"""Open a case from a phone call: the caller gives the severity by a key and says what happened; the sound is the text.

- Who opens a case by phone has phoned it in (rule 3): its confirmed call is of the same instant.
- It is premium where the contract grants that. Where no premium incident is left the class stays undecided, as by mail
  (rule 5): on the phone nobody is made to listen to a choice before the request is in, and nothing becomes standard
  silently; the call says it, the mail has the page on which it is decided.
- A call that is handed in later counts from the call. The same recording of a call opens one case, however often it is
  handed in, and spends one premium incident at most.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _

from guardia.features.accounts.queries import find_person_of
from guardia.features.cases.operations import lock_key
from guardia.features.cases.queries import find_opened_by_call, get_case_for
from guardia.features.contracts import operations as ledger
from guardia.features.contracts.queries import contract_today, facts_for, find_contract, refusal_words
from guardia.features.contracts.rules.entitlement import NO_CONTRACT, Granted, NotGranted, decide
from guardia.journeys import case_log
from guardia.journeys.act_on_case import demand_customer
from guardia.journeys.add_cases import FIRST_SEQ, Opening, add_openings
from guardia.journeys.identify_caller import standing_of
from guardia.journeys.notify import notify_customer
from guardia.journeys.open_case import CaseRequest
from guardia.journeys.phone_line import phone_line
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.transactions import journey, operation
from guardia.kernel.vocabulary import Actor, CaseClass, CaseKind, Channel, Severity

MESSAGE_SEVERITY: Final = Severity.MEDIUM


@dataclass(frozen=True)
class VoiceOpened:
    """The case; `is_undecided`: premium was wanted and could not be granted, so that its class is still to be chosen
    (or is standard, where the plan has no premium).
    """

    case: Any
    is_undecided: bool


def open_by_voice(
    actor: Actor,
    now: datetime,
    severity: int,
    call_id: UUID,
    recording: int,
    seconds: float,
    arrived_at: datetime | None = None,
    *,
    is_premium: bool = True,
) -> VoiceOpened:
    """Open a case whose description is the recording of a call made at `arrived_at` (else now).

    Raises Refused where the contract covers nothing then, Forbidden where it does not let the person phone.
    """
    at = arrived_at or now
    demand_customer(actor)
    if severity not in list(Severity):
        sentence = _("Choose a severity from 1 (critical) to 4 (low).")
        raise Invalid("severity_unknown", sentence, {"severity": sentence})
    wanted = CaseClass.PREMIUM if is_premium else CaseClass.STANDARD
    with journey():
        lock_recording(call_id, recording)
        case = _opened_before(actor, call_id, recording)
        if case is None:
            _demand_phone(actor, at)
            case = open_spoken(actor, now, at, severity, wanted, call_id, recording, seconds)
            said = {"how": "pin", "reason": "", "call": str(call_id)}
            case_log.add(case, "phone_confirmed", actor, now, said, occurred_at=at)
            notify_customer(case, "opened", FIRST_SEQ, now, phone_line(case, now))
    case = get_case_for(actor, case.number)
    return VoiceOpened(case, is_premium and case.case_class != CaseClass.PREMIUM)


@operation
def lock_recording(call_id: UUID, recording: int) -> None:
    """Let whoever hands in the same recording wait for each other."""
    lock_key("call", f"{call_id}:{recording}")


@operation
def open_spoken(
    actor: Actor,
    now: datetime,
    arrived_at: datetime,
    severity: int,
    wanted: CaseClass,
    call_id: UUID,
    recording: int,
    seconds: float,
) -> Any:
    """Set up a case whose description is a recording; raise Refused where the contract covers nothing then."""
    contract, granted = _grant(actor, arrived_at, wanted)
    with translation.override(actor.language):
        request = CaseRequest(
            kind=CaseKind.INCIDENT.value,
            case_class=wanted.value,
            severity=severity,
            subject=_("Opened by phone"),
            description=_("The description is a recording of %(length)s.") % {"length": spoken_length(seconds)},
            channel=Channel.PHONE,
        )
    said = {"call": str(call_id), "recording": recording, "seconds": round(seconds)}
    (case,) = add_openings([Opening(actor, request, contract, granted, arrived_at, said=said)], now)
    return case


def spoken_length(seconds: float) -> str:
    """Return a length such as 0:42."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _opened_before(actor: Actor, call_id: UUID, recording: int) -> Any:
    return find_opened_by_call(actor.company_id, call_id, recording) if actor.company_id else None


def _demand_phone(actor: Actor, at: datetime) -> None:
    person = find_person_of(actor.company_id, UUID(actor.id)) if actor.company_id else None
    if person is None or standing_of(person, at).refusal:
        raise Forbidden(
            "not_entitled", _("Requests are opened by phone by named contacts whose contract has the line.")
        )


def _grant(actor: Actor, at: datetime, wanted: CaseClass) -> tuple[Any, Granted]:
    """Decide on the locked contract; what cannot be premium stays undecided."""
    contract = find_contract(actor.company_id, at) if actor.company_id else None
    if contract is None:
        raise _refused(NO_CONTRACT)
    contract = ledger.lock_contract(contract)
    today, facts = contract_today(contract, at), facts_for(contract, UUID(actor.id), at)
    decision = decide(facts, wanted, consents_to_standard=False, today=today)
    if isinstance(decision, NotGranted) and wanted is CaseClass.PREMIUM:
        decision = decide(facts, CaseClass.UNDECIDED, consents_to_standard=False, today=today)
    if isinstance(decision, NotGranted):
        raise _refused(decision)
    return contract, decision


def _refused(decision: NotGranted) -> Refused:
    return Refused(decision.code, refusal_words(decision))
