"""Write the next version of a calendar. Versions are made once and never changed: whoever errs makes another one.

Two people who save the same version at once: the database lets one of them in, the other reads whose it was.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

from django.utils.translation import gettext as _

from guardia.features.sla import operations, queries
from guardia.features.sla.rules.draft_calendar import Complaint, DraftCalendar, WrittenCalendar, check
from guardia.journeys.once import once
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, Role
from guardia.kernel.words import gettext_noop


def demand_duty_manager(actor: Actor) -> None:
    """Raise Forbidden for everybody else: calendars decide over what is promised."""
    if Role.DUTY_MANAGER not in actor.roles:
        raise Forbidden("duty_manager_only", _("Only a duty manager changes calendars."))


def _refusal(complaints: Sequence[Complaint]) -> Invalid:
    fields: dict[str, str] = {}
    for complaint in complaints:
        fields.setdefault(complaint.field, _(complaint.form) % complaint.parts)
    return Invalid("calendar_malformed", _("The calendar cannot be used as it is written."), fields)


def checked(draft: DraftCalendar) -> WrittenCalendar:
    """Return the calendar that a draft describes. Raises Invalid with every complaint at its field."""
    written, complaints = check(draft)
    if not " ".join(draft.name.split()):
        complaints = [Complaint("name", gettext_noop("Give the calendar a name, such as Office Madrid.")), *complaints]
    if written is None or complaints:
        raise _refusal(complaints)
    return written


def write_calendar(
    actor: Actor, now: datetime, draft: DraftCalendar, after: int, *, idempotency_key: str | None = None
) -> tuple[str, int]:
    """Save version `after` + 1 of the draft's name and return name and version; 0 makes a new calendar.

    Raises Forbidden, Invalid with the fields, Refused where that version exists already or the name is taken.
    """
    demand_duty_manager(actor)
    written = checked(draft)
    request = {**asdict(replace(draft, removed=frozenset())), "removed": sorted(draft.removed), "after": after}
    with journey():

        def save() -> dict[str, str | int]:
            _demand_next(written.name, after)
            made = operations.add_calendar_version(written, after + 1, actor, now)
            if made is None:
                raise _taken(written.name, after + 1)
            record(actor, now, "calendar_version", f"calendar {made.name} {made.version}", detail={"note": made.note})
            return {"name": made.name, "version": made.version}

        answer = once(actor, now, idempotency_key, "write_calendar", request, save)
    return str(answer["name"]), int(answer["version"])


def _demand_next(name: str, after: int) -> None:
    newest = queries.find_calendar_version(name)
    if newest is None and after:
        raise Refused("calendar_unknown", _("There is no calendar “%(name)s” yet.") % {"name": name})
    if newest is not None and newest.version > after:
        raise _taken(name, after + 1)


def _taken(name: str, version: int) -> Refused:
    made = queries.find_calendar_version(name, version)
    if version == 1:
        sentence = _("There is a calendar of this name already. Choose another name, or make its next version.")
        return Refused("calendar_exists", sentence, {"name": sentence})
    sentence = _("%(who)s saved version %(version)d meanwhile. Look at it, then make yours on top of it.") % {
        "who": (made.made_by or {}).get("name", "Guardia") if made else "Guardia",
        "version": version,
    }
    return Refused("calendar_version_taken", sentence)
