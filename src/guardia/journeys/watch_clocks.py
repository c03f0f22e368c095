"""What is still to come of a case's clocks, kept where the ticker finds it.

`watch` follows every event that can move a clock; `watch_many` does the same for a batch whose calendar moved;
`watch_open_cases` adopts cases that nobody watches yet. What is settled by the event (an answer, an end, a holder)
stops the escalation steps to come, with the reason why, and the calls about it, and lets the notices be read.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from guardia.features.cases import operations as case_operations
from guardia.features.cases import queries as cases
from guardia.features.cases.rules.projection import EventFact
from guardia.features.sla import operations, queries
from guardia.features.sla.rules.clock import Reading
from guardia.features.sla.rules.escalation import PERCENTS
from guardia.features.sla.rules.marks import marks_of
from guardia.features.sla.rules.objectives import ObjectiveReading, read_objectives
from guardia.features.sla.rules.watching import Fired, Mark, Standing, Watch, needs_history, next_watch, parse_marks
from guardia.journeys.tell_staff import TOPICS
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Clock

_log = logging.getLogger("guardia.clocks")
Case = Any
Log = Sequence[EventFact]

MOVES: Final = frozenset(
    {
        "submitted",
        "message",
        "taken",
        "assigned",
        "put_back",
        "state_changed",
        "answered",
        "answer_voided",
        "solution",
        "released",
        "closed",
        "rejected",
        "merged",
        "merge_undone",
        "merged_from",
        "merge_taken_back",
        "reopened",
        "severity_changed",
        "class_changed",
        "phone_confirmed",
        "calendar_changed",
        "late_settled",
    }
)
"""The events that can move a clock; the others leave every clock as it is."""
SETTLES: Final = frozenset(
    {"taken", "assigned", "answered", "closed", "rejected", "merged", "message", "solution", "state_changed"}
)
"""The events after which nobody need be told any more of one clock or another."""
CLOCKS: Final = tuple(clock.value for clock in Clock)
BATCH: Final = 500


def watch(case: Case, log: Log, now: datetime) -> None:
    """Keep what is to come of a locked case, whose log's last event has just been appended."""
    if log[-1].type not in MOVES or log[-1].payload.get("internal"):
        return
    standings = _standings(case, log, now)
    _keep([case], {case.id: standings}, now)
    live = {one.clock for one in standings if one.is_live}
    _stop(case, live, log[-1], now)
    settled = [clock for clock in CLOCKS if clock not in live]
    settled += [] if case.closed_at is None else TOPICS
    if settled and log[-1].type in SETTLES:
        operations.read_notices(case.id, settled, now, is_settled=True)
        operations.stop_pages(case.id, settled, now)


def watch_many(batch: Sequence[Case], now: datetime, logs: Mapping[UUID, Log] | None = None) -> None:
    """Keep what is to come of locked cases, in a few statements for all of them."""
    ids = [case.id for case in batch]
    if logs is None:
        has_objectives = any(_targets(case) for case in batch)
        logs = cases.logs_of(ids) if has_objectives else cases.facts_of_many(ids, queries.CLOCK_TYPES)
    _keep(batch, {case.id: _standings(case, logs[case.id], now, is_replayed=True) for case in batch}, now)


def watch_open_cases(now: datetime) -> int:
    """Watch every open case as its log says, and return how many there are; those that are watched stay as they are."""
    seen, after = 0, None
    while batch := cases.open_ids(after, BATCH):
        with journey():
            locked = case_operations.lock_open_cases(batch)
            watch_many(locked, now)
        seen, after = seen + len(locked), batch[-1]
    return seen


# ---- how the clocks of a case stand ----


def _standings(case: Case, log: Log, now: datetime, *, is_replayed: bool = False) -> list[Standing]:
    policy = queries.policy_of(case.terms, case.case_class)
    reading = queries.read_clock_under(case.calendar_version_id, policy, log, now)
    is_open = case.closed_at is None
    called = [] if is_replayed else [event for event in log if event.type == "phone_confirmed"]
    is_called = is_open and len(called) == 1 and called[0] is log[-1]
    found = [_response(reading, policy, case.severity, is_open=is_open, called_at=now if is_called else None)]
    if targets := _targets(case):
        calendar = queries.compiled_calendar(case.calendar_version_id)
        try:
            readings = read_objectives(calendar, queries.objectives_of(targets), log, now)
        except ValueError:  # An internal objective never keeps anybody from writing to a case (P14).
            _log.exception("the objectives of case %s cannot be read; they are not watched", case.number)
            return found
        found += [_objective(clock.value, said, is_open=is_open) for clock, said in readings.items()]
    return found


def _targets(case: Case) -> Any:
    of_class = case.terms.get("objectives") or {}
    return of_class.get("standard" if case.case_class == "undecided" else case.case_class)


def _response(
    reading: Reading, policy: Mapping[str, Any], severity: int, *, is_open: bool, called_at: datetime | None
) -> Standing:
    is_live = is_open and reading.answered_at is None
    passed = Mark("breach", reading.breached_at) if reading.breached_at else None
    marks: Iterable[tuple[str, datetime]] = ()
    if is_live and reading.state == "running":
        target = queries.promise_of(policy, severity).target
        if target is None:  # Lowered to a severity without one: the end in force stays.
            marks = [("breach", reading.due_at)] if reading.due_at else []
        else:
            marks = marks_of(reading.steps, target, PERCENTS, reading.due_at)
    due_at = reading.breached_at or reading.due_at
    return Standing(Clock.RESPONSE, due_at, _marks(marks), passed, is_live, called_at)


def _objective(clock: str, said: ObjectiveReading, *, is_open: bool) -> Standing:
    is_live = is_open and said.ended_at is None and said.state in {"running", "breached"}
    end = "unassigned" if clock == Clock.ASSIGNMENT else "breach"
    passed = Mark(end, said.breached_at) if said.state == "breached" and said.breached_at else None
    marks: Iterable[tuple[str, datetime]] = ()
    if is_live and said.state == "running" and said.due_at and said.target:
        marks = marks_of(said.steps, said.target, PERCENTS, said.due_at)
        if clock == Clock.ASSIGNMENT:
            marks = [(end, said.due_at)]
    return Standing(clock, said.breached_at or said.due_at, _marks(marks), passed, is_live)


def _marks(marks: Iterable[tuple[str, datetime]]) -> tuple[Mark, ...]:
    return tuple(Mark(name, at) for name, at in marks)


# ---- keeping it ----


def _keep(batch: Sequence[Case], standings: Mapping[UUID, Sequence[Standing]], now: datetime) -> None:
    rows = queries.watches_of([case.id for case in batch])
    kept = {
        (case_id, clock): Watch(row.version, row.due_at, parse_marks(row.marks))
        for case_id, watched in rows.items()
        for clock, row in watched.items()
    }
    asked = [
        case_id
        for case_id, all_of in standings.items()
        if any(needs_history(kept.get((case_id, s.clock)), s) for s in all_of)
    ]
    fired: Mapping[UUID, list[Fired]] = queries.fired_of(asked) if asked else {}
    new: list[Any] = []
    changed: list[Any] = []
    for case in batch:
        for standing in standings[case.id]:
            before = kept.get((case.id, standing.clock))
            after = next_watch(before, standing, now, fired.get(case.id, ()))
            if before is None and not after.marks:
                continue
            row = rows[case.id].get(standing.clock) or operations.new_watch(case, standing.clock)
            is_same_key = (row.severity, row.tier) == (case.severity, case.tier)
            if before == after and is_same_key:
                continue
            row.severity, row.tier, row.version, row.due_at = case.severity, case.tier, after.version, after.due_at
            if before is None or before.marks != after.marks:
                operations.set_marks(row, after.marks)
            (new if before is None else changed).append(row)
    if new or changed:
        operations.save_watches(new, changed)


def _stop(case: Case, live: set[str], event: EventFact, now: datetime) -> None:
    """Stop the steps to come of clocks that are settled, and of versions that hold no more."""
    waiting = queries.steps_to_come([case.id])
    if not waiting:
        return
    versions = {clock: row.version for clock, row in queries.watches_of([case.id])[case.id].items()}
    stopped = []
    for step in waiting:
        firing = step.firing
        is_of_old = firing.mark != "called" and firing.version != versions.get(firing.clock, firing.version)
        if firing.clock not in live or is_of_old:
            step.stopped_at = now
            step.stopped_why = "moved" if firing.clock in live else event.type
            stopped.append(step)
    operations.save_steps(stopped)
