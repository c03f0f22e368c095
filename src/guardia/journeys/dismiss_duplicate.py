"""Say that two cases are not about the same problem, so that neither is proposed on the other's page; or take it back.

One event on the case in hand says it for both. It forbids nothing: the two may still be joined by number.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from guardia.features.cases import queries
from guardia.journeys import case_log
from guardia.journeys.act_on_case import Answer, act_on_case, demand_staff
from guardia.kernel.errors import Refused
from guardia.kernel.vocabulary import Actor


def dismiss_duplicate(
    actor: Actor, now: datetime, number: str, other: str, *, is_same: bool, idempotency_key: str | None = None
) -> None:
    """Propose `other` on case `number` no more; `is_same` proposes it again. Raise Forbidden (no staff), NotFound."""
    demand_staff(actor)
    other = other.replace(" ", "")
    said = queries.get_case_for(actor, other)

    def do(case: case_log.Case) -> Answer:
        if said.company_id != case.company_id or said.id == case.id:
            raise Refused("no_pair", _("Only another case of the same company can be a duplicate."))
        payload = {"case": str(said.id), "number": said.number}
        case_log.add(case, "duplicate_again" if is_same else "not_duplicate", actor, now, payload)
        return {"number": other}

    request = {"other": other, "is_same": is_same}
    act_on_case(actor, now, number, "dismiss_duplicate", request, idempotency_key, do)
