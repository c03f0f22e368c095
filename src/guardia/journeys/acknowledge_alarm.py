"""Acknowledge an alarm: somebody has seen it and sees to it. The steps to come of its marks are stopped,
and the line calls nobody about them any more.

A mark that passes later is another alarm. Acknowledging is no answer: the response clock goes on.
"""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.features.sla import operations
from guardia.features.sla import queries as sla
from guardia.features.sla.rules.paging import ACKNOWLEDGED
from guardia.journeys import case_log
from guardia.journeys.once import once
from guardia.journeys.tell_staff import TOPICS
from guardia.kernel.errors import Forbidden
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, Clock

TOLD_OF = (*(clock.value for clock in Clock), *TOPICS)


def acknowledge_alarm(actor: Actor, now: datetime, number: str, *, idempotency_key: str | None = None) -> bool:
    """Acknowledge everything that a case's clocks have told so far; False where there is nothing left to acknowledge.

    Raises Forbidden for customers, NotFound.
    """
    if not actor.is_staff:
        raise Forbidden("staff_only", _("Only the vendor's staff acknowledge alarms."))
    with journey():
        case = queries.get_case_for(actor, number)

        def acknowledge() -> dict[str, bool]:
            return {"done": acknowledge_locked(actor, now, cases.lock_case(case))}

        answer = once(actor, now, idempotency_key, "acknowledge_alarm", {"number": number}, acknowledge)
    return bool(answer["done"])


def acknowledge_locked(actor: Actor, now: datetime, case: case_log.Case, *, is_by_phone: bool = False) -> bool:
    """Acknowledge what a locked case's clocks have told; False where there is nothing left to acknowledge."""
    waiting, unread, pages = sla.steps_to_come([case.id]), sla.unread_notices(case.id), sla.open_pages(case.id)
    if not waiting and not unread and not pages:
        return False
    for page in pages:
        if is_by_phone:
            operations.end_page(page, ACKNOWLEDGED, now, UUID(actor.id))
        else:
            operations.end_page(page, "stopped", now)
    operations.save_pages(pages)
    for step in waiting:
        step.stopped_at, step.stopped_why = now, "acknowledged"
    operations.save_steps(waiting)
    operations.read_notices(case.id, TOLD_OF, now, is_settled=False)
    told = {(step.firing.clock, step.firing.mark) for step in waiting}
    told |= {(page.clock, page.mark) for page in pages}
    told |= {(notice.facts["clock"], notice.facts["mark"]) for notice in unread}
    payload = {
        "firings": sorted({str(step.firing_id) for step in waiting} | {str(page.firing_id) for page in pages}),
        "marks": [list(pair) for pair in sorted(told)],
    }
    case_log.add(case, "alarm_acknowledged", actor, now, payload)
    return True
