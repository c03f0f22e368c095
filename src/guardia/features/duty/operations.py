"""Rosters and overrides: added, never changed. Who adds to a roster waits for the one before (`lock_roster`)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from guardia.features.duty.models import DutyOverride, Roster, RosterVersion
from guardia.features.duty.queries import NAMES
from guardia.features.duty.rules.written import parse_rules
from guardia.kernel.transactions import operation
from guardia.kernel.vocabulary import Actor


@operation
def lock_roster(code: str) -> Roster:
    """Return a roster, made where it is missing, with its row locked until the transaction ends."""
    Roster.objects.get_or_create(code=code, defaults={"name": NAMES[code]})
    return Roster.objects.select_for_update().get(code=code)


@operation
def add_version(
    roster: Roster, rules: Mapping[str, Any], holds_from: datetime, reason: str, actor: Actor, now: datetime
) -> RosterVersion:
    """Add the next version of a roster (locked by the caller). Raises RosterFault."""
    parse_rules(rules)
    last = RosterVersion.objects.filter(roster=roster).order_by("-version").first()
    return RosterVersion.objects.create(
        roster=roster,
        version=last.version + 1 if last else 1,
        holds_from=holds_from,
        rules=dict(rules),
        reason=reason,
        made_by=actor.as_json(),
        created_at=now,
    )


@operation
def add_override(
    roster: Roster, person_id: UUID, starts_at: datetime, ends_at: datetime, reason: str, actor: Actor, now: datetime
) -> DutyOverride:
    """Let somebody else have the duty in `[starts_at, ends_at)`."""
    return DutyOverride.objects.create(
        roster=roster,
        person_id=person_id,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
        made_by=actor.as_json(),
        created_at=now,
    )


@operation
def revoke_override(override: DutyOverride, now: datetime) -> None:
    """Take an override back from now on; a second time changes nothing."""
    DutyOverride.objects.filter(id=override.id, revoked_at=None).update(revoked_at=now)
