"""Take a case: by name, or the next of the queue. Two who press at once never get the same one.

Taking a submitted case accepts it: its reserved premium incident is then spent.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.features.contracts import operations as ledger
from guardia.journeys import case_log
from guardia.journeys.once import once
from guardia.journeys.write_message import demand_open
from guardia.kernel.errors import Forbidden
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, CaseState


def _demand_staff(actor: Actor) -> None:
    if not actor.is_staff:
        raise Forbidden("staff_only", _("Only the vendor's staff take cases."))


def _hold(actor: Actor, now: datetime, case: case_log.Case, reason: str) -> None:
    demand_open("take", case.state)
    stays = case.state in {CaseState.WITH_LAB, CaseState.WAITING_CUSTOMER, CaseState.SOLUTION_OFFERED}
    state = case.state if stays else CaseState.IN_PROGRESS.value
    was_new = case.state == CaseState.SUBMITTED
    case_log.add(case, "taken", actor, now, {"state": state, "reason": reason})
    if was_new and case.case_class == "premium":
        ledger.consume(case.id, case.company_id, actor, now, "")
        case_log.add(case, "quota", actor, now, {"movement": "consume", "amount": 1})


def take_case(
    actor: Actor, now: datetime, number: str, reason: str = "", *, idempotency_key: str | None = None
) -> None:
    """Make the actor the holder of a case."""
    _demand_staff(actor)
    with journey():
        case = queries.get_case_for(actor, number)

        def take() -> dict[str, str]:
            _hold(actor, now, cases.lock_case(case), reason.strip()[:300])
            return {"number": number}

        once(actor, now, idempotency_key, "take_case", {"number": number}, take)


def take_next(actor: Actor, now: datetime) -> str | None:
    """Make the actor the holder of the queue's first case that nobody holds; return its number, or None."""
    _demand_staff(actor)
    with journey():
        case = queries.next_unheld(actor)
        if case is None:
            return None
        case = cases.lock_case(case)
        _hold(actor, now, case, _("Next of the queue"))
        return str(case.number)
