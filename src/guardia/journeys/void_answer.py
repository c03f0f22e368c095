"""A duty manager voids a qualified answer: the clock is judged as if it had never been given (RC-14).

The latest answer that stands is voided, with a reason that the customer reads. What happened in between counts, and the
end may already have passed.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from guardia.features.cases import queries
from guardia.features.cases.rules.pending import standing_answer
from guardia.journeys import case_log
from guardia.journeys.act_on_case import Answer, act_on_case, demand_lead
from guardia.journeys.move_case import checked_reason
from guardia.journeys.notify import notify_customer
from guardia.journeys.write_message import demand_open
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Refused
from guardia.kernel.vocabulary import Actor


def void_answer(actor: Actor, now: datetime, number: str, reason: str, *, idempotency_key: str | None = None) -> None:
    """Void the latest qualified answer of an open case."""
    demand_lead(actor)
    reason = checked_reason(reason)

    def do(case: case_log.Case) -> Answer:
        demand_open("answer", case.state)
        answer = standing_answer(queries.facts_of(case))
        if answer is None:
            raise Refused("no_answer", _("No qualified answer stands on this request."))
        seq = case_log.add(case, "answer_voided", actor, now, {"answer": answer.seq, "reason": reason})
        detail = {"answer": answer.seq, "by": answer.actor["name"], "reason": reason}
        record(actor, now, "answer_voided", f"case {number}", company_id=case.company_id, detail=detail)
        notify_customer(case, "answer_voided", seq, now, reason)
        return {"answer": answer.seq}

    act_on_case(actor, now, number, "void_answer", {"reason": reason}, idempotency_key, do)
