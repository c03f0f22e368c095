"""Changes of severity, by whom they may be made. Each replays the response clock (RC-6, RC-7).

- Staff raise a severity at once, with a reason and a notice.
- Lowering one whose target is still running takes a promise away: a duty manager may, on record; of others it is a
  proposal, which the customer agrees to or declines. Where there is no such promise it is lowered at once.
- The customer disputes a severity, saying which one instead and why; staff change it, or settle that it stays, with a
  reason. One dispute and one proposal are open at a time.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guardia.features.cases import queries
from guardia.features.cases.rules.pending import open_dispute, open_proposal
from guardia.features.sla.queries import policy_of, takes_target_away
from guardia.journeys import case_log
from guardia.journeys.act_on_case import Answer, act_on_case, demand_customer, demand_staff
from guardia.journeys.move_case import checked_reason
from guardia.journeys.notify import notify_customer
from guardia.journeys.phone_line import phone_line
from guardia.journeys.tell_staff import SEVERITY, settled, tell_holder
from guardia.journeys.write_message import demand_open
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Invalid, Refused
from guardia.kernel.vocabulary import Actor, Role, Severity


def checked_severity(value: object, name: str) -> int:
    """Return a severity; raise Invalid at the field `name` for anything else."""
    if type(value) is not int or value not in list(Severity):
        sentence = _("Choose a severity from 1 (critical) to 4 (low).")
        raise Invalid("severity_unknown", sentence, {name: sentence})
    return value


def needs_agreement(actor: Actor, case: case_log.Case, to: int) -> bool:
    """Whether this change would take a running target away, and the actor may not do that alone."""
    if Role.DUTY_MANAGER in actor.roles:
        return False
    policy = policy_of(case.terms, case.case_class)
    return takes_target_away(policy, case.severity, to, is_answered=case.answered_at is not None)


def change_severity(
    actor: Actor, now: datetime, number: str, to: int, reason: str, *, idempotency_key: str | None = None
) -> str:
    """Change a severity and return `changed`, or `proposed` where the customer must agree first."""
    demand_staff(actor)
    to, reason = checked_severity(to, "severity"), checked_reason(reason)

    def do(case: case_log.Case) -> Answer:
        demand_open("message", case.state)
        if to == case.severity:
            raise Refused("same_severity", _("The request has this severity already."))
        if needs_agreement(actor, case, to):
            seq = case_log.add(case, "severity_proposed", actor, now, {"to": to, "reason": reason})
            notify_customer(case, "severity_proposed", seq, now, _change_line(case.severity, to, reason))
            return {"outcome": "proposed"}
        is_lowered = to > case.severity
        if is_lowered and Role.DUTY_MANAGER in actor.roles:
            detail = {"from": case.severity, "to": to, "reason": reason}
            record(actor, now, "severity_lowered", f"case {number}", company_id=case.company_id, detail=detail)
        _change(case, actor, now, to, reason, "lowered" if is_lowered else "raised")
        return {"outcome": "changed"}

    answer = act_on_case(actor, now, number, "change_severity", {"to": to, "reason": reason}, idempotency_key, do)
    return str(answer["outcome"])


def _change(case: case_log.Case, actor: Actor, now: datetime, to: int, reason: str, how: str) -> None:
    before = case.severity
    payload = {"from": before, "to": to, "reason": reason, "how": how}
    seq = case_log.add(case, "severity_changed", actor, now, payload)
    settled(case, SEVERITY, now)
    told, phone = _change_line(before, to, reason), phone_line(case, now)
    notify_customer(case, "severity_changed", seq, now, lambda: "\n\n".join(filter(None, (told(), phone()))))


def _change_line(before: int, to: int, reason: str) -> Callable[[], str]:
    facts = {"before": before, "to": to, "reason": reason}
    return lambda: _("From level %(before)d to level %(to)d. Reason: %(reason)s") % facts


def answer_proposal(
    actor: Actor,
    now: datetime,
    number: str,
    agrees: bool,  # noqa: FBT001  the answer itself
    reason: str = "",
    *,
    idempotency_key: str | None = None,
) -> None:
    """Agree to the proposed severity, or decline it; the severity then stays as it is."""
    demand_customer(actor)
    reason = checked_reason(reason) if reason.strip() else ""

    def do(case: case_log.Case) -> Answer:
        demand_open("message", case.state)
        proposal = open_proposal(queries.facts_of(case))
        if proposal is None:
            raise Refused("no_proposal", _("No other severity is proposed for this request now."))
        if agrees:
            _change(case, actor, now, proposal.to, proposal.reason, "agreed")
        else:
            seq = case_log.add(case, "severity_declined", actor, now, {"to": proposal.to, "reason": reason})
            tell_holder(case, SEVERITY, "declined", seq, now)
        return {"severity": case.severity}

    request: dict[str, Any] = {"agrees": agrees, "reason": reason}
    act_on_case(actor, now, number, "answer_proposal", request, idempotency_key, do)


def dispute_severity(
    actor: Actor, now: datetime, number: str, wanted: int, reason: str, *, idempotency_key: str | None = None
) -> None:
    """Say that the severity is wrong, which one it should be, and why."""
    demand_customer(actor)
    wanted, reason = checked_severity(wanted, "wanted"), checked_reason(reason)

    def do(case: case_log.Case) -> Answer:
        demand_open("message", case.state)
        if wanted == case.severity:
            raise Refused("same_severity", _("The request has this severity already."))
        if open_dispute(queries.facts_of(case)) is not None:
            raise Refused("disputed_already", _("The severity is disputed already. The vendor's answer is awaited."))
        seq = case_log.add(case, "severity_disputed", actor, now, {"wanted": wanted, "reason": reason})
        tell_holder(case, SEVERITY, "disputed", seq, now)
        return {"number": number}

    act_on_case(actor, now, number, "dispute", {"wanted": wanted, "reason": reason}, idempotency_key, do)


def settle_dispute(
    actor: Actor, now: datetime, number: str, reason: str, *, idempotency_key: str | None = None
) -> None:
    """Settle a dispute: the severity stays, with a reason. (Changing it settles a dispute too.)"""
    demand_staff(actor)
    reason = checked_reason(reason)

    def do(case: case_log.Case) -> Answer:
        if open_dispute(queries.facts_of(case)) is None:
            raise Refused("no_dispute", _("The severity of this request is not disputed."))
        seq = case_log.add(case, "dispute_settled", actor, now, {"reason": reason})
        settled(case, SEVERITY, now)
        notify_customer(case, "dispute_settled", seq, now, reason)
        return {"number": number}

    act_on_case(actor, now, number, "settle_dispute", {"reason": reason}, idempotency_key, do)
