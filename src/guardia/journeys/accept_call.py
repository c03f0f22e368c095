"""Accept a call: an engineer spoke with a caller whom the line had put through.

With a case the engineer sees to it from then on: the alarm is acknowledged, the line calls nobody else about it, and
the case is the engineer's unless somebody has it. Without one only the audit trail tells of it.
"""

from datetime import datetime
from uuid import UUID

from guardia.features.accounts.queries import actor_of, get_member_of_staff
from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.journeys import case_log
from guardia.journeys.acknowledge_alarm import acknowledge_locked
from guardia.journeys.once import once
from guardia.journeys.page_by_phone import hold_if_free
from guardia.kernel.audit.trail import record
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor


def accept_call(person_id: UUID, number: str, now: datetime, call_id: UUID) -> None:
    """Record that a member of staff took a call, about a case or (with an empty number) about none; twice is once.

    `now` is when they took it, however late it is told. What was told of the case meanwhile is acknowledged, too.
    Raises Invalid for somebody who is not of the present staff, NotFound for an unknown number.
    """
    actor = actor_of(get_member_of_staff(person_id))
    with journey():

        def accept() -> dict[str, str]:
            record(actor, now, "call_taken", f"call {call_id}", detail={"case": number})
            if number:
                _see_to(actor, now, cases.lock_case(queries.get_case_for(actor, number)), call_id)
            return {"number": number}

        once(actor, now, f"call:{call_id}", "accept_call", {"number": number}, accept)


def _see_to(actor: Actor, now: datetime, case: case_log.Case, call_id: UUID) -> None:
    case_log.add(case, "call_taken", actor, now, {"call": str(call_id)})
    acknowledge_locked(actor, now, case, is_by_phone=True)
    hold_if_free(actor, now, case)
