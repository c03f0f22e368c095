"""Who is on duty: rosters as rows, read into the pure rules.

Versions never change, so that their rules are parsed once in each process. A roster without a version has nobody on
duty: `who_has` answers None, escalations fall through to their next step, and pages say so.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from guardia.features.duty.models import DutyOverride, RosterVersion
from guardia.features.duty.rules import rotation
from guardia.features.duty.rules.rotation import Override, Rules, Shift, Version
from guardia.features.duty.rules.written import parse_rules
from guardia.kernel.errors import NotFound
from guardia.kernel.vocabulary import Role
from guardia.kernel.words import gettext_noop

NAMES: Final = {"on_duty": gettext_noop("Engineer on duty"), "duty_manager": gettext_noop("Duty manager on duty")}
"""Every roster by its code: they exist from the first day on, empty until somebody fills them."""
ROLE_OF_ROSTER: Final = {"on_duty": Role.ENGINEER, "duty_manager": Role.DUTY_MANAGER}
SHORT_LOOK: Final = timedelta(days=8)
LONGEST_LOOK: Final = timedelta(days=62)
"""How far ahead the end of a shift is looked for; who has a duty for longer has it until further notice."""


def demand_code(code: str) -> str:
    """Return the code of a roster; raise NotFound for any other."""
    if code not in NAMES:
        raise NotFound("roster_unknown", _("There is no such roster."))
    return code


@lru_cache(maxsize=256)
def _rules(version_id: UUID) -> Rules:
    return parse_rules(RosterVersion.objects.get(id=version_id).rules)


def versions_of(code: str) -> QuerySet[RosterVersion]:
    """Return a roster's versions, the newest first."""
    return RosterVersion.objects.filter(roster_id=code).order_by("-version")


def _versions(codes: Sequence[str]) -> dict[str, list[Version]]:
    found: dict[str, list[Version]] = {code: [] for code in codes}
    rows = RosterVersion.objects.filter(roster_id__in=codes)
    for code, version_id, number, holds_from in rows.values_list("roster_id", "id", "version", "holds_from"):
        found[code].append(Version(holds_from, number, _rules(version_id)))
    return found


def overrides_between(codes: Sequence[str], start: datetime, end: datetime) -> QuerySet[DutyOverride]:
    """Return the overrides that had or have a say in `[start, end)`, the earliest first."""
    counted = Q(revoked_at=None) | Q(revoked_at__gt=Greatest(F("starts_at"), start))
    rows = DutyOverride.objects.filter(counted, roster_id__in=codes, starts_at__lt=end, ends_at__gt=start)
    return rows.order_by("starts_at", "created_at")


def _overrides(codes: Sequence[str], start: datetime, end: datetime) -> dict[str, list[Override]]:
    found: dict[str, list[Override]] = {code: [] for code in codes}
    for row in overrides_between(codes, start, end):
        found[row.roster_id].append(
            Override(row.id, row.person_id, row.starts_at, row.ends_at, row.created_at, row.reason, row.revoked_at)
        )
    return found


def who_has(code: str, at: datetime) -> UUID | None:
    """Return the person on duty at an instant, or None where the roster has no version yet."""
    soon = at + timedelta(seconds=1)
    return rotation.who(_versions([code])[code], _overrides([code], at, soon)[code], at)


def who_may_follow(code: str, at: datetime) -> tuple[UUID, ...]:
    """Return whom to ask where the person on duty is not there: the others of the rotation, in their order."""
    soon = at + timedelta(seconds=1)
    return rotation.next_people(_versions([code])[code], _overrides([code], at, soon)[code], at)


def shifts(code: str, start: datetime, end: datetime) -> list[Shift]:
    """Return the shifts that fill `[start, end)`, cut at both ends."""
    return rotation.shifts(_versions([code])[code], _overrides([code], start, end)[code], start, end)


def turns(now: datetime) -> dict[str, list[Shift]]:
    """Return for each roster the shift of now, and the first after it that is another person's, where there are such.

    Few rotations go on for longer than a week, so a longer look is taken only where the short one finds no change.
    """
    versions, overrides = _versions(tuple(NAMES)), _overrides(tuple(NAMES), now, now + LONGEST_LOOK)
    return {code: _turn(versions[code], overrides[code], now) for code in NAMES}


def _turn(versions: list[Version], overrides: list[Override], now: datetime) -> list[Shift]:
    found: list[Shift] = []
    for look in (SHORT_LOOK, LONGEST_LOOK):
        found = rotation.shifts(versions, overrides, now, now + look)
        if not found or found[0].starts_at > now:
            return []
        if change := [shift for shift in found if shift.person != found[0].person]:
            return [found[0], change[0]]
    return found[:1]


def find_rules(code: str, at: datetime) -> tuple[RosterVersion | None, Rules | None]:
    """Return the version that holds at an instant, else the first to come, else None; with its rules."""
    versions = versions_of(code)
    row = versions.filter(holds_from__lte=at).order_by("-holds_from", "-version").first() or versions.last()
    return row, _rules(row.id) if row else None


def get_override(override_id: UUID) -> DutyOverride:
    """Return an override; raise NotFound."""
    row = DutyOverride.objects.filter(id=override_id).first()
    if row is None:
        raise NotFound("override_unknown", _("There is no such change of duty."))
    return row


def overrides_to_come(code: str, now: datetime) -> QuerySet[DutyOverride]:
    """Return what is not over and was not taken back, the earliest first."""
    return DutyOverride.objects.filter(roster_id=code, ends_at__gt=now, revoked_at=None).order_by("starts_at")
