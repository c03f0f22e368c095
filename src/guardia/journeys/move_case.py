"""Moves of a case's life, each with its actor, instant and reason."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.features.cases.rules import life
from guardia.features.contracts import operations as ledger
from guardia.journeys import case_log
from guardia.journeys.notify import notify_customer
from guardia.journeys.once import once
from guardia.journeys.write_message import checked_text, demand_open
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, CaseState

LONGEST_REASON = 300
CUSTOMER_CLOSES = ("customer_confirmed", "withdrawn")
STAFF_CLOSES = ("solved", "not_machine_proved", "withdrawn")


def checked_reason(text: str) -> str:
    """Return a reason as it is kept: present, in bounds. Raises Invalid at the field `reason`."""
    cleaned = text.replace("\x00", "").strip()
    if not cleaned:
        raise Invalid("reason_missing", _("Every step has its reason."), {"reason": _("Say why, in one line.")})
    if len(cleaned) > LONGEST_REASON:
        sentence = _("At most %(limit)d characters, got %(length)d.") % {
            "limit": LONGEST_REASON,
            "length": len(cleaned),
        }
        raise Invalid("reason_too_long", sentence, {"reason": sentence})
    return cleaned


def _staff_only(actor: Actor) -> None:
    if not actor.is_staff:
        raise Forbidden("staff_only", _("Only the vendor's staff do this."))


def _move(
    actor: Actor,
    now: datetime,
    number: str,
    act: str,
    detail: str,
    key: str | None,
    do: Callable[[case_log.Case], None],
) -> None:
    with journey():
        case = queries.get_case_for(actor, number)

        def moved() -> dict[str, str]:
            locked = cases.lock_case(case)
            demand_open(act, locked.state)
            do(locked)
            return {"number": number}

        once(actor, now, key, act, {"number": number, "detail": detail}, moved)


def _change_state(
    actor: Actor, now: datetime, number: str, act: str, reason: str, key: str | None, notice: str = ""
) -> None:
    _staff_only(actor)
    reason = checked_reason(reason)

    def do(case: case_log.Case) -> None:
        state = life.state_after(act, CaseState(case.state))
        seq = case_log.add(case, "state_changed", actor, now, {"act": act, "state": state.value, "reason": reason})
        if notice:
            notify_customer(case, notice, seq, now, reason)

    _move(actor, now, number, act, reason, key, do)


def wait_for_customer(
    actor: Actor, now: datetime, number: str, reason: str, *, idempotency_key: str | None = None
) -> None:
    """Let a case wait for the customer; the response clock goes on (RC-11)."""
    _change_state(actor, now, number, "wait", reason, idempotency_key, "waiting")


def resume_case(actor: Actor, now: datetime, number: str, reason: str, *, idempotency_key: str | None = None) -> None:
    """Take a case out of waiting."""
    _change_state(actor, now, number, "resume", reason, idempotency_key)


def hand_to_lab(actor: Actor, now: datetime, number: str, reason: str, *, idempotency_key: str | None = None) -> None:
    """Hand a case to the lab."""
    _change_state(actor, now, number, "to_lab", reason, idempotency_key)


def offer_solution(actor: Actor, now: datetime, number: str, text: str, *, idempotency_key: str | None = None) -> None:
    """Offer a solution; it is no qualified answer by itself."""
    _staff_only(actor)
    text = checked_text(text)

    def do(case: case_log.Case) -> None:
        seq = case_log.add(case, "solution", actor, now, {"text": text})
        notify_customer(case, "solution", seq, now)

    _move(actor, now, number, "solution", text, idempotency_key, do)


def close_case(
    actor: Actor, now: datetime, number: str, how: str, reason: str, *, idempotency_key: str | None = None
) -> None:
    """Close a case for a stated reason: a customer's confirmation or withdrawal, or staff's."""
    allowed = STAFF_CLOSES if actor.is_staff else CUSTOMER_CLOSES
    if how not in allowed:
        raise Invalid("how_unknown", _("Say how the request ends."), {"how": _("Choose one.")})
    reason = checked_reason(reason)

    def do(case: case_log.Case) -> None:
        is_unproved = case.kind == "signature_change" and how in {"customer_confirmed", "solved"}
        payload: dict[str, Any] = {"how": "not_machine_proved" if is_unproved else how, "said": how, "reason": reason}
        seq = case_log.add(case, "closed", actor, now, payload)
        notify_customer(case, "closed", seq, now, reason)

    _move(actor, now, number, "close", f"{how}: {reason}", idempotency_key, do)


def reopen_case(actor: Actor, now: datetime, number: str, reason: str, *, idempotency_key: str | None = None) -> None:
    """Reopen a closed case; no premium incident is charged again. One that was joined with another stays closed."""
    reason = checked_reason(reason)

    def do(case: case_log.Case) -> None:
        if case.merged_into_id is not None:
            raise Refused("merged", _("This request was joined with another one, and goes on there."))
        seq = case_log.add(case, "reopened", actor, now, {"reason": reason})
        notify_customer(case, "reopened", seq, now, reason)

    _move(actor, now, number, "reopen", reason, idempotency_key, do)


def reject_case(actor: Actor, now: datetime, number: str, reason: str, *, idempotency_key: str | None = None) -> None:
    """Reject a case with the reason and what to do; its premium incident is given back."""
    _staff_only(actor)
    reason = checked_reason(reason)

    def do(case: case_log.Case) -> None:
        seq = case_log.add(case, "rejected", actor, now, {"reason": reason})
        if ledger.refund(case.id, case.company_id, actor, now, reason):
            case_log.add(case, "quota", actor, now, {"movement": "refund", "amount": 1})
        notify_customer(case, "rejected", seq, now, reason)

    _move(actor, now, number, "reject", reason, idempotency_key, do)
