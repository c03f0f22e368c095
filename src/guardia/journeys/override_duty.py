"""Somebody else has a duty for a while, and taking that back.

A duty manager gives anybody's duty to anybody who has the role; others only their own, to a colleague. What has passed
is never rewritten: a change that begins earlier counts from now on, and one taken back counts until then.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.accounts.queries import staff_with
from guardia.features.duty import operations, queries
from guardia.journeys.once import once
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, Role

LONGEST = timedelta(days=31)
FARTHEST = timedelta(days=366)
LONGEST_REASON = 300


def override_duty(
    actor: Actor,
    now: datetime,
    code: str,
    person_id: UUID | None,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    *,
    idempotency_key: str | None = None,
) -> str:
    """Return the id of the change of duty. Raises Forbidden, NotFound, Invalid with what is wrong at which field."""
    queries.demand_code(code)
    if not actor.is_staff:
        raise Forbidden("staff_only", _("Only the vendor's staff change a duty."))
    starts_at, reason = max(starts_at, now), reason.strip()
    _demand_sense(now, starts_at, ends_at, reason)
    taker = _taker(code, person_id)
    with journey():

        def add() -> dict[str, str]:
            roster = operations.lock_roster(code)
            _demand_own(actor, code, starts_at, ends_at)
            row = operations.add_override(roster, taker, starts_at, ends_at, reason, actor, now)
            record(actor, now, "duty_overridden", f"roster {code}", detail={"override": str(row.id)})
            return {"override_id": str(row.id)}

        request = {"code": code, "person": taker, "ends_at": ends_at, "reason": reason}
        return str(once(actor, now, idempotency_key, "override_duty", request, add)["override_id"])


def revoke_override(actor: Actor, now: datetime, override_id: UUID) -> None:
    """Take a change of duty back from now on: a duty manager any, others those that they made."""
    with journey():
        row = queries.get_override(override_id)
        operations.lock_roster(row.roster_id)
        if Role.DUTY_MANAGER not in actor.roles and row.made_by["id"] != actor.id:
            raise Forbidden("not_your_override", _("Only a duty manager, or whoever made the change, takes it back."))
        if row.ends_at <= now:
            raise Refused("override_over", _("This change of duty is over: what was stays as it was."))
        operations.revoke_override(row, now)
        record(actor, now, "override_revoked", f"roster {row.roster_id}", detail={"override": str(row.id)})


def _refuse(field: str, sentence: str) -> Invalid:
    return Invalid("override_invalid", _("The duty was not changed."), {field: sentence})


def _demand_sense(now: datetime, starts_at: datetime, ends_at: datetime, reason: str) -> None:
    if ends_at <= starts_at:
        sentence = _("It ends after it starts.") if ends_at > now else _("It must end in the future.")
        raise _refuse("ends_at", sentence)
    if ends_at - starts_at > LONGEST:
        raise _refuse("ends_at", _("A change of duty lasts at most 31 days; for longer, change the rotation."))
    if starts_at > now + FARTHEST:
        raise _refuse("starts_at", _("A change of duty begins within a year."))
    if not reason or len(reason) > LONGEST_REASON:
        raise _refuse("reason", _("Say why, in at most 300 letters."))


def _taker(code: str, person_id: UUID | None) -> UUID:
    if person_id is None or not staff_with(queries.ROLE_OF_ROSTER[code]).filter(id=person_id).exists():
        raise _refuse("person", _("Choose somebody of the present staff who has the role of this roster."))
    return person_id


def _demand_own(actor: Actor, code: str, starts_at: datetime, ends_at: datetime) -> None:
    if Role.DUTY_MANAGER in actor.roles:
        return
    shifts = queries.shifts(code, starts_at, ends_at)
    if not shifts or any(str(shift.person) != actor.id for shift in shifts):
        raise Forbidden(
            "not_your_duty",
            _("In that time the duty is not yours alone. You may give away your own; a duty manager changes others'."),
        )
