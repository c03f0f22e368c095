"""What a supervisor does to the ledger by hand: adjust a year, or give a case's premium incident back.

Both need a reason that the customer reads on the statement, and a duty manager or an account manager.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.features.contracts import operations as ledger
from guardia.features.contracts.queries import balance, contract_today, get_contract_for
from guardia.journeys import case_log
from guardia.journeys.change_contract import demand_manager
from guardia.journeys.move_case import checked_reason
from guardia.journeys.once import once
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Invalid, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor

LARGEST = 1_000


def adjust_quota(
    actor: Actor, now: datetime, number: str, amount: int, reason: str, *, idempotency_key: str | None = None
) -> None:
    """Add `amount` premium incidents to the contract's running year, or take them from it, down to none left."""
    demand_manager(actor)
    reason = checked_reason(reason)
    if amount == 0 or abs(amount) > LARGEST:
        sentence = _("Give a whole number from 1 to %(most)d, with a minus to take away.") % {"most": LARGEST}
        raise Invalid("amount_missing", sentence, {"amount": sentence})
    with journey():
        contract = get_contract_for(actor, number)

        def do() -> dict[str, str]:
            locked = ledger.lock_contract(contract)
            left, _spent = balance(locked, contract_today(locked, now))
            _demand_possible(left, amount)
            ledger.adjust(locked, amount, actor, now, reason)
            detail = {"amount": amount, "reason": reason}
            record(actor, now, "quota_adjusted", f"contract {number}", company_id=locked.company_id, detail=detail)
            return {"number": number}

        once(actor, now, idempotency_key, "adjust_quota", {"number": number, "amount": amount}, do)


def _demand_possible(left: int | None, amount: int) -> None:
    if left is None:
        sentence = _("The contract's premium incidents are unlimited: there is nothing to adjust.")
        raise Refused("quota_unlimited", sentence, {"amount": sentence})
    if left + amount < 0:
        sentence = _("Only %(left)d are left in this contract year; no more than that can be taken away.") % {
            "left": left
        }
        raise Refused("quota_below_zero", sentence, {"amount": sentence})


def refund_incident(
    actor: Actor, now: datetime, number: str, reason: str, *, idempotency_key: str | None = None
) -> None:
    """Give the premium incident of case `number` back, for the vendor's fault; the case is served as before."""
    demand_manager(actor)
    reason = checked_reason(reason)
    with journey():
        case = queries.get_case_for(actor, number)

        def do() -> dict[str, str]:
            locked = cases.lock_case(case)
            if not ledger.refund(locked.id, locked.company_id, actor, now, reason):
                sentence = _("The case is not charged, or its premium incident was given back already.")
                raise Refused("not_charged", sentence, {"case": sentence})
            case_log.add(locked, "quota", actor, now, {"movement": "refund", "amount": 1, "reason": reason})
            return {"number": number}

        once(actor, now, idempotency_key, "refund_incident", {"number": number}, do)
