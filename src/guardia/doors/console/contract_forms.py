"""What the forms of contracts and plans say, as the journeys take it: dates, ids, durations in words."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.doors.console.posting import Given
from guardia.features.contracts.rules.durations import iso, parse_words
from guardia.features.contracts.rules.plan_terms import CLASSES, LEVELS, OBJECTIVES
from guardia.kernel.errors import Invalid
from guardia.reports.contract_page import OwnPromise


def day(given: Given, name: str) -> date | None:
    """Return a date field, None where it is empty. Raises Invalid."""
    value = given.text(name)
    try:
        return date.fromisoformat(value) if value else None
    except ValueError as error:
        sentence = _("“%(value)s” is no date. Example: 2027-01-31") % {"value": value[:40]}
        raise Invalid("not_a_date", sentence, {name: sentence}) from error


def identifier(given: Given, name: str) -> UUID | None:
    """Return the id that a choice stands for, None where nothing was chosen. Raises Invalid."""
    return chosen(given, name) if given.text(name) else None


def chosen(given: Given, name: str) -> UUID:
    """Return the id that a choice stands for. Raises Invalid where nothing was chosen."""
    try:
        return UUID(given.text(name))
    except ValueError as error:
        sentence = _("Choose one.")
        raise Invalid("not_chosen", sentence, {name: sentence}) from error


def duration(given: Given, name: str) -> str | None:
    """Return a duration typed in words as ISO 8601, None where the field is empty; what is none stays as it was typed.

    The journey then refuses it at its place, together with everything else that is wrong.
    """
    typed = given.text(name)
    span = parse_words(typed) if typed else None
    if span is None:
        return typed or None
    return iso(span) if span else "PT0S"


def _whole(given: Given, name: str) -> Any:
    """A whole number; what is none stays as it was typed, for the journey to refuse at its place."""
    typed = given.text(name)
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else typed or None  # noqa: PLR2004


def _promise(given: Given, place: str) -> dict[str, Any]:
    return {
        "target": duration(given, f"{place}.target"),
        "coverage": given.text(f"{place}.coverage"),
        "phone_opens_24x7": given.is_on(f"{place}.phone_opens_24x7"),
    }


def own_terms(given: Given) -> dict[str, Any]:
    """Return the overrides that a contract's form says: only what differs from the plan."""
    own: dict[str, Any] = {}
    if (kind := given.text("incidents")) in {"unlimited", "own"}:
        own["premium_incidents"] = None if kind == "unlimited" else _whole(given, "premium_incidents") or 0
    for name in ("named_contacts", "carry_over"):
        if given.text(name):
            own[name] = _whole(given, name)
    levels = {
        level: _promise(given, f"response.premium.{level}")
        for level in LEVELS
        if given.text(f"response.premium.{level}.coverage")
    }
    if levels:
        own["response"] = {"premium": levels}
    return own


def own_promise(row: OwnPromise, typed: Mapping[str, Any] | None, faults: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a contract's own promise as the form shows them: as kept, or as typed and refused."""
    place = f"response.premium.{row.level}"
    kept = {"coverage": row.coverage, "target": row.target, "phone": row.phone}
    if typed is not None:
        kept = {
            "coverage": typed.get(f"{place}.coverage", ""),
            "target": typed.get(f"{place}.target", ""),
            "phone": typed.get(f"{place}.phone_opens_24x7", ""),
        }
    fault = faults.get(f"{place}.target") or faults.get(f"{place}.coverage", "")
    return {"level": row.level, "place": place, "fault": fault, **kept}


def plan_values(given: Given) -> dict[str, Any]:
    """Return the plan that a form says."""
    is_unlimited = given.is_on("unlimited")
    return {
        "name": given.text("name"),
        "rank": _whole(given, "rank"),
        "premium_incidents": None if is_unlimited else _or_empty(given, "premium_incidents"),
        "named_contacts": _whole(given, "named_contacts"),
        "lane": given.text("lane"),
        "has_phone": given.is_on("has_phone"),
        "response": {
            name: {level: _promise(given, f"response.{name}.{level}") for level in LEVELS} for name in CLASSES
        },
        "objectives": {
            name: {
                level: {goal: duration(given, f"objectives.{name}.{level}.{goal}") for goal in OBJECTIVES}
                for level in LEVELS
            }
            for name in CLASSES
        },
        "escalation": given.text("escalation"),
        "office": {"calendar": given.text("office.calendar")},
    }


def _or_empty(given: Given, name: str) -> Any:
    """A number that must be there: an empty field is no number, and does not mean unlimited."""
    found = _whole(given, name)
    return "" if found is None else found
