"""Lines of the timeline about clocks: a breach, who was told or called about it, a move to another calendar version.

Whom the vendor tells of its own goals is for staff: customers see neither escalations nor their acknowledgement.
"""

from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from guardia.features.cases.models import CaseEvent
from guardia.reports.alarm_words import call_outcome, mark_title, target_name, way_name

INTERNAL_TYPES: Final = frozenset({"escalated", "alarm_acknowledged", "paged", "not_duplicate", "duplicate_again"})
"""Events that only staff are told of, whatever their payload says."""


def _instant(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None


class ClockLines:
    """One method for each type of event, as `Teller` asks for them."""

    def _calendar_changed(self, event: CaseEvent) -> dict[str, Any]:
        payload = event.payload
        title = _("The clock counts version %(version)d of the calendar %(name)s instead of %(before)d") % payload
        return {
            "icon": "calendar-time",
            "title": title,
            "detail": payload["reason"],
            "was_due": _instant(payload["due_before"]),
            "is_due": _instant(payload["due_at"]),
        }

    def _breached(self, _event: CaseEvent) -> dict[str, Any]:
        return {"icon": "alert-triangle", "title": mark_title("response", "breach"), "actor_name": ""}

    def _escalated(self, event: CaseEvent) -> dict[str, Any]:
        payload = event.payload
        lines = [
            _("Told as %(whom)s, by %(ways)s: %(people)s")
            % {
                "whom": target_name(step["to"]),
                "ways": ", ".join(way_name(way) for way in step["by"]),
                "people": ", ".join(step["people"]) or _("nobody"),
            }
            for step in payload["steps"]
        ]
        title = mark_title(payload["clock"], payload["mark"])
        base = {"icon": "bell", "title": title, "actor_name": "", "tag": _("Only staff see this")}
        return {**base, "detail": "; ".join(lines)}

    def _paged(self, event: CaseEvent) -> dict[str, Any]:
        payload = event.payload
        base = {"icon": "phone", "actor_name": "", "tag": _("Only staff see this")}
        if payload["outcome"] == "nobody":
            return {**base, "title": _("Nobody could be reached by phone"), "detail": ", ".join(payload["people"])}
        said = {"name": payload["name"], "outcome": call_outcome(payload["outcome"])}
        return {**base, "title": _("Called %(name)s: %(outcome)s") % said}

    def _call_taken(self, event: CaseEvent) -> dict[str, Any]:
        return {"icon": "phone", "title": _("%(name)s took the call") % event.actor, "actor_name": ""}

    def _alarm_acknowledged(self, _event: CaseEvent) -> dict[str, Any]:
        return {"icon": "check", "title": _("Alarm acknowledged"), "tag": _("Only staff see this")}
