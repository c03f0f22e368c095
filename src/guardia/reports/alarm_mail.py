"""What alarms say outside: one mail a person, one body for the webhook, both told as things stand when they are sent.

A share of a target is worked out here, at delivery, so that no mail tells a stale one (P21); a warning whose case was
answered, taken or closed meanwhile is left out. Words that came from customers stay out of subject and body.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guardia.features.accounts.queries import active_people_by_id
from guardia.features.cases.models import Case
from guardia.kernel.ids import spoken
from guardia.reports.alarm_words import MISSED_ENDS, mark_title, role_of_reader
from guardia.reports.clock_view import clock_of_row
from guardia.reports.showing import ClockView

MOST_LINES = 25
Payloads = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class _Alarm:
    case: Case
    payload: Mapping[str, Any]
    clock: ClockView

    @property
    def still_concerns(self) -> bool:
        """Whether it is worth telling now: a missed target always, a warning as long as it is one."""
        clock, mark = self.payload["clock"], self.payload["mark"]
        if (clock, mark) == ("response", "breach"):
            return True
        if self.case.closed_at is not None:
            return False
        if clock == "assignment":
            return self.case.holder_id is None
        return clock != "response" or self.case.answered_at is None

    @property
    def key(self) -> str:
        """Which alarm it is, whoever is told of it."""
        return " ".join(str(self.payload[name]) for name in ("case", "clock", "mark", "due_at"))

    @property
    def order(self) -> tuple[int, bool, str, str]:
        payload = self.payload
        return self.case.severity, payload["mark"] not in MISSED_ENDS, payload["due_at"], self.case.number


@dataclass(frozen=True)
class AlarmMail:
    """The words of one digest and whom it is for; `ids` name its alarms."""

    person_id: UUID
    address: str
    language: str
    subject: str
    paragraphs: tuple[Mapping[str, str], ...]
    ids: tuple[str, ...]


def alarm_mail(payloads: Payloads, now: datetime) -> AlarmMail | None:
    """Return the one mail of what is due for a person; None where nothing of it still concerns anybody."""
    person = active_people_by_id([UUID(payloads[0]["to"])]).get(UUID(payloads[0]["to"]))
    alarms = _alarms(payloads, now)
    if person is None or not alarms:
        return None
    with translation.override(person.language):
        lines = [_line(alarm) for alarm in alarms[:MOST_LINES]]
        if more := len(alarms) - len(lines):
            lines.append(ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more})
        why = ", ".join(sorted({role_of_reader(alarm.payload["why"]) for alarm in alarms}))
        end = {"text": _("All of them, to acknowledge"), "url": f"{settings.GUARDIA.public_url}/console/alerts/"}
        reason = {"text": _("Sent to you as: %(roles)s.") % {"roles": why}}
        paragraphs = (*({"text": line} for line in lines), end, reason)
        ids = tuple(sorted(alarm.key for alarm in alarms))
        return AlarmMail(person.id, person.email, person.language, _subject(alarms), paragraphs, ids)


def alarm_body(payloads: Payloads, now: datetime) -> bytes:
    """Return the webhook's body: an object with `alerts`, each with an id that stays the same when it is sent again."""
    cases = _cases(payloads)
    alerts = []
    for payload in payloads:
        case = cases[UUID(payload["case"])]
        clock = clock_of_row(case, now)
        alerts.append(
            {
                "id": payload["id"],
                "case": case.number,
                "severity": case.severity,
                "class": case.case_class,
                "clock": payload["clock"],
                "mark": payload["mark"],
                "due_at": payload["due_at"],
                "state": clock.state,
                "share": clock.share if case.due_at else None,
                "answered_at": case.answered_at.isoformat() if case.answered_at else None,
                "holder": case.holder_name,
                "url": f"{settings.GUARDIA.public_url}/console/cases/{case.number}/",
            }
        )
    return json.dumps({"sent_at": now.isoformat(), "alerts": alerts}).encode()


def _cases(payloads: Payloads) -> dict[UUID, Case]:
    rows = Case.objects.across_companies("staff are told of alarms of every company").defer("words")
    return {case.id: case for case in rows.filter(id__in={UUID(payload["case"]) for payload in payloads})}


def _alarms(payloads: Payloads, now: datetime) -> list[_Alarm]:
    cases = _cases(payloads)
    found = [
        _Alarm(case, payload, clock_of_row(case, now))
        for payload, case in ((payload, cases[UUID(payload["case"])]) for payload in payloads)
    ]
    return sorted((alarm for alarm in found if alarm.still_concerns), key=lambda alarm: alarm.order)


def _subject(alarms: Sequence[_Alarm]) -> str:
    if len(alarms) == 1:
        payload = alarms[0].payload
        return f"[{spoken(alarms[0].case.number)}] {mark_title(payload['clock'], payload['mark'])}"
    missed = sum(alarm.payload["mark"] in MISSED_ENDS for alarm in alarms)
    return _("%(count)d alerts, %(missed)d of them missed targets") % {"count": len(alarms), "missed": missed}


def _line(alarm: _Alarm) -> str:
    payload, case = alarm.payload, alarm.case
    title = mark_title(payload["clock"], payload["mark"])
    head = f"[{spoken(case.number)}] " + _("Severity %(severity)d") % {"severity": case.severity} + f" · {title}"
    parts = [head, _now(alarm), f"{settings.GUARDIA.public_url}/console/cases/{case.number}/"]
    return "\n".join(part for part in parts if part)


def _now(alarm: _Alarm) -> str:
    """How the response clock stands now."""
    case, clock = alarm.case, alarm.clock
    if case.answered_at is not None:
        return _("Now: answered at %(when)s.") % {"when": _when(case.answered_at)}
    if case.due_at is None:
        return ""
    if clock.state == "breached":
        return _("Now: due since %(when)s.") % {"when": _when(case.due_at)}
    return _("Now: %(share)d %% used, due at %(when)s.") % {"share": clock.share, "when": _when(case.due_at)}


def _when(at: datetime) -> str:
    return formats.date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")
