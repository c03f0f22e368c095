"""Who is on duty: for every console page, and the roster's page with its weeks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from guardia.features.accounts.models import Person
from guardia.features.accounts.queries import people_by_id, staff_with
from guardia.features.duty import queries
from guardia.features.duty.models import RosterVersion
from guardia.features.duty.rules.rotation import Rules, Shift
from guardia.features.duty.rules.wall_time import DAY, first_shown, shown_at
from guardia.features.duty.rules.written import everybody
from guardia.kernel.vocabulary import Actor, Role
from guardia.kernel.zones import get_zone
from guardia.reports.duty_phones import without_phone

WEEKS = 4
OFFICE_ZONE = "Europe/Madrid"
"""The zone of a roster that has no version yet."""


@dataclass(frozen=True)
class DutyView:
    """Who has one duty now. `person` is empty where nobody has it; `until` is None until further notice."""

    code: str
    name: str
    person: str
    until: datetime | None
    person_id: UUID | None = None
    then: str = ""
    has_left: bool = False

    def is_of(self, actor_id: str) -> bool:
        """Whether the duty is the actor's."""
        return self.person_id is not None and str(self.person_id) == actor_id


@dataclass(frozen=True)
class ShiftView:
    """A shift, or the piece of it within one day. `is_own`: the reader's. `begins` and `ends` are wall times."""

    person: str
    starts_at: datetime
    ends_at: datetime
    why: str
    detail: str
    instead: str
    is_own: bool
    begins: str = ""
    ends: str = ""


@dataclass(frozen=True)
class DayView:
    """One date of the weeks: its holiday, and who has the duty in which order."""

    day: date
    is_today: bool
    is_past: bool
    holiday: str
    pieces: tuple[ShiftView, ...]


@dataclass(frozen=True)
class OverrideRow:
    """A change of duty that is not over. `may_revoke`: the reader may take it back."""

    id: str
    person: str
    starts_at: datetime
    ends_at: datetime
    reason: str
    made_by: str
    may_revoke: bool


@dataclass(frozen=True)
class VersionRow:
    """One version in the list of versions. `state`: holds, to_come or was."""

    number: int
    holds_from: datetime
    state: str
    reason: str
    made_by: str
    made_at: datetime
    people: tuple[str, ...]


@dataclass(frozen=True)
class RosterPage:
    """One roster: now, its weeks from `first_day`, what overrides it, its versions."""

    code: str
    name: str
    rosters: tuple[DutyView, ...]
    duty: DutyView
    zone: str
    first_day: date
    earlier: date
    later: date
    weeks: tuple[tuple[DayView, ...], ...]
    shifts: tuple[ShiftView, ...]
    overrides: tuple[OverrideRow, ...]
    versions: tuple[VersionRow, ...]
    candidates: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    may_edit: bool
    may_override: bool
    holidays_known_until: int | None
    without_phone: tuple[str, ...]
    """Who stands in the rotation, or stands in for somebody, and cannot be called by the line."""


def duty_now(now: datetime) -> list[DutyView]:
    """Return every roster with who has it now, until when, and who comes then."""
    turns = queries.turns(now)
    people = people_by_id({shift.person for found in turns.values() for shift in found})
    return [_view(code, turns[code], people) for code in queries.NAMES]


def _view(code: str, turn: Sequence[Shift], people: dict[UUID, Person]) -> DutyView:
    name = _(queries.NAMES[code])
    if not turn:
        return DutyView(code, name, "", None)
    person = people.get(turn[0].person)
    after = turn[1] if len(turn) > 1 else None
    return DutyView(
        code=code,
        name=name,
        person=person.name if person else _("somebody unknown"),
        until=after.starts_at if after else None,
        person_id=turn[0].person,
        then=people[after.person].name if after and after.person in people else "",
        has_left=person is None or not person.is_active or not person.is_staff,
    )


def roster_page(actor: Actor, now: datetime, code: str, first_day: date | None = None) -> RosterPage:
    """Return one roster's page; the weeks begin on the Monday of `first_day` (this week's by default)."""
    queries.demand_code(code)
    row, rules = queries.find_rules(code, now)
    zone = rules.zone if rules else get_zone(OFFICE_ZONE)
    today = shown_at(zone, now).date()
    monday = _monday(first_day or today, today)
    start, end = (first_shown(zone, datetime.combine(day, time.min)) for day in (monday, monday + WEEKS * 7 * DAY))
    found = queries.shifts(code, start, end)
    versions = list(queries.versions_of(code)[:20])
    overrides = list(queries.overrides_to_come(code, now))
    people = people_by_id(_named(found, versions, (override.person_id for override in overrides)))
    teller = _Teller(actor, people)
    duties = duty_now(now)
    duty = next(view for view in duties if view.code == code)
    return RosterPage(
        code=code,
        name=_(queries.NAMES[code]),
        rosters=tuple(duties),
        duty=duty,
        zone=str(zone),
        first_day=monday,
        earlier=monday - WEEKS * 7 * DAY,
        later=monday + WEEKS * 7 * DAY,
        weeks=_weeks(monday, today, found, rules, teller),
        shifts=tuple(teller.shift(shift) for shift in found if shift.ends_at > now or monday > today),
        overrides=tuple(
            OverrideRow(
                str(override.id),
                teller.name(override.person_id),
                override.starts_at,
                override.ends_at,
                override.reason,
                str(override.made_by["name"]),
                Role.DUTY_MANAGER in actor.roles or override.made_by["id"] == actor.id,
            )
            for override in overrides
        ),
        versions=tuple(_version(version, row, now, teller) for version in versions),
        candidates=candidates(code),
        warnings=tuple(_warnings(code, duty, rules, people)),
        may_edit=Role.DUTY_MANAGER in actor.roles,
        may_override=Role.DUTY_MANAGER in actor.roles or any(str(shift.person) == actor.id for shift in found),
        holidays_known_until=max((day.year for day in rules.holidays.dates), default=None) if rules else None,
        without_phone=without_phone(code, now, (override.person_id for override in overrides)),
    )


def candidates(code: str) -> tuple[tuple[str, str], ...]:
    """Return who can have a duty: present staff with its role, by id and name."""
    return tuple((str(person.id), person.name) for person in staff_with(queries.ROLE_OF_ROSTER[code]))


def _monday(wanted: date, today: date) -> date:
    """Return the Monday of a week that is near enough to be looked at: within five years."""
    near = min(max(wanted, today - 5 * 365 * DAY), today + 5 * 365 * DAY)
    return near - near.weekday() * DAY


def _named(found: Iterable[Shift], versions: Iterable[RosterVersion], others: Iterable[UUID]) -> set[UUID]:
    ids = {*others}
    for shift in found:
        ids.update({shift.person} | ({shift.instead} if shift.instead else set()))
    for version in versions:
        ids.update(UUID(person) for person in version.rules["people"])
    return ids


class _Teller:
    """Says names, and shifts with them, to one reader."""

    def __init__(self, actor: Actor, people: dict[UUID, Person]) -> None:
        self._actor, self._people = actor, people

    def name(self, person_id: UUID | None) -> str:
        if person_id is None:
            return ""
        person = self._people.get(person_id)
        return person.name if person else _("somebody unknown")

    def shift(self, shift: Shift, begins: str = "", ends: str = "") -> ShiftView:
        return ShiftView(
            person=self.name(shift.person),
            starts_at=shift.starts_at,
            ends_at=shift.ends_at,
            why=shift.why,
            detail=shift.detail,
            instead=self.name(shift.instead),
            is_own=str(shift.person) == self._actor.id,
            begins=begins,
            ends=ends,
        )


def _weeks(
    monday: date, today: date, found: Sequence[Shift], rules: Rules | None, teller: _Teller
) -> tuple[tuple[DayView, ...], ...]:
    days = [monday + number * DAY for number in range(WEEKS * 7)]
    views = [_day(day, today, found, rules, teller) for day in days]
    return tuple(tuple(views[start : start + 7]) for start in range(0, len(views), 7))


def _day(day: date, today: date, found: Sequence[Shift], rules: Rules | None, teller: _Teller) -> DayView:
    pieces: list[ShiftView] = []
    if rules:
        start, end = (first_shown(rules.zone, datetime.combine(some, time.min)) for some in (day, day + DAY))
        pieces = [
            teller.shift(
                shift,
                f"{shown_at(rules.zone, shift.starts_at):%H:%M}" if shift.starts_at > start else "",
                f"{shown_at(rules.zone, shift.ends_at):%H:%M}" if shift.ends_at < end else "",
            )
            for shift in found
            if shift.starts_at < end and shift.ends_at > start
        ]
    names = rules.holidays.dates.get(day) if rules else None
    holiday = "" if names is None else names.get(get_language() or "en") or next(iter(names.values()), str(day))
    return DayView(day, day == today, day < today, holiday, tuple(pieces))


def _version(version: RosterVersion, holding: RosterVersion | None, now: datetime, teller: _Teller) -> VersionRow:
    state = "to_come" if version.holds_from > now else "was"
    return VersionRow(
        number=version.version,
        holds_from=version.holds_from,
        state="holds" if holding and version.id == holding.id and version.holds_from <= now else state,
        reason=version.reason,
        made_by=str(version.made_by["name"]),
        made_at=version.created_at,
        people=tuple(teller.name(UUID(person)) for person in version.rules["people"]),
    )


def _warnings(code: str, duty: DutyView, rules: Rules | None, people: dict[UUID, Person]) -> Iterable[str]:
    if not duty.person:
        yield _("Nobody is on duty: this roster has no rotation yet. Alarms go to the next step of their policy.")
    if rules is None:
        return
    able = set(staff_with(queries.ROLE_OF_ROSTER[code]).values_list("id", flat=True))
    unable = everybody(rules) - able
    known = people | people_by_id(unable - set(people))
    for person_id in unable:
        name = known[person_id].name if person_id in known else _("somebody unknown")
        yield _("%(name)s stands in the rotation, but has left or lost the role. Change the rotation.") % {"name": name}


def rules_of(code: str, now: datetime) -> dict[str, Any] | None:
    """Return the written rules from which the next version starts: those that hold, else the first to come."""
    row, _rules = queries.find_rules(code, now)
    return dict(row.rules) if row else None
