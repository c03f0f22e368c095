"""A case's events as people read them: words in boxes, facts in one line, time that does not count as a break.

Internal notes are for staff only. Every title is in the reader's language; every change of hands says how long the
one before had the case.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guardia.features.cases.models import CaseEvent, CaseFile
from guardia.kernel.vocabulary import Actor
from guardia.reports.kept_sentences import told
from guardia.reports.showing import ClockStretch, EngineLine, FileView, MailView, RecordingView, TimelineEntry
from guardia.reports.timeline_clocks import INTERNAL_TYPES, ClockLines
from guardia.reports.timeline_duplicates import DuplicateLines
from guardia.reports.timeline_promise import PromiseLines

LONGEST_PAUSE_SHOWN = timedelta(minutes=5)
LATE = timedelta(minutes=1)
"""What was recorded so long after it happened tells both instants."""
OUTCOMES: Mapping[str, Callable[[], str]] = {
    "confirmed": lambda: _("Precheck: the claim is confirmed"),
    "fixed_in": lambda: _("Precheck: fixed already"),
    "not_reproducible": lambda: _("Precheck: not reproducible"),
    "not_scanned": lambda: _("Precheck: not scanned"),
}
DETERMINATIONS: Mapping[str, Callable[[], str]] = {
    "fn_confirmed": lambda: _("False negative confirmed"),
    "fp_confirmed": lambda: _("False positive confirmed"),
    "detection_correct": lambda: _("Detection correct"),
    "not_malicious": lambda: _("Not malicious"),
    "unwanted_by_policy": lambda: _("Unwanted by policy"),
    "undetermined": lambda: _("Undetermined"),
}


def span_words(span: timedelta) -> str:
    """Return a duration in words: `2 h 5 min`, `40 s`."""
    seconds = int(span.total_seconds())
    days, hours, minutes = seconds // 86400, seconds % 86400 // 3600, seconds % 3600 // 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"


def file_views(files: Iterable[CaseFile]) -> tuple[FileView, ...]:
    """Return files as pages show them."""
    return tuple(FileView(str(file.id), file.filename, file.size, file.sha256, file.role) for file in files)


def engine_lines(scans: Sequence[Mapping[str, Any]], release: int) -> tuple[EngineLine, ...]:
    """Return what the engines said with one release."""
    return tuple(
        EngineLine(
            name,
            said.get("engine_version", ""),
            said["outcome"],
            tuple(said.get("names", ())),
            said.get("reason") or "",
        )
        for scan in scans
        if scan["build"] == release
        for name, said in scan["verdicts"].items()
    )


def _movement(payload: Mapping[str, Any]) -> str:
    if payload["movement"] == "reserve":
        return _("1 premium incident reserved")
    if payload["movement"] == "consume":
        return _("The premium incident is spent: the request was accepted")
    return _("1 premium incident given back")


def _precheck(payload: Mapping[str, Any]) -> str:
    said = _("With %(label)s, the newest release of the lane.") % {"label": payload["label"]}
    if payload.get("ahead_label"):
        said += " " + _("Release %(label)s, on the accelerated lane, holds the correction.") % {
            "label": payload["ahead_label"]
        }
    return said


def _state_title(payload: Mapping[str, Any]) -> str:
    titles = {
        "wait": _("Waiting for the customer"),
        "resume": _("In progress again"),
        "to_lab": _("Handed to the lab"),
    }
    act = str(payload["act"])
    return titles.get(act, act)


def _gates(payload: Mapping[str, Any]) -> str:
    if payload["passed"]:
        return _("All gates passed for draft %(draft)s") % payload
    return _("A gate failed for draft %(draft)s") % payload


class Teller(PromiseLines, ClockLines, DuplicateLines):
    """Tells one case's events to one reader."""

    def __init__(
        self,
        reader: Actor,
        files: Iterable[CaseFile],
        mails: Mapping[str, MailView] | None = None,
        recordings: Mapping[int, tuple[RecordingView, ...]] | None = None,
    ) -> None:
        self.reader = reader
        self.mails = mails or {}
        self.recordings = recordings or {}
        self.files: dict[int, list[CaseFile]] = {}
        for file in files:
            self.files.setdefault(file.event_seq, []).append(file)
        self.holder: tuple[str, datetime] | None = None
        self.voided: frozenset[int] = frozenset()

    def tell(
        self, events: Iterable[CaseEvent], pauses: Sequence[tuple[datetime, datetime]]
    ) -> tuple[TimelineEntry, ...]:
        """Return the entries, with a break where the response clock stood still."""
        entries: list[TimelineEntry] = []
        waiting = list(pauses)
        told = list(events)
        self.voided = frozenset(event.payload["answer"] for event in told if event.type == "answer_voided")
        for event in told:
            while waiting and waiting[0][1] <= event.occurred_at:
                entries.append(self._pause(*waiting.pop(0)))
            entry = self._entry(event)
            if entry is not None:
                entries.append(entry)
        return tuple(entries)

    def _pause(self, start: datetime, end: datetime) -> TimelineEntry:
        title = _("Out of office hours · %(span)s that do not count") % {"span": span_words(end - start)}
        return TimelineEntry(seq=0, kind="pause", icon="moon", title=title, at=None)

    def _entry(self, event: CaseEvent) -> TimelineEntry | None:
        is_internal = event.payload.get("internal") or event.type in INTERNAL_TYPES
        if is_internal and not self.reader.is_staff:
            return None
        told = getattr(self, f"_{event.type}", None)
        facts: dict[str, Any] = told(event) if told else {"icon": "point", "title": event.type}
        base = {
            "seq": event.seq,
            "kind": "fact",
            "at": event.occurred_at,
            "recorded_at": event.recorded_at if event.recorded_at - event.occurred_at >= LATE else None,
            "actor_name": event.actor["name"],
            "actor_side": event.actor["side"],
            "is_own": event.actor["id"] == self.reader.id,
            "files": file_views(self.files.get(event.seq, [])),
            "mail": self.mails.get(str(event.payload.get("mail", ""))),
            "recordings": self.recordings.get(event.seq, ()),
        }
        return TimelineEntry(**{**base, **facts})

    def _words(self, event: CaseEvent, title: str, tag: str, icon: str = "message") -> dict[str, Any]:
        return {"kind": "message", "icon": icon, "title": title, "body": event.payload.get("text", ""), "tag": tag}

    def _submitted(self, event: CaseEvent) -> dict[str, Any]:
        return self._words(event, _("Request sent"), _("By phone") if event.payload.get("call") else "")

    def _message(self, event: CaseEvent) -> dict[str, Any]:
        if event.payload.get("internal"):
            title = _("Phone message of somebody unknown, attached") if event.payload.get("call") else ""
            return {**self._words(event, title, _("Internal note")), "is_internal": True}
        if event.payload.get("call"):
            return self._words(event, "", _("By phone"), "phone")
        tag = _("Message · not a qualified answer") if event.actor["side"] == "staff" else ""
        return self._words(event, "", tag)

    def _answered(self, event: CaseEvent) -> dict[str, Any]:
        how = {
            "analysis": _("Qualified answer · results of the analysis"),
            "asks_for_data": _("Qualified answer · asks for all missing data"),
            "adopts_precheck": _("Qualified answer · adopts the precheck"),
        }
        tag = how.get(event.payload["how"], _("Qualified answer"))
        if event.seq in self.voided:
            return {**self._words(event, "", _("Withdrawn · counts as never given")), "is_voided": True}
        return self._words(event, "", tag)

    def _solution(self, event: CaseEvent) -> dict[str, Any]:
        return self._words(event, "", _("Solution offered"), "bulb")

    def _quota(self, event: CaseEvent) -> dict[str, Any]:
        return {"icon": "ticket", "title": _movement(event.payload), "actor_name": ""}

    def _taken(self, event: CaseEvent) -> dict[str, Any]:
        detail = event.payload.get("reason", "")
        if self.holder and self.holder[0] != event.actor["name"]:
            span = span_words(event.occurred_at - self.holder[1])
            detail = _("%(name)s had it for %(span)s.") % {"name": self.holder[0], "span": span}
        elif not self.holder:
            detail = _("Nobody had it before.")
        self.holder = (event.actor["name"], event.occurred_at)
        return {
            "icon": "user-check",
            "title": _("%(name)s takes the case") % event.actor,
            "actor_name": "",
            "detail": detail,
        }

    def _assigned(self, event: CaseEvent) -> dict[str, Any]:
        self.holder = (event.payload["holder_name"], event.occurred_at)
        title = _("%(actor)s gives the case to %(name)s") % {
            "actor": event.actor["name"],
            "name": event.payload["holder_name"],
        }
        return {"icon": "user-check", "title": title, "actor_name": "", "detail": event.payload["reason"]}

    def _put_back(self, event: CaseEvent) -> dict[str, Any]:
        detail = event.payload["reason"] + self._held_until(event)
        self.holder = None
        return {"icon": "arrow-back-up", "title": _("Back in the queue"), "detail": detail}

    def _group_changed(self, event: CaseEvent) -> dict[str, Any]:
        titles = {
            "first_line": _("With the first line"),
            "lab": _("With the lab group"),
            "release": _("With the release group"),
        }
        title = titles.get(event.payload["group"], event.payload["group"])
        return {"icon": "arrow-right", "title": title, "detail": event.payload["reason"]}

    def _state_changed(self, event: CaseEvent) -> dict[str, Any]:
        return {
            "icon": "arrow-right",
            "title": _state_title(event.payload),
            "detail": told(event.payload.get("reason", "")),
        }

    def _precheck(self, event: CaseEvent) -> dict[str, Any]:
        payload = event.payload
        tell = OUTCOMES.get(payload["outcome"])
        return {
            "kind": "message",
            "icon": "flask",
            "title": tell() if tell else payload["outcome"],
            "body": "",
            "tag": _("Automatic · does not stop the clock"),
            "engines": engine_lines(payload["scans"], payload["release"]),
            "detail": _precheck(payload),
        }

    def _lab_failed(self, event: CaseEvent) -> dict[str, Any]:
        return {"icon": "alert-triangle", "title": _("The lab's work failed"), "detail": event.payload.get("error", "")}

    def _proposals(self, event: CaseEvent) -> dict[str, Any]:
        count = event.payload["count"]
        title = ngettext("The lab proposes %(count)d correction", "The lab proposes %(count)d corrections", count) % {
            "count": count
        }
        return {"icon": "bulb", "title": title, "actor_name": ""}

    def _determined(self, event: CaseEvent) -> dict[str, Any]:
        tell = DETERMINATIONS.get(event.payload["verdict"])
        title = _("Determination: %(verdict)s") % {"verdict": tell() if tell else event.payload["verdict"]}
        return {"icon": "clipboard-check", "title": title, "detail": event.payload.get("text", "")}

    def _drafted(self, event: CaseEvent) -> dict[str, Any]:
        return {"icon": "pencil", "title": _("Correction drafted, for release %(label)s") % event.payload}

    def _gates_finished(self, event: CaseEvent) -> dict[str, Any]:
        icon = "checks" if event.payload["passed"] else "circle-x"
        detail = "" if event.payload["passed"] or not self.reader.is_staff else "; ".join(event.payload["missing"])
        return {"icon": icon, "title": _gates(event.payload), "actor_name": "", "detail": detail}

    def _reviewed(self, event: CaseEvent) -> dict[str, Any]:
        return {"icon": "eye", "title": _("Reviewed, for release %(label)s") % event.payload}

    def _approved(self, event: CaseEvent) -> dict[str, Any]:
        return {"icon": "signature", "title": _("Release %(label)s approved") % event.payload}

    def _joined(self, event: CaseEvent) -> dict[str, Any]:
        return {"icon": "versions", "title": _("Release %(label)s holds this correction already") % event.payload}

    def _released(self, event: CaseEvent) -> dict[str, Any]:
        accelerated = event.payload["lane"] == "accelerated"
        title = (
            _("Release %(label)s is on the accelerated lane")
            if accelerated
            else _("Release %(label)s is on the standard lane")
        )
        return {"icon": "rocket", "title": title % event.payload, "actor_name": ""}

    def _proved(self, event: CaseEvent) -> dict[str, Any]:
        lines = tuple(
            EngineLine(name, said["engine_version"], said["outcome"], tuple(said["names"]))
            for sample in event.payload["samples"]
            for name, said in sample["verdicts"].items()
        )
        title = _("Verified on %(machine)s with release %(label)s") % event.payload
        return {
            "kind": "message",
            "icon": "shield-check",
            "title": title,
            "tag": _("Signed by the machine"),
            "engines": lines,
        }

    def _proof_refused(self, event: CaseEvent) -> dict[str, Any]:
        title = _("%(machine)s does not show the correction yet") % event.payload
        return {"icon": "alert-triangle", "title": title, "detail": told(event.payload["reason"])}

    def _closed(self, event: CaseEvent) -> dict[str, Any]:
        titles = {
            "machine_proved": _("Closed: proved by the machine"),
            "not_machine_proved": _("Closed, not machine-proved"),
            "customer_confirmed": _("Closed: confirmed by the customer"),
            "solved": _("Closed: solved"),
            "withdrawn": _("Closed: withdrawn"),
        }
        title = titles.get(event.payload["how"], _("Closed"))
        return {
            "icon": "circle-check",
            "title": title,
            "detail": told(event.payload.get("reason", "")) + self._held_until(event),
        }

    def _held_until(self, event: CaseEvent) -> str:
        if not self.holder:
            return ""
        span = span_words(event.occurred_at - self.holder[1])
        return " " + _("%(name)s had it for %(span)s.") % {"name": self.holder[0], "span": span}

    def _reopened(self, event: CaseEvent) -> dict[str, Any]:
        return {"icon": "arrow-back-up", "title": _("Reopened"), "detail": event.payload.get("reason", "")}

    def _rejected(self, event: CaseEvent) -> dict[str, Any]:
        return {"icon": "ban", "title": _("Rejected"), "detail": event.payload.get("reason", "")}


def pauses_of(stretches: Sequence[ClockStretch]) -> list[tuple[datetime, datetime]]:
    """Return the gaps between covered stretches that are worth a line."""
    gaps = [(before.end, after.start) for before, after in pairwise(stretches)]
    return [(start, end) for start, end in gaps if end - start >= LONGEST_PAUSE_SHOWN]
