"""Lines of the timeline about the promise: severity, class, calls, voided answers, what was entered late."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from guardia.features.cases.models import CaseEvent

Line = dict[str, Any]


class PromiseLines:
    """One method for each type of event, as `Teller` asks for them."""

    def _severity_changed(self, event: CaseEvent) -> Line:
        agreed = event.payload.get("how") == "agreed"
        title = (
            _("Severity %(from)d becomes %(to)d, as the customer agreed")
            if agreed
            else (_("Severity %(from)d becomes %(to)d"))
        )
        return _line(icon="stairs", title=title % _levels(event.payload), event=event)

    def _severity_proposed(self, event: CaseEvent) -> Line:
        title = _("Severity %(to)d is proposed; the customer's agreement is awaited") % _levels(event.payload)
        return _line(icon="message-question", title=title, event=event)

    def _severity_declined(self, event: CaseEvent) -> Line:
        return _line(
            icon="hand-stop",
            title=_("Severity %(to)d is declined: it stays as it is") % _levels(event.payload),
            event=event,
        )

    def _severity_disputed(self, event: CaseEvent) -> Line:
        title = _("The severity is disputed: it should be %(wanted)d") % _levels(event.payload)
        return _line(icon="scale", title=title, event=event)

    def _dispute_settled(self, event: CaseEvent) -> Line:
        return _line(icon="scale", title=_("The severity stays as it is"), event=event)

    def _class_changed(self, event: CaseEvent) -> Line:
        words = {"premium": _("premium"), "standard": _("standard"), "undecided": _("undecided")}
        classes = {"before": words[event.payload["from"]], "after": words[event.payload["class"]]}
        title = _("Class %(before)s becomes %(after)s") % classes
        starts = {
            "now": _("The response clock starts here."),
            "submission": _("The response clock counts from the submission."),
            "same": _("The target stays as it was."),
        }
        reason = event.payload.get("reason", "")
        return _line(
            icon="exchange", title=title, event=event, detail=f"{starts[event.payload['starts']]} {reason}".strip()
        )

    def _phone_confirmed(self, event: CaseEvent) -> Line:
        titles = {"code": _("Call confirmed, by its code"), "pin": _("Call confirmed, by contract and PIN")}
        title = titles.get(event.payload.get("how", ""), _("Call confirmed, the caller is known"))
        return _line(icon="phone-check", title=title, event=event)

    def _phone_code_refused(self, event: CaseEvent) -> Line:
        return {
            **_line(icon="phone-off", title=_("A wrong code was given by phone"), event=event),
            "tag": _("Only staff see this"),
        }

    def _answer_voided(self, event: CaseEvent) -> Line:
        title = _("A qualified answer is withdrawn: it counts as never given")
        return _line(icon="message-off", title=title, event=event)

    def _late_entry(self, event: CaseEvent) -> Line:
        titles = {
            "answered": _("A qualified answer was entered late; a duty manager's confirmation is awaited"),
            "phone_confirmed": _("A call was entered late; a duty manager's confirmation is awaited"),
        }
        return {
            **_line(icon="clock-plus", title=titles[event.payload["type"]], event=event),
            "tag": _("Only staff see this"),
        }

    def _late_settled(self, event: CaseEvent) -> Line:
        accepted = event.payload["accepted"]
        title = _("The late entry is confirmed") if accepted else _("The late entry is refused")
        return {**_line(icon="clock-check", title=title, event=event), "tag": _("Only staff see this")}


def _levels(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: payload[name] for name in ("from", "to", "wanted") if name in payload}


def _line(*, icon: str, title: str, event: CaseEvent, detail: str | None = None) -> Line:
    return {"icon": icon, "title": title, "detail": event.payload.get("reason", "") if detail is None else detail}
