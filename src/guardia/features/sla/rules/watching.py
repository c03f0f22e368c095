"""Which marks of a clock are still to come: what the ticker waits for.

Rules:
- A running clock of an open case has its marks: shares of its target, and its end. Whoever answered, closed or pauses
  has none (P8, P10).
- A new end is a new version: shares that had passed before it began are not told again.
- An end that passed is recorded once for each instant. That of the promised clock even where the answer came before the
  ticker did: a breach is a fact, while an internal objective that is settled concerns nobody any more. Nothing of a
  case that had ended before it was watched is recorded afterwards.
- Within a version, a mark that was fired never comes back; one that was not (the answer was voided) does.
- A confirmed call is a mark of its own instant.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

CALLED: Final = "called"
ENDS: Final = ("breach", "unassigned")
PROMISED: Final = "response"


class Mark(NamedTuple):
    """What happens when."""

    name: str
    at: datetime


class Fired(NamedTuple):
    """A mark that was recorded: of which version, and what the end was then."""

    clock: str
    mark: str
    version: int
    due_at: datetime


@dataclass(frozen=True)
class Watch:
    """What is kept of one clock; `marks` in order, those to come only."""

    version: int = 0
    due_at: datetime | None = None
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Standing:
    """One clock of a case now. `marks` are all marks of a running clock; `passed` is its end if that has passed."""

    clock: str
    due_at: datetime | None
    marks: tuple[Mark, ...] = ()
    passed: Mark | None = None
    is_live: bool = True
    """Whether somebody still has to act: the case is open and the clock not stopped."""
    called_at: datetime | None = None
    """A call that has just been confirmed."""


def needs_history(kept: Watch | None, standing: Standing) -> bool:
    """Whether `next_watch` must be told what was fired: marks are to come back that may have been."""
    if kept is None or kept.due_at != standing.due_at:
        return standing.passed is not None and kept is not None
    pending = any(mark.name != CALLED for mark in kept.marks)
    return standing.is_live and not pending and bool(standing.marks or standing.passed)


def next_watch(kept: Watch | None, standing: Standing, now: datetime, fired: Collection[Fired] = ()) -> Watch:
    """What is to be kept of a clock from now on."""
    version = kept.version if kept else 0
    is_new = kept is None or kept.due_at != standing.due_at
    marks = _ends(kept, standing, fired) if standing.passed else _shares(kept, standing, now, fired, is_new=is_new)
    if standing.is_live:
        marks += [mark for mark in (kept.marks if kept else ()) if mark.name == CALLED]
        if standing.called_at is not None:
            marks.append(Mark(CALLED, standing.called_at))
    ordered = tuple(sorted(set(marks), key=lambda mark: (mark.at, mark.name)))
    return Watch(version + 1 if is_new else version, standing.due_at, ordered)


def _ends(kept: Watch | None, standing: Standing, fired: Collection[Fired]) -> list[Mark]:
    end = standing.passed
    if end is None or any((one.clock, one.mark, one.due_at) == (standing.clock, *end) for one in fired):
        return []
    is_unheard_fact = standing.clock == PROMISED and kept is not None and end in kept.marks
    return [end] if standing.is_live or is_unheard_fact else []


def _shares(
    kept: Watch | None, standing: Standing, now: datetime, fired: Collection[Fired], *, is_new: bool
) -> list[Mark]:
    if not standing.is_live:
        return []
    if is_new or kept is None:
        return [mark for mark in standing.marks if mark.at > now or mark.name in ENDS]
    pending = [mark for mark in kept.marks if mark.name != CALLED]
    if pending:
        return pending
    gone = {one.mark for one in fired if (one.clock, one.version) == (standing.clock, kept.version)}
    return [mark for mark in standing.marks if mark.name not in gone]


def as_json(marks: Iterable[Mark]) -> list[list[str]]:
    """Marks as they are kept."""
    return [[mark.name, mark.at.isoformat()] for mark in marks]


def parse_marks(value: Any) -> tuple[Mark, ...]:
    """Kept marks. Raises ValueError or TypeError for what never was one."""
    return tuple(Mark(str(name), datetime.fromisoformat(at)) for name, at in value)
