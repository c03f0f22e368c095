"""Changes of a request's class: who may, what it costs, and from when the promise counts.

- Staff take a premium request for standard, with a reason: the incident is given back, and what was promised stays.
- A named contact turns a standard request into a premium one while it is unanswered and no promise of it was missed: an
  incident is spent, and the clock starts at that instant. (What the vendor had promised as premium goes on instead.)
- Where nobody could consent at once, the class is undecided. A named contact decides for premium, anybody of the
  company for standard; the clock counts from the submission. Staff decide neither: nothing is downgraded in silence.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.cases import queries
from guardia.features.contracts import operations as ledger
from guardia.features.contracts.queries import contract_today, facts_for, get_contract_of_case, refusal_words
from guardia.features.contracts.rules.entitlement import NotGranted, decide
from guardia.features.sla.queries import policy_of, read_clock
from guardia.journeys import case_log
from guardia.journeys.act_on_case import Answer, act_on_case, demand_customer, demand_staff
from guardia.journeys.move_case import checked_reason
from guardia.journeys.notify import notify_customer
from guardia.journeys.phone_line import phone_line
from guardia.journeys.write_message import demand_open
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Invalid, Refused
from guardia.kernel.vocabulary import Actor, CaseClass, CaseState

PREMIUM, STANDARD, UNDECIDED = CaseClass.PREMIUM.value, CaseClass.STANDARD.value, CaseClass.UNDECIDED.value


def change_class(
    actor: Actor, now: datetime, number: str, to: str, reason: str, *, idempotency_key: str | None = None
) -> None:
    """Change the class of an open request."""
    if to not in (PREMIUM, STANDARD):
        raise Invalid(
            "class_unknown", _("Choose premium or standard."), {"case_class": _("Choose premium or standard.")}
        )
    reason = checked_reason(reason)

    def do(case: case_log.Case) -> Answer:
        demand_open("message", case.state)
        if case.case_class == to:
            raise Refused("same_class", _("The request has this class already."))
        if case.case_class == PREMIUM:
            _give_up_premium(case, actor, now, reason)
        elif to == PREMIUM:
            _become_premium(case, actor, now, reason)
        else:
            demand_customer(actor)
            _add(case, actor, now, {"class": to, "starts": "submission", "reason": reason})
        return {"case_class": to}

    act_on_case(actor, now, number, "change_class", {"to": to, "reason": reason}, idempotency_key, do)


def _give_up_premium(case: case_log.Case, actor: Actor, now: datetime, reason: str) -> None:
    demand_staff(actor)
    detail = {"from": case.case_class, "to": STANDARD, "reason": reason}
    record(actor, now, "class_changed", f"case {case.number}", company_id=case.company_id, detail=detail)
    if ledger.refund(case.id, case.company_id, actor, now, reason):
        case_log.add(case, "quota", actor, now, {"movement": "refund", "amount": 1})
    _add(case, actor, now, {"class": STANDARD, "starts": "same", "policy_class": PREMIUM, "reason": reason})


def _become_premium(case: case_log.Case, actor: Actor, now: datetime, reason: str) -> None:
    demand_customer(actor)
    starts = "submission" if case.case_class == UNDECIDED else "now"
    if case.terms.get("promised_as") == PREMIUM:
        starts = "same"
    if starts == "now":
        _demand_unjudged(case, now)
    contract = ledger.lock_contract(get_contract_of_case(case.contract_id))
    decision = decide(
        facts_for(contract, UUID(actor.id), now),
        CaseClass.PREMIUM,
        consents_to_standard=False,
        today=contract_today(contract, now),
    )
    if isinstance(decision, NotGranted):
        none_left = _("No premium incidents are left in this contract year: the request stays as it is.")
        sentence = none_left if decision.check == "E-9" else refusal_words(decision)
        raise Refused(decision.code, sentence, {"case_class": sentence})
    if not ledger.reserve(contract, case.id, actor, now, reason):  # fail closed: the contract is locked since
        raise Refused("no_premium_left", _("No premium incidents are left in this contract year."))
    case_log.add(case, "quota", actor, now, {"movement": "reserve", "amount": 1})
    if case.state != CaseState.SUBMITTED and ledger.consume(case.id, case.company_id, actor, now, reason):
        case_log.add(case, "quota", actor, now, {"movement": "consume", "amount": 1})
    _add(case, actor, now, {"class": PREMIUM, "starts": starts, "reason": reason})


def _demand_unjudged(case: case_log.Case, now: datetime) -> None:
    """A clock that starts anew would wipe out an answer or a breach; neither is."""
    policy = policy_of(case.terms, case.case_class)
    reading = read_clock(case.calendar_version_id, policy, queries.facts_of(case), now)
    if reading.answered_at is not None:
        raise Refused(
            "answered", _("The request has its qualified answer: premium would change nothing. Open a new one.")
        )
    if reading.breached_at is not None:
        raise Refused(
            "breached",
            _("The target of this request was missed, and that stays on record. Open a new one for premium."),
        )


def _add(case: case_log.Case, actor: Actor, now: datetime, said: dict[str, Any]) -> None:
    seq = case_log.add(case, "class_changed", actor, now, {"from": case.case_class, **said})
    phone = phone_line(case, now)
    notify_customer(case, "class_changed", seq, now, lambda: "\n\n".join(filter(None, (said["reason"], phone()))))
