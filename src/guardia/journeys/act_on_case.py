"""How a journey acts on one case: seen by the actor, locked, done once, in one transaction."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.journeys import case_log
from guardia.journeys.once import once
from guardia.kernel.errors import Forbidden
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, Role

Answer = Mapping[str, Any]


def act_on_case(
    actor: Actor,
    now: datetime,
    number: str,
    act: str,
    request: Mapping[str, Any],
    key: str | None,
    do: Callable[[case_log.Case], Answer],
) -> Answer:
    """Return what `do` answers for the locked case; a repetition with the same key gets the same answer."""
    with journey():
        case = queries.get_case_for(actor, number)
        asked = {"number": number, **request}
        return once(actor, now, key, act, asked, lambda: do(cases.lock_case(case)))


def demand_staff(actor: Actor) -> None:
    """Raise Forbidden for anybody but the vendor's staff."""
    if not actor.is_staff:
        raise Forbidden("staff_only", _("Only the vendor's staff do this."))


def demand_customer(actor: Actor) -> None:
    """Raise Forbidden for anybody but people of a company."""
    if actor.is_staff or actor.company_id is None:
        raise Forbidden("customers_only", _("Only the customer does this."))


def demand_lead(actor: Actor) -> None:
    """Raise Forbidden for anybody but a duty manager."""
    if Role.DUTY_MANAGER not in actor.roles:
        raise Forbidden("lead_only", _("Only a duty manager does this."))
