"""Calendar versions, and the response clock of a case under its frozen terms."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from guardia.features.sla.models import (
    CalendarMove,
    CalendarVersion,
    ClockFiring,
    ClockWatch,
    EscalationPolicy,
    EscalationStep,
    PhonePage,
    StaffNotice,
    TickerBeat,
)
from guardia.features.sla.rules.calendars import Calendar
from guardia.features.sla.rules.clock import Reading, evaluate
from guardia.features.sla.rules.events import Event
from guardia.features.sla.rules.expectations import SEVERITIES
from guardia.features.sla.rules.joined_course import course_of, from_start, standing_joins, with_course
from guardia.features.sla.rules.objectives import Objectives
from guardia.features.sla.rules.policies import Policy, Promise
from guardia.features.sla.rules.watching import Fired
from guardia.features.sla.rules.working_days import working_days_before


class LoggedEvent(Protocol):
    """An event of a case's log, as far as the clock reads it."""

    @property
    def seq(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...


def get_calendar(version_id: UUID) -> CalendarVersion:
    """Return a calendar version that a contract or case names."""
    return CalendarVersion.objects.get(id=version_id)


@lru_cache(maxsize=256)
def calendar_named(version_id: UUID) -> dict[str, Any]:
    """Return what a case keeps of its calendar version, read once for each process: versions never change."""
    calendar = get_calendar(version_id)
    return {"name": calendar.name, "version": calendar.version, "tzdata": calendar.tzdata}


@lru_cache(maxsize=256)
def compiled_calendar(version_id: UUID) -> Calendar:
    """Return a calendar version, compiled once for each process: versions never change."""
    return Calendar.parse(get_calendar(version_id).rules)


def clock_events(log: Iterable[LoggedEvent]) -> list[Event]:
    """Return the events of a case's log that the response clock knows, in its own terms.

    A case that becomes premium by consent after its submission starts its clock at that instant, with the severity it
    has then; a call that was confirmed before counts from there. A voided answer was never given (RC-14): it is left
    out with what voids it, so that an answer that is entered later cannot be voided in its place. A duplicate that was
    joined brings its earlier start and its calls (`rules/joined_course.py`).
    """
    rows = list(log)
    joins = standing_joins(rows)
    voided = {event.payload["answer"] for event in rows if event.type == "answer_voided"}
    known: list[Event] = []
    for event in rows:
        at = event.occurred_at
        if event.type == "submitted":
            known.append(Event(at=at, type="submitted", severity=event.payload["severity"]))
        elif event.type == "severity_changed":
            known.append(Event(at=at, type="severity_changed", severity=event.payload["to"]))
        elif event.type == "answered" and event.seq not in voided:
            known.append(Event(at=at, type="answered", qualified=bool(event.payload.get("qualified", True))))
        elif event.type == "phone_confirmed":
            known.append(Event(at=at, type="phone_confirmed"))
        elif event.type == "class_changed" and event.payload["starts"] == "now":
            known = _started_anew(known, at)
        elif event.seq in joins:
            known = with_course(known, event.payload)
    return from_start(known) if joins else known


def _started_anew(known: list[Event], at: datetime) -> list[Event]:
    severity = next(event.severity for event in reversed(known) if event.severity is not None)
    called = any(event.type == "phone_confirmed" for event in known)
    start = [Event(at=at, type="submitted", severity=severity)]
    return [*start, Event(at=at, type="phone_confirmed")] if called else start


def promised_as(log: Iterable[LoggedEvent]) -> str | None:
    """Return the class whose promise was kept when the vendor changed a case's class, or None: the class it has."""
    changes = [event.payload.get("policy_class") for event in log if event.type == "class_changed"]
    return changes[-1] if changes else None


def policy_of(terms: Mapping[str, Any], case_class: str) -> dict[str, Any]:
    """Return the frozen promise for a class; terms frozen before classes could change hold one promise only.

    Where the vendor took a premium case for standard, what was promised stays: `promised_as` names it (RC-12).
    """
    policies = terms.get("policies") or {}
    promised = terms.get("promised_as") or case_class
    return dict(policies.get("standard" if promised == "undecided" else promised) or terms["policy"])


def awaited_opening(version_id: UUID, policy: Mapping[str, Any], severity: int, at: datetime) -> datetime | None:
    """Return when the office opens, where it is closed and a call would open the clock at once (RC-3); else None."""
    calendar = compiled_calendar(version_id)
    if not Policy.parse(dict(policy))[severity].phone_opens_24x7 or calendar.is_open(at):
        return None
    return calendar.next_opening(at)


def read_clock(version_id: UUID, policy: Mapping[str, Any], log: Iterable[LoggedEvent], as_of: datetime) -> Reading:
    """Return a case's response clock as of an instant (not before its last event), with its arithmetic."""
    known = clock_events(log)
    latest = max(event.at for event in known)
    return evaluate(compiled_calendar(version_id), Policy.parse(dict(policy)), known, max(as_of, latest))


def time_to_answer(
    version_id: UUID, policy: Mapping[str, Any], log: Iterable[LoggedEvent], reading: Reading
) -> int | None:
    """Return the seconds that counted from the clock's start to the qualified answer, or None without one.

    Under the coverage of the severity that the case had at the answer, a confirmed call included; without a target, the
    calendar's hours: the reports compare what customers waited within hours in which they were served.
    """
    if reading.answered_at is None:
        return None
    known = [event for event in clock_events(log) if event.at <= reading.answered_at]
    start = known[0].at
    severity = next(event.severity for event in reversed(known) if event.severity is not None)
    promise = Policy.parse(dict(policy))[severity]
    calls = [event.at for event in known if event.type == "phone_confirmed"] if promise.phone_opens_24x7 else []
    opens_at = start if promise.coverage == "always" else min([*calls, reading.answered_at])
    working = compiled_calendar(version_id).elapsed(start, opens_at)
    return int((working + (reading.answered_at - opens_at)).total_seconds())


def starved_before(now: datetime, working_days: int) -> datetime | None:
    """Return the instant that lies so many of the vendor's working days back; None for none of them (no guard).

    The vendor's working days are those of the calendar that was made first, in its newest version.
    """
    first = CalendarVersion.objects.order_by("id").values("name")[:1]
    newest = CalendarVersion.objects.filter(name=first).order_by("-version").first() if working_days else None
    return working_days_before(compiled_calendar(newest.id), now, working_days) if newest else None


# -- watched clocks, firings, escalations --

TIERS: Final = (1, 2)
MOST_SEVERE_FIRST: Final = [(severity, tier) for severity in SEVERITIES for tier in TIERS]


def watches_of(cases: Sequence[UUID]) -> dict[UUID, dict[str, ClockWatch]]:
    """Return what is watched of cases in hand, by case and clock."""
    found: dict[UUID, dict[str, ClockWatch]] = {case: {} for case in cases}
    for row in ClockWatch.objects.across_companies("the cases in hand were locked").filter(case_id__in=cases):
        found[row.case_id][row.clock] = row
    return found


def fired_of(cases: Sequence[UUID]) -> dict[UUID, list[Fired]]:
    """Return the marks of cases in hand that were recorded, by case."""
    found: dict[UUID, list[Fired]] = {case: [] for case in cases}
    rows = ClockFiring.objects.across_companies("the cases in hand were locked").filter(case_id__in=cases)
    for row in rows:
        found[row.case_id].append(Fired(row.clock, row.mark, row.version, row.due_at))
    return found


def steps_to_come(cases: Sequence[UUID]) -> list[EscalationStep]:
    """Return the steps of cases in hand that were neither taken nor stopped, with their firings."""
    rows = EscalationStep.objects.across_companies("the cases in hand were access-checked").select_related("firing")
    return list(rows.filter(case_id__in=cases, fired_at=None, stopped_at=None).order_by("at"))


def probe_due(now: datetime) -> list[tuple[int, int]]:
    """Return the severities and tiers of which a clock has something to say, most severe first: eight short looks."""
    with connection.cursor() as cursor:
        cursor.execute(_PROBE, [[pair[0] for pair in MOST_SEVERE_FIRST], [pair[1] for pair in MOST_SEVERE_FIRST], now])
        return [(int(severity), int(tier)) for severity, tier in cursor.fetchall()]


_PROBE: Final = """
SELECT asked.severity, asked.tier FROM unnest(%s::int[], %s::int[]) WITH ORDINALITY AS asked (severity, tier, place)
WHERE EXISTS (
    SELECT 1 FROM sla_clockwatch AS watch
    WHERE watch.severity = asked.severity AND watch.tier = asked.tier
      AND watch.next_at IS NOT NULL AND watch.next_at < %s
) ORDER BY asked.place
"""


def claim_due(severity: int, tier: int, now: datetime, limit: int) -> list[ClockWatch]:
    """Return and lock clocks that have something to say, the longest overdue first, each with its case.

    Both rows are locked and looked at again; a case that somebody is working on is left for the next tick.
    """
    due = _claimable(now).filter(severity=severity, tier=tier).order_by("next_at")
    return [_with_terms(row) for row in due[:limit]]


def claim_watches(ids: Sequence[UUID], now: datetime) -> list[ClockWatch]:
    """Return and lock those of these clocks that still have something to say, each with its case."""
    return [_with_terms(row) for row in _claimable(now).filter(id__in=ids)]


def _claimable(now: datetime) -> QuerySet[Any]:
    rows = (
        ClockWatch.objects.across_companies("the ticker serves every company")
        .filter(next_at__lt=now)
        .select_related("case")
    )
    needed = rows.only(*_WATCH, *_CASE).annotate(terms_text=Cast("case__terms", TextField()))
    return needed.select_for_update(of=("self", "case"), skip_locked=True)


def _with_terms(row: Any) -> Any:
    """A claimed clock whose case has its terms: most cases of a contract have the same, and they are parsed once."""
    row.case.terms = _terms(row.terms_text)
    return row


@lru_cache(maxsize=1024)
def _terms(written: str) -> Any:
    return json.loads(written)


def claim_steps(now: datetime, limit: int, ids: Sequence[UUID] | None = None) -> list[EscalationStep]:
    """Return and lock steps that are due, each with its firing and case."""
    rows = EscalationStep.objects.across_companies("the ticker serves every company").select_related("case", "firing")
    due = rows.filter(at__lt=now, fired_at=None, stopped_at=None).order_by("at").only(*_STEP, *_CASE)
    due = due if ids is None else due.filter(id__in=ids)
    locked = due.annotate(terms_text=Cast("case__terms", TextField())).select_for_update(
        of=("self", "case"), skip_locked=True
    )
    return [_with_terms(row) for row in locked[:limit]]


_STEP: Final = (
    *("company_id", "case_id", "step", "round", "to", "by", "at", "fired_at", "people", "stopped_at", "stopped_why"),
    *("repeat", "at_most", "failures", "last_error"),
    *(f"firing__{name}" for name in ("company_id", "case_id", "clock", "mark", "version", "due_at", "late_by")),
)


_WATCH: Final = ("company_id", "clock", "version", "severity", "tier", "due_at", "marks", "next_at", "failures")
_CASE: Final = tuple(
    f"case__{name}"
    for name in (
        "company_id",
        "number",
        "case_class",
        "severity",
        "tier",
        "group",
        "holder_id",
        "contract_id",
        "calendar_version_id",
        "called_at",
        "answered_at",
        "closed_at",
        "clock_state",
        "due_at",
        "last_seq",
    )
)


def unread_notices(case_id: UUID) -> list[StaffNotice]:
    """Return what people were told of a case in hand and have not acknowledged, the oldest first."""
    rows = StaffNotice.objects.across_companies("the case in hand was access-checked")
    return list(rows.filter(case_id=case_id, read_at=None).order_by("created_at"))


# -- pages by phone --


def claim_pages(now: datetime, limit: int) -> list[PhonePage]:
    """Return and lock pages that are due and in nobody's hands, the gravest first, each with its case.

    Pages of one case come one after the other: nobody is called by two of them. A case that somebody is working on is
    left for the next look.
    """
    rows = PhonePage.objects.across_companies("the line calls for every company")
    earlier = rows.filter(case_id=OuterRef("case_id"), ended_at=None, id__lt=OuterRef("id"))
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    due = rows.filter(free, ~Exists(earlier), next_at__lte=now).order_by("severity", "next_at", "id")
    needed = due.select_related("case", "case__company").defer("case__words")
    return list(needed.select_for_update(of=("self", "case"), skip_locked=True)[:limit])


def find_page(page_id: UUID, *, lock: bool = False) -> PhonePage | None:
    """Return a page, or None; `lock` (with its case locked before) keeps others from changing it."""
    rows = PhonePage.objects.across_companies("the line calls for every company").select_related("case")
    rows = rows.select_for_update(of=("self",)) if lock else rows
    return rows.defer("case__words").filter(id=page_id).first()


def pages_over(page_ids: Collection[UUID]) -> set[UUID]:
    """Return which of these pages are over."""
    rows = PhonePage.objects.across_companies("the line calls for every company")
    return set(rows.filter(id__in=page_ids, ended_at__isnull=False).values_list("id", flat=True))


def open_pages(case_id: UUID) -> list[PhonePage]:
    """Return the pages of a case in hand that are not over, the oldest first."""
    rows = PhonePage.objects.across_companies("the case in hand was access-checked")
    return list(rows.filter(case_id=case_id, ended_at=None).order_by("id"))


# -- policies and the ticker --


def policies() -> dict[str, EscalationPolicy]:
    """Return the escalation policies by code."""
    return {policy.code: policy for policy in EscalationPolicy.objects.order_by("name")}


def lock_policy(code: str) -> EscalationPolicy | None:
    """Return a policy with its row locked, or None."""
    return EscalationPolicy.objects.select_for_update().filter(code=code).first()


def overdue_since() -> datetime | None:
    """Return the earliest instant at which a clock should have been heard, poisoned ones apart."""
    rows = ClockWatch.objects.across_companies("the ticker serves every company").filter(failures=0)
    firsts = [
        rows.filter(severity=severity, tier=tier, next_at__isnull=False).order_by("next_at").first()
        for severity, tier in MOST_SEVERE_FIRST
    ]
    return min((row.next_at for row in firsts if row is not None and row.next_at is not None), default=None)


def poisoned() -> list[ClockWatch]:
    """Return the clocks that the ticker cannot judge, the most often tried first."""
    rows = (
        ClockWatch.objects.across_companies("the ticker serves every company")
        .select_related("case")
        .defer("case__words")
    )
    return list(rows.filter(failures__gt=0).order_by("-failures", "id")[:20])


def beats() -> list[TickerBeat]:
    """Return the tickers that were heard of, the latest first."""
    return list(TickerBeat.objects.order_by("-ticked_at"))


# -- calendars --


def calendar_versions() -> QuerySet[CalendarVersion]:
    """Return every calendar version, by name, the newest first."""
    return CalendarVersion.objects.order_by("name", "-version")


def find_calendar_version(name: str, version: int | None = None) -> CalendarVersion | None:
    """Return a version of a calendar, the newest where none is said; None where there is none."""
    rows = CalendarVersion.objects.filter(name=name).order_by("-version")
    return (rows if version is None else rows.filter(version=version)).first()


def older_versions(version: CalendarVersion) -> list[UUID]:
    """Return the ids of the versions of the same name before this one."""
    rows = CalendarVersion.objects.filter(name=version.name, version__lt=version.version)
    return list(rows.values_list("id", flat=True))


def find_calendar_move(move_id: UUID) -> CalendarMove | None:
    """Return a move of open cases."""
    return CalendarMove.objects.select_related("to_version").filter(id=move_id).first()


def calendar_moves(name: str) -> QuerySet[CalendarMove]:
    """Return the moves to versions of one calendar, the newest first."""
    rows = CalendarMove.objects.select_related("to_version").filter(to_version__name=name)
    return rows.order_by("-created_at")


def unfinished_calendar_moves() -> list[UUID]:
    """Return the moves that are still to be carried on, the oldest first."""
    return list(CalendarMove.objects.filter(finished_at=None).order_by("created_at").values_list("id", flat=True))


CLOCK_TYPES: Final = (
    "submitted",
    "severity_changed",
    "answered",
    "phone_confirmed",
    "answer_voided",
    "class_changed",
    "merged_from",
    "merge_taken_back",
)
"""The events that `clock_events` listens to."""


def read_clock_under(
    version_id: UUID, policy: Mapping[str, Any], log: Iterable[LoggedEvent], as_of: datetime
) -> Reading:
    """As `read_clock`, for many cases in a row: their policies are few, and parsed once."""
    known = clock_events(log)
    latest = max(event.at for event in known)
    return evaluate(
        compiled_calendar(version_id), _policy(json.dumps(policy, sort_keys=True)), known, max(as_of, latest)
    )


def promise_of(policy: Mapping[str, Any], severity: int) -> Promise:
    """Return what a frozen policy promises for a severity."""
    return _policy(json.dumps(policy, sort_keys=True))[severity]


def objectives_of(written: Mapping[str, Any]) -> Objectives:
    """Return the internal objectives of a class, as terms freeze them: few, and parsed once. Raises ValueError."""
    return _objectives(json.dumps(written, sort_keys=True))


@lru_cache(maxsize=1024)
def _objectives(written: str) -> Objectives:
    return Objectives.parse(json.loads(written))


@lru_cache(maxsize=1024)
def _policy(written: str) -> Policy:
    return Policy.parse(json.loads(written))


class Clocked(NamedTuple):
    """A case as its response clock reads it: calendar version, frozen policy, log."""

    version_id: UUID
    policy: Mapping[str, Any]
    log: Sequence[LoggedEvent]


def clocked(case: Any, log: Sequence[LoggedEvent]) -> Clocked:
    """Return a case in hand with its log, as its response clock reads them."""
    return Clocked(case.calendar_version_id, policy_of(case.terms, case.case_class), log)


class JoinForeseen(NamedTuple):
    """Both clocks now, that of the case that goes on as it will stand, and what the duplicate brings to it."""

    duplicate: Reading
    kept: Reading
    after: Reading
    brought: dict[str, Any]


def foresee_join(duplicate: Clocked, kept: Clocked, now: datetime, *, moves_clock: bool) -> JoinForeseen:
    """Judge a joining before it is done, by the fold that follows it; without `moves_clock` only calls are brought."""
    brought = course_of(clock_events(duplicate.log))
    brought = brought if moves_clock else {**brought, "course": []}
    known = from_start(with_course(clock_events(kept.log), brought))
    as_of = max(now, *(event.at for event in known))
    return JoinForeseen(
        read_clock_under(*duplicate, now),
        read_clock_under(*kept, now),
        evaluate(compiled_calendar(kept.version_id), _policy(json.dumps(kept.policy, sort_keys=True)), known, as_of),
        brought,
    )


def takes_target_away(policy: Mapping[str, Any], severity: int, to: int, *, is_answered: bool) -> bool:
    """Whether a change of severity lowers one whose target runs: that needs the customer's agreement, or a lead."""
    if to <= severity or is_answered:
        return False
    return _policy(json.dumps(policy, sort_keys=True))[severity].target is not None
