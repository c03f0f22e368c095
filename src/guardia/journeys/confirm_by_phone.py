"""The phone line registers a call about a case for the customer's person who made it (rule 3, RC-3).

The person is known by a PIN, or by the case's own code; a second call is told that there was a first. A call is
registered once, however often it is handed in, and with the instant at which it was made.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from guardia.features.cases import queries
from guardia.features.sla.queries import policy_of
from guardia.features.sla.rules.policies import Policy
from guardia.journeys import case_log, late_entries
from guardia.journeys.act_on_case import Answer, act_on_case, demand_customer
from guardia.journeys.write_message import demand_open
from guardia.kernel.vocabulary import Actor


@dataclass(frozen=True)
class CallRegistered:
    """`is_first`: this is the first confirmed call of the case; `opens_clock`: the clock runs at all hours since it."""

    case: Any
    is_first: bool
    opens_clock: bool


def confirm_by_phone(
    actor: Actor,
    now: datetime,
    number: str,
    occurred_at: datetime,
    call_id: UUID,
    how: Literal["pin", "code"],
) -> CallRegistered:
    """Register the call `call_id` about a case of the actor's company, made at `occurred_at`.

    Raises NotFound for a stranger's case, Refused for one that is closed.
    """
    demand_customer(actor)

    def do(case: case_log.Case) -> Answer:
        if queries.find_event(case, "phone_confirmed", call=str(call_id)) is not None:
            return {"is_first": True}
        demand_open("message", case.state)
        if case.called_at is not None and case.called_at <= occurred_at:
            return {"is_first": False}
        said = {"how": how, "reason": "", "call": str(call_id)}
        late_entries.enter(case, actor, now, "phone_confirmed", occurred_at, said)
        return {"is_first": True}

    is_first = act_on_case(actor, now, number, "confirm_by_phone", {}, None, do)["is_first"]
    case = queries.get_case_for(actor, number)
    return CallRegistered(case, is_first, is_first and _opens_clock(case))


def _opens_clock(case: case_log.Case) -> bool:
    policy = Policy.parse(policy_of(case.terms, case.case_class))
    return case.answered_at is None and policy[case.severity].phone_opens_24x7
