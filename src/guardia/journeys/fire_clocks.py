"""One tick: what clocks have to say is recorded, and people are told.

1. Eight short looks find the gravest severity, then tier, of which something is due.
2. Up to `BATCH` clocks are claimed: watch and case locked together, locked ones skipped, both looked at again.
3. Of each clock every mark that has passed is recorded, with how late; the highest sets off the policy's steps (P25).
   Those due at once are taken in the same batch, and one event tells of them; the others become rows.
4. Events, firings, steps, notices, messages, and what is still to come are written in a few statements and committed
   together: killed anywhere, a batch happened wholly or not at all, and unique keys forbid it twice.
5. Steps that fall due later (`after`, repeats) are rows, claimed in the same way (P24).
6. A row that cannot be judged waits, longer each time, and stops no other: a batch that fails is halved until the bad
   row stands alone.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import InterfaceError, OperationalError

from guardia.features.cases import operations as cases
from guardia.features.sla import operations, queries
from guardia.features.sla.rules import escalation
from guardia.features.sla.rules.default_escalation import DEFAULT_CODE, DEFAULT_NAME, DEFAULT_STEPS
from guardia.features.sla.rules.watching import Mark, parse_marks
from guardia.journeys.escalate import Telling, coverage_of
from guardia.kernel.outbox.post import wake_delivery
from guardia.kernel.transactions import journey

_log = logging.getLogger("guardia.ticker")
BATCH: Final = 1000
LONGEST_WAIT: Final = timedelta(hours=1)
_DOUBLINGS: Final = 8
Steps = Sequence[escalation.Step]


@dataclass(frozen=True)
class Ticked:
    """What one tick did: clocks heard, steps taken (both also where they failed)."""

    clocks: int = 0
    steps: int = 0

    @property
    def did_something(self) -> bool:
        """Whether there may be more at once."""
        return bool(self.clocks or self.steps)


def ensure_default_policy(now: datetime) -> None:
    """Make the policy that ships, where there is none: a ticker without one would tell nobody."""
    with journey():
        operations.ensure_policy(DEFAULT_CODE, DEFAULT_NAME, DEFAULT_STEPS, now)


def beat(name: str, started_at: datetime, now: datetime, tick_s: float, fired: int) -> None:
    """Say that a ticker is at work, for the health page."""
    with journey():
        operations.beat(name, started_at, now, tick_s, fired)


def tick(now: datetime) -> Ticked:
    """Record one batch of what is due, the gravest first, and take one batch of steps."""
    clocks = 0
    for severity, tier in queries.probe_due(now):
        clocks = _run(lambda: queries.claim_due(severity, tier, now, BATCH), _CLOCKS, now)  # noqa: B023  called at once
        if clocks:
            break
    return Ticked(clocks, _run(lambda: queries.claim_steps(now, BATCH), _STEPS, now))


@dataclass(frozen=True)
class _Kind:
    """How one kind of row is claimed again, recorded (whether anything waits for delivery then), and put off."""

    claim: Callable[[Sequence[UUID], datetime], list[Any]]
    record: Callable[[list[Any], datetime], bool]
    put_off: Callable[[UUID, datetime, str], None]


def _run(claim: Callable[[], list[Any]], kind: _Kind, now: datetime) -> int:
    """Claim and record rows in one transaction; return how many were claimed."""
    ids: list[UUID] = []
    try:
        with journey():
            rows = claim()
            ids = [row.id for row in rows]
            has_posted = bool(rows) and kind.record(rows, now)
        if has_posted:
            wake_delivery()
    except (OperationalError, InterfaceError):
        raise  # The database, not a row.
    except Exception as error:  # noqa: BLE001  whatever a row does, the others go on
        _isolate(ids, kind, now, error)
    return len(ids)


def _isolate(ids: Sequence[UUID], kind: _Kind, now: datetime, error: Exception) -> None:
    if len(ids) == 1:
        with journey():
            kind.put_off(ids[0], now, f"{type(error).__name__}: {error}")
        return
    middle = len(ids) // 2
    for half in (ids[:middle], ids[middle:]):
        _run(lambda: kind.claim(half, now), kind, now)  # noqa: B023  called at once


# ---- clocks ----


def _record_clocks(rows: list[Any], now: datetime) -> bool:
    by_id = {row.case_id: row.case for row in rows}
    policies = _policies()
    telling = Telling(now)
    firings: list[Any] = []
    steps: list[Any] = []
    for row in rows:
        case = by_id[row.case_id]
        try:
            fired, escalated = _judged(row, case, policies, now)
        except Exception as error:  # noqa: BLE001  one bad row stops no other
            _put_off(row, now, f"{type(error).__name__}: {error}", f"clock {row.clock} of case {case.number}")
            continue
        firings += fired
        telling.additions += _breaches(case, fired, now)
        for firing, set_off in escalated:
            due = [step for step in set_off if step.at <= now]
            steps += [step for step in set_off if step.at > now]
            if due:
                telling.take(case, firing, due, firing.late_by)
    operations.add_firings(firings, now)
    operations.add_steps([*steps, *telling.new_steps])
    operations.save_watches([], rows)
    return telling.save() > 0


def _judged(
    row: Any, case: Any, policies: Mapping[str, Steps], now: datetime
) -> tuple[list[Any], list[tuple[Any, list[Any]]]]:
    """Return the firings of a clock, and those that set off steps with them; the row keeps what is still to come."""
    marks = parse_marks(row.marks)
    passed, left = [mark for mark in marks if mark.at < now], [mark for mark in marks if mark.at >= now]
    fired = {mark.name: operations.new_firing(row, mark, now) for mark in passed}
    escalated: list[tuple[Any, list[Any]]] = []
    if case.closed_at is None and (row.clock != "response" or case.answered_at is None):
        at = {mark.name: mark.at for mark in passed}
        escalated = [
            (fired[name], _set_off(case, fired[name], Mark(name, at[name]), policies, now))
            for name in escalation.telling(at)
        ]
    operations.set_marks(row, left)
    return list(fired.values()), escalated


def _set_off(case: Any, firing: Any, mark: Mark, policies: Mapping[str, Steps], now: datetime) -> list[Any]:
    policy = policies.get(case.terms.get("escalation", "")) or policies[DEFAULT_CODE]
    wanted = escalation.set_off(policy, firing.clock, mark.name, case.severity, case.case_class)
    if not wanted:
        return []
    coverage = coverage_of(case, firing.clock)
    return [
        operations.new_step(firing, number, step, escalation.taken_at(coverage, step, mark.at, now))
        for number, step in wanted
    ]


def _breaches(case: Any, fired: Sequence[Any], now: datetime) -> list[cases.Addition]:
    return [
        cases.Addition(
            case,
            "breached",
            {
                "clock": firing.clock,
                "due_at": firing.due_at.isoformat(),
                "late_by_s": round((now - firing.due_at).total_seconds(), 3),
            },
        )
        for firing in fired
        if (firing.clock, firing.mark) == ("response", "breach")
    ]


def _policies() -> dict[str, Steps]:
    found: dict[str, Steps] = {DEFAULT_CODE: escalation.parse_steps(DEFAULT_STEPS)}
    for code, policy in queries.policies().items():
        try:
            found[code] = escalation.parse_steps(policy.steps)
        except ValueError:
            _log.exception("the escalation policy %s cannot be read; the default one is used", code)
    return found


# ---- steps ----


def _record_steps(rows: list[Any], now: datetime) -> bool:
    by_id = {row.case_id: row.case for row in rows}
    telling = Telling(now)
    for row in rows:
        case = by_id[row.case_id]
        try:
            _take_or_wait(row, case, telling, now)
        except Exception as error:  # noqa: BLE001  one bad row stops no other
            _put_off(row, now, f"{type(error).__name__}: {error}", f"a step of case {case.number}")
    operations.save_steps(rows)
    operations.add_steps(telling.new_steps)
    return telling.save() > 0


def _take_or_wait(row: Any, case: Any, telling: Telling, now: datetime) -> None:
    if case.closed_at is not None:
        row.stopped_at, row.stopped_why = now, "closed"
        return
    is_call = row.firing.mark == "called"
    at = now if is_call else escalation.put_off(coverage_of(case, row.firing.clock), row.at, now)
    if at > now:
        row.at = at
    else:
        telling.take(case, row.firing, [row], now - row.at)


# ---- rows that cannot be judged ----


def _put_off(row: Any, now: datetime, error: str, what: str) -> None:
    _log.error("%s cannot be judged and waits: %s", what, error)
    wait = min(LONGEST_WAIT, timedelta(seconds=15) * 2 ** min(row.failures, _DOUBLINGS))
    operations.fail(row, now + wait, error)


def _put_off_clock(watch_id: UUID, now: datetime, error: str) -> None:
    for row in queries.claim_watches([watch_id], now):
        _put_off(row, now, error, f"clock {row.clock} of case {row.case.number}")
        operations.save_watches([], [row])


def _put_off_step(step_id: UUID, now: datetime, error: str) -> None:
    for row in queries.claim_steps(now, 1, [step_id]):
        _put_off(row, now, error, f"a step of case {row.case.number}")
        operations.save_steps([row])


_CLOCKS: Final = _Kind(queries.claim_watches, _record_clocks, _put_off_clock)
_STEPS: Final = _Kind(lambda ids, now: queries.claim_steps(now, len(ids), ids), _record_steps, _put_off_step)
