"""Move open cases to a newer version of their calendar: an explicit act with a reason, never a silent recomputation.

What moves: cases that were submitted before the act, are open, unanswered and not breached, and stand on an older
version of the same name. Finished clocks (answered, breached, closed) never change (RC-12).

How it runs, in numbered steps:

1. `start_move` writes the act down and wakes the job. One move to a calendar at a time.
2. The cases to move are listed once, in the order of their ids.
3. Runners (the job, its helper, a command) claim the next cases behind the move's cursor and move them in one
   transaction: locked where nobody works on them just now (SKIP LOCKED), judged under the new version, saved together
   with one event each. That each moves once follows from its lock and the condition: a moved case stands on no older
   version any more.
4. What is left then (somebody was working on it, or a killed runner had claimed it) is moved in batches again, and the
   rest one by one, waiting for each a little.
5. With nothing left to move, the move is finished. A case that cannot be judged under the new version stays where it
   is, and is logged.
"""

import logging
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import OperationalError
from django.utils.translation import gettext as _
from psycopg.errors import LockNotAvailable

from guardia.features.cases import operations as cases
from guardia.features.cases import queries as case_queries
from guardia.features.sla import operations, queries
from guardia.features.sla.rules.clock import Reading
from guardia.journeys.move_case import checked_reason
from guardia.journeys.once import once
from guardia.journeys.watch_clocks import Log, watch_many
from guardia.journeys.write_calendar import demand_duty_manager
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import NotFound, Refused
from guardia.kernel.jobs import wake
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor

_log = logging.getLogger("guardia.calendars")
BATCH = 1000
MUCH = 5 * BATCH
MOST_EXAMPLES = 5
MOST_LISTED = 50
WAIT_FOR_A_CASE = "2s"


@dataclass(frozen=True)
class Shift:
    """What the move does to one case."""

    number: str
    company: str
    severity: int
    due_before: datetime | None
    due_after: datetime | None


@dataclass(frozen=True)
class MovePreview:
    """What a move would do now: how many cases move, whose end comes earlier or later, which would be breached."""

    total: int
    earlier: int
    later: int
    unchanged: int
    breached: int
    breaching: tuple[Shift, ...]
    examples: tuple[Shift, ...]


def get_version(name: str, version: int) -> Any:
    """Return a calendar version. Raises NotFound."""
    found = queries.find_calendar_version(name, version)
    if found is None:
        raise NotFound("calendar_unknown", _("There is no such version of this calendar."))
    return found


def preview_move(actor: Actor, now: datetime, name: str, version: int) -> MovePreview:
    """Judge every case that would move, and change none. Raises Forbidden, NotFound."""
    demand_duty_manager(actor)
    to = get_version(name, version)
    rows = case_queries.movable_cases(queries.older_versions(to), now, now).select_related("company")
    shifts: list[tuple[Shift, bool]] = []
    for chunk in _chunks(list(rows.values_list("id", flat=True))):
        facts = case_queries.facts_of_many(chunk, queries.CLOCK_TYPES)
        for case, reading in _judged(list(rows.filter(id__in=chunk).defer("words")), to.id, now, facts):
            shift = Shift(case.number, case.company.name, case.severity, case.due_at, reading.due_at)
            shifts.append((shift, reading.state == "breached"))
    return _summed(shifts)


def _summed(shifts: Sequence[tuple[Shift, bool]]) -> MovePreview:
    moving = [shift for shift, _breached in shifts if shift.due_before and shift.due_after]
    earlier = [shift for shift in moving if _by(shift) < 0]
    later = [shift for shift in moving if _by(shift) > 0]
    breaching = [shift for shift, breached in shifts if breached]
    largest = sorted([*earlier, *later], key=lambda shift: -abs(_by(shift)))
    return MovePreview(
        total=len(shifts),
        earlier=len(earlier),
        later=len(later),
        unchanged=len(shifts) - len(earlier) - len(later),
        breached=len(breaching),
        breaching=tuple(breaching[:MOST_LISTED]),
        examples=tuple(largest[:MOST_EXAMPLES]),
    )


def _by(shift: Shift) -> float:
    return (shift.due_after - shift.due_before).total_seconds() if shift.due_after and shift.due_before else 0.0


def start_move(
    actor: Actor,
    now: datetime,
    name: str,
    version: int,
    reason: str,
    foreseen: int = 0,
    *,
    idempotency_key: str | None = None,
) -> UUID:
    """Write the move down, wake the job that carries it out, and return its id.

    `foreseen` is how many cases the preview that was agreed to called breached; it is kept beside what comes of it.

    Raises Forbidden, NotFound, Invalid (reason), Refused where nothing would move or another move is under way.
    """
    demand_duty_manager(actor)
    reason = checked_reason(reason)
    to = get_version(name, version)
    with journey():

        def start() -> dict[str, str]:
            operations.lock_calendar_name(name)
            if any(move.finished_at is None for move in queries.calendar_moves(name)):
                raise Refused(
                    "calendar_move_runs", _("A move of this calendar's cases is under way. Wait for its end.")
                )
            total = case_queries.movable_cases(queries.older_versions(to), now, now).count()
            if not total:
                raise Refused("calendar_move_empty", _("No open case stands on an older version of this calendar."))
            move = operations.add_calendar_move(to, reason, actor, now, total=total, would_breach=foreseen)
            detail = {"reason": reason, "total": total, "would_breach": foreseen}
            record(actor, now, "calendar_move", f"calendar {name} {version}", detail=detail)
            wake("move_calendars")
            return {"id": str(move.id)}

        request = {"name": name, "version": version, "reason": reason}
        answer = once(actor, now, idempotency_key, "move_calendar", request, start)
    return UUID(answer["id"])


def start_or_take_up(actor: Actor, now: datetime, name: str, version: int, reason: str, foreseen: int = 0) -> UUID:
    """Return the move to this version that is under way, else start one. Raises as `start_move`."""
    demand_duty_manager(actor)
    for move in queries.calendar_moves(name):
        if move.finished_at is None and move.to_version.version == version:
            return UUID(str(move.id))
    return start_move(actor, now, name, version, reason, foreseen)


def carry_on(move_id: UUID, now_of: Callable[[], datetime]) -> Iterator[tuple[int, int]]:
    """Carry a move on from where it stands; yield (moved, total) after each batch. `now_of` tells each batch's instant.

    It ends without finishing the move only where a case stays locked by somebody: the next call goes on.
    """
    move = queries.find_calendar_move(move_id)
    if move is None or move.finished_at is not None:
        return
    waiting = list(_movable(move, now_of()).values_list("id", flat=True))  # 2
    while chunk := _claim(move_id, waiting):  # 3
        yield _moved(move_id, chunk, now_of())
    yield from _leftovers(move_id, now_of)  # 4, 5


def carry_on_all(now_of: Callable[[], datetime]) -> int:
    """Carry on every move that is not finished; return how many batches that took."""
    return sum(1 for move_id in queries.unfinished_calendar_moves() for _counts in carry_on(move_id, now_of))


def has_much_to_move() -> bool:
    """Whether enough is left that a second process pays."""
    moves = filter(None, map(queries.find_calendar_move, queries.unfinished_calendar_moves()))
    return sum(move.total - move.moved for move in moves) > MUCH


def wake_unfinished() -> None:
    """Wake the job where a move is not finished: a lost worker's, or one that waits for a locked case."""
    if queries.unfinished_calendar_moves():
        with journey():
            wake("move_calendars")


def _get_move(move_id: UUID) -> Any:
    move = queries.find_calendar_move(move_id)
    if move is None:
        raise NotFound("calendar_move_unknown", _("There is no such move."))
    return move


def _movable(move: Any, now: datetime) -> Any:
    return case_queries.movable_cases(queries.older_versions(move.to_version), move.created_at, now)


def _claim(move_id: UUID, waiting: Sequence[UUID]) -> Sequence[UUID]:
    """Return the next cases, for this runner alone; nothing where none is left or the move is finished."""
    with journey():
        move = operations.lock_calendar_move(move_id)
        behind = bisect_right(waiting, move.cursor) if move.cursor else 0
        chunk = waiting[behind : behind + BATCH]
        if move.finished_at is not None or not chunk:
            return ()
        move.cursor = chunk[-1]
        operations.save_calendar_move(move)
        return chunk


def _moved(move_id: UUID, chunk: Sequence[UUID], now: datetime, *, waits: bool = False) -> tuple[int, int]:
    """Move those of the chunk that nobody works on (or, one by one, wait for them); return (moved, total) of all."""
    with journey():
        if waits:
            cases.wait_for_locks_at_most(WAIT_FOR_A_CASE)
        move = _get_move(move_id)
        rows = _movable(move, now).filter(id__in=chunk).defer("words")
        moved, breached = _move_rows(move, list(rows.select_for_update(of=("self",), skip_locked=not waits)), now)
        return operations.count_moved(move_id, moved, breached), move.total


def _leftovers(move_id: UUID, now_of: Callable[[], datetime]) -> Iterator[tuple[int, int]]:
    """Cases that somebody had locked, or that a lost runner had claimed; then the end."""
    move = _get_move(move_id)
    stays: set[UUID] = set()
    while waiting := [i for i in _movable(move, now_of()).values_list("id", flat=True) if i not in stays]:
        for chunk in _chunks(waiting):
            yield _moved(move_id, chunk, now_of())
        first = next((i for i in _movable(move, now_of()).values_list("id", flat=True) if i not in stays), None)
        if first is None:
            break
        try:  # its holder, another runner perhaps, has a whole chunk: when it is free, look at all of them again
            yield _moved(move_id, [first], now_of(), waits=True)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            _log.info("case %s is being worked on; it moves later", first)
        stays.add(first)
    with journey():
        left = list(_movable(move, now_of()).defer("words"))
        logs = case_queries.facts_of_many([case.id for case in left], queries.CLOCK_TYPES)
        if not list(_judged(left, move.to_version_id, now_of(), logs)):
            operations.finish_calendar_move(move_id, now_of())


def _move_rows(move: Any, rows: Sequence[Any], now: datetime) -> tuple[int, int]:
    """Move locked cases; return how many could be judged under the new version, and how many it finds breached."""
    to = move.to_version
    before = {version.id: version.version for version in queries.calendar_versions().filter(name=to.name)}
    moved = []
    logs = case_queries.logs_of([case.id for case in rows])
    for case, reading in _judged(rows, to.id, now, logs):
        payload = {
            "from": str(case.calendar_version_id),
            "to": str(to.id),
            "name": to.name,
            "before": before[case.calendar_version_id],
            "version": to.version,
            "due_before": case.due_at.isoformat() if case.due_at else None,
            "due_at": reading.due_at.isoformat() if reading.due_at else None,
            "reason": move.reason,
        }
        columns = cases.ClockColumns(reading.state, reading.due_at, reading.breached_at, reading.answered_at)
        moved.append(cases.MovedCase(case, columns, payload))
    cases.move_calendars(moved, to.id, move.actor, now)
    watch_many([one.case for one in moved], now, logs)
    return len(moved), sum(one.clock.state == "breached" for one in moved)


def _judged(
    rows: Sequence[Any], version_id: UUID, now: datetime, logs: Mapping[UUID, Log]
) -> Iterator[tuple[Any, Reading]]:
    """Yield each case with its clock under another version, as of now or its last event."""
    for case in rows:
        log = logs[case.id]
        policy = queries.policy_of(case.terms, case.case_class)
        as_of = max(now, *(event.occurred_at for event in log))
        try:
            yield case, queries.read_clock_under(version_id, policy, log, as_of)
        except ValueError:  # malformed, or beyond all years: one such case must not stop the others
            _log.exception("case %s cannot be judged under calendar version %s and stays", case.number, version_id)


def _chunks(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]
