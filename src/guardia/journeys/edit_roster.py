"""Add a version of a duty roster: who takes turns, when the duty is handed over, and what holidays do.

A duty manager's act. The version holds from now on or from a later instant; what was before is never rewritten. Public
holidays of the country are looked up here and kept in the version.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.accounts.queries import people_by_id, staff_with
from guardia.features.duty import operations, queries
from guardia.features.duty.rules.rotation import Rules
from guardia.features.duty.rules.written import RosterFault, everybody, parse_rules
from guardia.features.sla.rules.public_holidays import countries, holidays_of, regions
from guardia.journeys.once import once
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Forbidden, Invalid
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import SYSTEM, Actor, Role

YEARS_OF_HOLIDAYS = 5
LONGEST_REASON = 300
FARTHEST = timedelta(days=366)


def edit_roster(
    actor: Actor,
    now: datetime,
    code: str,
    rules: Mapping[str, Any],
    reason: str,
    *,
    holds_from: datetime | None = None,
    idempotency_key: str | None = None,
) -> int:
    """Return the number of the new version. Raises Forbidden, NotFound, Invalid with what is wrong at which field."""
    queries.demand_code(code)
    if Role.DUTY_MANAGER not in actor.roles and actor != SYSTEM:
        raise Forbidden("duty_manager_only", _("Only a duty manager changes a rotation."))
    reason, begins = reason.strip(), holds_from or now
    _demand_times(now, begins, reason)
    written = {**rules, "holidays": with_holiday_dates(rules.get("holidays") or {}, now)}
    _demand_people(code, _parsed(written))
    with journey():

        def add() -> dict[str, int]:
            roster = operations.lock_roster(code)
            version = operations.add_version(roster, written, max(begins, now), reason, actor, now)
            record(actor, now, "roster_changed", f"roster {code}", detail={"version": version.version})
            return {"version": version.version}

        request = {"code": code, "rules": rules, "reason": reason, "holds_from": holds_from}
        return int(once(actor, now, idempotency_key, "edit_roster", request, add)["version"])


def preview_rules(rules: Mapping[str, Any], now: datetime) -> Rules:
    """Return what the rules would say, with the holidays looked up. Raises Invalid."""
    return _parsed({**rules, "holidays": with_holiday_dates(rules.get("holidays") or {}, now)})


def _refuse(field: str, sentence: str) -> Invalid:
    return Invalid("roster_invalid", _("The roster was not changed."), {field: sentence})


def _demand_times(now: datetime, begins: datetime, reason: str) -> None:
    if not reason or len(reason) > LONGEST_REASON:
        raise _refuse("reason", _("Say why, in at most 300 letters: the reason stays with the version."))
    if begins < now - timedelta(minutes=1):
        raise _refuse("holds_from", _("A version cannot begin in the past: what was stays as it was."))
    if begins > now + FARTHEST:
        raise _refuse("holds_from", _("A version begins within a year."))


def _parsed(written: Mapping[str, Any]) -> Rules:
    try:
        return parse_rules(written)
    except RosterFault as fault:
        raise _refuse(fault.field, _(fault.sentence) % fault.parts) from fault


def _demand_people(code: str, rules: Rules) -> None:
    role = queries.ROLE_OF_ROSTER[code]
    known = set(staff_with(role).values_list("id", flat=True))
    strangers: set[UUID] = set(everybody(rules)) - known
    if strangers:
        names = ", ".join(sorted(person.name for person in people_by_id(strangers).values())) or _("somebody unknown")
        sentence = _("%(names)s cannot have this duty: it takes present staff with the role of this roster.")
        raise _refuse("people", sentence % {"names": names})


def with_holiday_dates(written: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the holidays with their dates for this year and the next ones."""
    by, country, region = (str(written.get(name) or "") for name in ("by", "country", "region"))
    if by not in {"next_working_day", "people"}:
        return {"by": "none"}
    if country not in countries():
        raise _refuse("holidays.country", _("Name the country by its two letters, such as ES."))
    if region and region not in regions(country):
        known = ", ".join(sorted(regions(country))) or _("none")
        raise _refuse("holidays.region", _("Regions of this country: %(regions)s.") % {"regions": known})
    found = holidays_of(country, region, now.year, now.year + YEARS_OF_HOLIDAYS - 1)
    dates = {day.isoformat(): names for day, names in found.items()}
    people = [str(person) for person in written.get("people") or ()]
    return {"by": by, "country": country, "region": region, "people": people, "dates": dates}
