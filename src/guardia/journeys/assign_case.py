"""Who holds a case, and which group has it: assign, put back, change the group. Everybody of staff may, with a reason.

A case that changes its group waits for somebody of that group: a holder who does not belong to it puts it back thereby.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.accounts.queries import get_member_of_staff, people_by_id
from guardia.features.accounts.rules.groups import groups_of
from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.journeys import case_log
from guardia.journeys.move_case import checked_reason
from guardia.journeys.once import once
from guardia.journeys.take_case import demand_staff, give
from guardia.journeys.write_message import demand_open
from guardia.kernel.errors import Invalid, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, Group

Do = Callable[[case_log.Case, str], None]


def _act(actor: Actor, now: datetime, number: str, act: str, target: str, reason: str, key: str | None, do: Do) -> None:
    demand_staff(actor)
    reason = checked_reason(reason)
    with journey():
        case = queries.get_case_for(actor, number)

        def acted() -> dict[str, str]:
            locked = cases.lock_case(case)
            demand_open(act, locked.state)
            do(locked, reason)
            return {"number": number}

        once(actor, now, key, act, {"number": number, "target": target, "reason": reason}, acted)


def assign_case(
    actor: Actor, now: datetime, number: str, person_id: UUID, reason: str, *, idempotency_key: str | None = None
) -> None:
    """Make a member of staff the holder of a case. Raises Invalid, Refused."""
    demand_staff(actor)
    person = get_member_of_staff(person_id)

    def do(case: case_log.Case, reason: str) -> None:
        if case.holder_id == person.id:
            raise Refused("held_already", _("%(name)s has this case already.") % {"name": person.name})
        payload = {"holder_id": str(person.id), "holder_name": person.name, "reason": reason}
        give(actor, now, case, "assigned", payload)

    _act(actor, now, number, "assign", str(person_id), reason, idempotency_key, do)


def put_back(actor: Actor, now: datetime, number: str, reason: str, *, idempotency_key: str | None = None) -> None:
    """Let nobody hold a case any more: the next who asks gets it. Raises Invalid, Refused."""

    def do(case: case_log.Case, reason: str) -> None:
        if case.holder_id is None:
            raise Refused("not_held", _("Nobody holds this case."))
        case_log.add(case, "put_back", actor, now, {"reason": reason})

    _act(actor, now, number, "put_back", "", reason, idempotency_key, do)


def change_group(
    actor: Actor, now: datetime, number: str, group: str, reason: str, *, idempotency_key: str | None = None
) -> None:
    """Hand a case to another group. Raises Invalid, Refused."""
    demand_staff(actor)
    if group not in set(Group):
        sentence = _("Choose first line, lab or release.")
        raise Invalid("group_unknown", sentence, {"group": sentence})

    def do(case: case_log.Case, reason: str) -> None:
        if case.group == group:
            raise Refused("in_group_already", _("The case is with this group already."))
        case_log.add(case, "group_changed", actor, now, {"group": group, "reason": reason})
        holder = people_by_id([case.holder_id]).get(case.holder_id) if case.holder_id else None
        if holder is not None and Group(group) not in groups_of(holder.roles):
            case_log.add(case, "put_back", actor, now, {"reason": reason})

    _act(actor, now, number, "change_group", group, reason, idempotency_key, do)
