"""Take a case: by name, or the next of the queue. Two who press at once never get the same one.

Whoever takes a submitted case, or is given it, accepts it: its reserved premium incident is then spent. The next case
is the first that nobody holds, of the groups and languages of the person who asks.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from guardia.features.accounts.queries import languages_of
from guardia.features.accounts.rules.groups import groups_of
from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.features.cases.rules.queue_filter import LANGUAGES
from guardia.features.contracts import operations as ledger
from guardia.features.sla.queries import starved_before
from guardia.journeys import case_log
from guardia.journeys.once import once
from guardia.journeys.write_message import demand_open
from guardia.kernel.errors import Forbidden, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, ActorKind, CaseState, Group


def demand_staff(actor: Actor) -> None:
    """Raise Forbidden for everybody but the vendor's staff."""
    if not actor.is_staff:
        raise Forbidden("staff_only", _("Only the vendor's staff take cases."))


def give(actor: Actor, now: datetime, case: case_log.Case, event: str, payload: Mapping[str, Any]) -> None:
    """Let a locked case have its next holder, whom the event names: a new case is thereby accepted."""
    stays = case.state in {CaseState.WITH_LAB, CaseState.WAITING_CUSTOMER, CaseState.SOLUTION_OFFERED}
    state = case.state if stays else CaseState.IN_PROGRESS.value
    was_new = case.state == CaseState.SUBMITTED
    case_log.add(case, event, actor, now, {**payload, "state": state})
    if was_new and ledger.consume(case.id, case.company_id, actor, now, ""):
        case_log.add(case, "quota", actor, now, {"movement": "consume", "amount": 1})


def take_case(
    actor: Actor, now: datetime, number: str, reason: str = "", *, idempotency_key: str | None = None
) -> None:
    """Make the actor the holder of a case."""
    demand_staff(actor)
    with journey():
        case = queries.get_case_for(actor, number)

        def take() -> dict[str, str]:
            locked = cases.lock_case(case)
            demand_open("take", locked.state)
            give(actor, now, locked, "taken", {"reason": reason.strip()[:300]})
            return {"number": number}

        once(actor, now, idempotency_key, "take_case", {"number": number}, take)


def take_next(actor: Actor, now: datetime, *, idempotency_key: str | None = None) -> str | None:
    """Make the actor the holder of the first case that nobody holds; return its number, or None where none waits.

    Raises Refused for somebody whose roles belong to no group.
    """
    demand_staff(actor)
    groups = groups_of(actor.roles)
    if not groups:
        raise Refused("no_group", _("Your roles belong to no group that serves the queue. Take a case by its number."))
    with journey():

        def take() -> dict[str, str | None]:
            starved = starved_before(now, settings.GUARDIA.starvation_working_days)
            case = queries.next_unheld(
                actor,
                () if len(groups) == len(Group) else groups,
                _asked_languages(actor),
                queries.guard_at(starved) if starved else None,
            )
            if case is None:
                return {"number": None}
            give(actor, now, cases.lock_case(case), "taken", {"reason": _("Next of the queue")})
            return {"number": case.number}

        return once(actor, now, idempotency_key, "take_next", {}, take)["number"]  # type: ignore[no-any-return]


def _asked_languages(actor: Actor) -> tuple[str, ...]:
    """Return the languages to which the actor is limited; empty for who answers in all of them."""
    own = languages_of(UUID(actor.id)) if actor.kind is ActorKind.PERSON else ()
    return () if set(LANGUAGES) <= set(own) else own
