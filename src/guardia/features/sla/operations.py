"""What is watched and set off is saved set-based; calendar versions are added, never changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.expressions import RawSQL

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
from guardia.features.sla.rules.draft_calendar import WrittenCalendar
from guardia.features.sla.rules.escalation import Step
from guardia.features.sla.rules.watching import Mark, as_json
from guardia.kernel.clock import TZDATA_EDITION
from guardia.kernel.ids import uuid7_text
from guardia.kernel.many_rows import insert_rows, update_rows
from guardia.kernel.transactions import operation
from guardia.kernel.vocabulary import Actor

# -- watched clocks, firings, escalations --


@operation
def save_watches(new: Sequence[ClockWatch], changed: Sequence[ClockWatch]) -> None:
    """Save what is watched of locked cases, set-based."""
    ClockWatch.objects.bulk_create(new)
    if not changed:
        return
    names = ("id", "version", "severity", "tier", "due_at", "marks", "next_at", "next_mark", "failures", "last_error")
    update_rows(ClockWatch, [{name: getattr(row, name) for name in names} for row in changed])


def new_watch(case: Any, clock: str) -> ClockWatch:
    """Return a row for a clock of a case that is not watched yet, unsaved."""
    return ClockWatch(company_id=case.company_id, case_id=case.id, clock=clock, failures=0, last_error="")


def set_marks(row: ClockWatch, marks: Sequence[Mark]) -> None:
    """Put the marks to come into the row in hand, unsaved."""
    row.marks = as_json(marks)
    row.next_at, row.next_mark = (marks[0].at, marks[0].name) if marks else (None, "")
    row.failures, row.last_error = 0, ""


def fail(row: ClockWatch | EscalationStep, until: datetime, error: str) -> None:
    """Let the row in hand wait after a failure, unsaved."""
    row.failures += 1
    row.last_error = error.replace("\x00", "")[:300]
    if isinstance(row, ClockWatch):
        row.next_at = until
    else:
        row.at = until


@dataclass(slots=True)
class NewFiring:
    """The record of a passed mark, to be inserted; ids as text, which is quicker to write."""

    company_id: str
    case_id: str
    clock: str
    mark: str
    version: int
    due_at: datetime
    late_by: timedelta
    id: str = field(default_factory=uuid7_text)

    def row(self) -> dict[str, Any]:
        """By column."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class NewStep:
    """A step of a policy that a firing sets off, to be inserted."""

    firing: NewFiring | ClockFiring
    step: int
    to: str
    by: list[str]
    at: datetime
    repeat: timedelta | None
    at_most: int
    round: int = 0
    fired_at: datetime | None = None
    people: list[str] = field(default_factory=list)
    id: str = field(default_factory=uuid7_text)

    def row(self) -> dict[str, Any]:
        """By column."""
        firing = self.firing
        return {
            "id": self.id,
            "company_id": firing.company_id,
            "case_id": firing.case_id,
            "firing_id": firing.id,
            "step": self.step,
            "round": self.round,
            "to": self.to,
            "by": self.by,
            "at": self.at,
            "repeat": self.repeat,
            "at_most": self.at_most,
        }


def new_firing(row: ClockWatch, mark: Mark, now: datetime) -> NewFiring:
    """Return the record of a passed mark."""
    due_at = row.due_at or mark.at
    return NewFiring(str(row.company_id), str(row.case_id), row.clock, mark.name, row.version, due_at, now - mark.at)


def new_step(firing: NewFiring, number: int, step: Step, at: datetime) -> NewStep:
    """Return a step that a firing sets off."""
    return NewStep(firing, number, step.to, list(step.by), at, step.repeat, step.at_most)


def next_round(step: NewStep | EscalationStep, at: datetime) -> NewStep:
    """Return the repetition of a step."""
    return NewStep(step.firing, step.step, step.to, list(step.by), at, step.repeat, step.at_most, round=step.round + 1)


def new_notice(company_id: str, person_id: str, key: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return a notice for the console, by column."""
    return {
        "id": uuid7_text(),
        "company_id": company_id,
        "case_id": facts["case"],
        "person_id": person_id,
        "facts": facts,
        "dedupe_key": key,
    }


@operation
def add_firings(firings: Sequence[NewFiring], now: datetime) -> None:
    """Record marks that have passed. A mark of a version that was recorded before is an IntegrityError."""
    insert_rows(ClockFiring, [firing.row() for firing in firings], same={"fired_at": now})


@operation
def add_steps(steps: Sequence[NewStep]) -> None:
    """Keep steps to come that firings set off."""
    insert_rows(EscalationStep, [step.row() for step in steps], same={"people": [], "stopped_why": ""})


@operation
def save_steps(steps: Sequence[EscalationStep]) -> None:
    """Save what became of locked steps."""
    names = ("id", "at", "people", "fired_at", "stopped_at", "stopped_why", "failures", "last_error")
    update_rows(EscalationStep, [{name: getattr(step, name) for name in names} for step in steps])


@operation
def add_notices(notices: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Tell people in the console, each once for each key; what was read before and comes again is unread again."""
    again = "(dedupe_key) DO UPDATE SET created_at = EXCLUDED.created_at, read_at = NULL, facts = EXCLUDED.facts"
    insert_rows(StaffNotice, notices, again, {"kind": "escalation", "created_at": now})


@operation
def read_notices(case_id: UUID, topics: Sequence[str], now: datetime, *, is_settled: bool) -> int:
    """Let what people were told of these clocks or topics of a case be read: acknowledged, or settled."""
    rows = StaffNotice.objects.across_companies("the case in hand is locked").filter(case_id=case_id, read_at=None)
    facts = {"facts": RawSQL("facts || %s::jsonb", [json.dumps({"settled": is_settled})])}
    return rows.filter(facts__clock__in=list(topics)).update(read_at=now, **facts)


# -- pages by phone --


def new_page(firing: NewFiring | ClockFiring, step: Any, severity: int, people: Sequence[str]) -> dict[str, Any]:
    """Return a page by phone for a step of a firing, by column; it calls these people first."""
    return {
        "id": uuid7_text(),
        "company_id": firing.company_id,
        "case_id": firing.case_id,
        "firing_id": firing.id,
        "dedupe_key": f"{firing.id}:{step.step}:{step.round}",
        "clock": firing.clock,
        "mark": firing.mark,
        "severity": severity,
        "people": list(people),
    }


@operation
def add_pages(pages: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Let the line call people from now on; a step that is paged already is left as it is."""
    same = {"tried": [], "outcome": "", "created_at": now, "next_at": now}
    insert_rows(PhonePage, pages, "(dedupe_key) DO NOTHING", same)


def end_page(page: PhonePage, outcome: str, now: datetime, by: UUID | None = None) -> None:
    """Let the page in hand be over, unsaved; what is over stays what it was."""
    if page.ended_at is None:
        page.ended_at, page.next_at, page.leased_until = now, None, None
        page.outcome, page.acknowledged_by_id = outcome, by


@operation
def save_pages(pages: Sequence[PhonePage]) -> None:
    """Save what became of locked pages."""
    names = ("id", "tried", "next_at", "leased_until", "ended_at", "outcome", "acknowledged_by_id")
    update_rows(PhonePage, [{name: getattr(page, name) for name in names} for page in pages])


@operation
def stop_pages(case_id: UUID, clocks: Sequence[str], now: datetime) -> None:
    """Let nobody be called any more about these clocks of a locked case."""
    rows = PhonePage.objects.across_companies("the case in hand is locked").filter(case_id=case_id, ended_at=None)
    rows.filter(clock__in=list(clocks)).update(ended_at=now, next_at=None, leased_until=None, outcome="stopped")


# -- policies and the ticker --


@operation
def save_policy(code: str, name: str, steps: Sequence[Mapping[str, Any]], actor: Actor, now: datetime) -> int:
    """Save an escalation policy whose steps were parsed; return its version."""
    policy = EscalationPolicy.objects.select_for_update().filter(code=code).first()
    version = policy.version + 1 if policy else 1
    EscalationPolicy.objects.update_or_create(
        code=code,
        defaults={
            "name": name,
            "steps": [dict(step) for step in steps],
            "version": version,
            "changed_at": now,
            "changed_by": actor.as_json(),
        },
    )
    return version


@operation
def ensure_policy(code: str, name: str, steps: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Make a policy unless it is there."""
    EscalationPolicy.objects.bulk_create(
        [EscalationPolicy(code=code, name=name, steps=list(steps), version=1, changed_at=now)], ignore_conflicts=True
    )


@operation
def beat(name: str, started_at: datetime, now: datetime, tick_s: float, fired: int) -> None:
    """Say that a ticker is at work; forget those that have not been heard of for a day."""
    TickerBeat.objects.bulk_create(
        [TickerBeat(name=name, started_at=started_at, ticked_at=now, tick_s=tick_s, fired=fired)],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["started_at", "ticked_at", "tick_s", "fired"],
    )
    TickerBeat.objects.filter(ticked_at__lt=now - timedelta(days=1)).delete()


# -- calendars --


@operation
def add_calendar_version(written: WrittenCalendar, version: int, actor: Actor, now: datetime) -> CalendarVersion | None:
    """Add a calendar version with the pinned tzdata edition; None where somebody else has just made this one."""
    try:
        with transaction.atomic():
            return CalendarVersion.objects.create(
                name=written.name,
                version=version,
                rules=written.rules,
                labels=written.labels,
                source=written.source,
                note=written.note,
                tzdata=TZDATA_EDITION,
                created_at=now,
                made_by=actor.as_json(),
            )
    except IntegrityError:
        return None


@operation
def lock_calendar_name(name: str) -> None:
    """Let moves to versions of one name begin one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"calendar move\x1f{name}"])


@operation
def add_calendar_move(
    to: CalendarVersion, reason: str, actor: Actor, now: datetime, *, total: int, would_breach: int
) -> CalendarMove:
    """Write down that the open cases are to move; the rows themselves follow in batches."""
    return CalendarMove.objects.create(
        to_version=to, reason=reason, actor=actor.as_json(), created_at=now, total=total, would_breach=would_breach
    )


@operation
def lock_calendar_move(move_id: UUID) -> CalendarMove:
    """Return a move with its row locked: batches of one move come one after the other, whoever runs them."""
    return CalendarMove.objects.select_related("to_version").select_for_update(of=("self",)).get(id=move_id)


@operation
def save_calendar_move(move: CalendarMove) -> None:
    """Save how far the cases of a locked move are claimed."""
    move.save(update_fields=["cursor"])


@operation
def count_moved(move_id: UUID, moved: int, breached: int) -> int:
    """Add a batch to a move's counts; return how many have moved in all."""
    rows = CalendarMove.objects.filter(id=move_id)
    rows.update(moved=F("moved") + moved, breached=F("breached") + breached)
    return int(rows.values_list("moved", flat=True)[0])


@operation
def finish_calendar_move(move_id: UUID, now: datetime) -> None:
    """Say that nothing is left to move; the first to say so is right."""
    CalendarMove.objects.filter(id=move_id, finished_at=None).update(finished_at=now)
