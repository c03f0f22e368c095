"""Whom a page by phone calls next, and when.

Rules:
- The people of the page are called in their order, then whoever has a duty; each of them once in that order, and one
  after the other: of a page never two phones ring at once.
- Who does not answer, is busy or says nothing is called again after `RETRY`, `TRIES` times in all, before the next is.
- Who declines, cannot be reached at all or has no phone makes room for the next at once.
- When everybody had their turn the next round begins after `PAUSE`; after `ROUNDS` of them nobody could be reached.
- An acknowledgement ends it. A phone that still rings when the page is over stops ringing: `withdrawn`.
- Who goes off duty is called no more; who comes on duty meanwhile has a turn in the round that goes on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

ACKNOWLEDGED: Final = "acknowledged"
AGAIN: Final = ("no_answer", "busy", "silent")
AT_ONCE_THE_NEXT: Final = ("declined", "failed", "no_phone")
WITHDRAWN: Final = "withdrawn"
OUTCOMES: Final = (ACKNOWLEDGED, *AGAIN, *AT_ONCE_THE_NEXT, WITHDRAWN)
RETRY: Final = timedelta(seconds=60)
PAUSE: Final = timedelta(minutes=5)
TRIES: Final = 2
ROUNDS: Final = 3


@dataclass(frozen=True)
class Attempt:
    """A call that is over."""

    person: str
    outcome: str
    ended_at: datetime
    round: int = 1


@dataclass(frozen=True)
class Next:
    """Whom to call, not before an instant."""

    person: str
    at: datetime
    round: int = 1


@dataclass(frozen=True)
class Over:
    """There is nothing left to do."""

    outcome: Literal["acknowledged", "nobody"]


def in_order(*groups: Iterable[str]) -> tuple[str, ...]:
    """Everybody of these groups, each once, at their first place."""
    return tuple(dict.fromkeys(person for group in groups for person in group))


def next_call(order: Sequence[str], tried: Sequence[Attempt], since: datetime) -> Next | Over:
    """Whom to call after these attempts; `since` is when the page began."""
    if any(attempt.outcome == ACKNOWLEDGED for attempt in tried):
        return Over("acknowledged")
    if not order:
        return Over("nobody")
    if not tried:
        return Next(order[0], since)
    number = max(attempt.round for attempt in tried)
    ended_at = max(attempt.ended_at for attempt in tried)
    outcomes: dict[str, list[str]] = {}
    for attempt in tried:
        if attempt.round == number:
            outcomes.setdefault(attempt.person, []).append(attempt.outcome)
    last = tried[-1].person
    if last in order and _is_tried_again(outcomes.get(last, [])):
        return Next(last, ended_at + RETRY, number)
    for person in order:
        if person not in outcomes:
            return Next(person, ended_at, number)
    return Next(order[0], ended_at + PAUSE, number + 1) if number < ROUNDS else Over("nobody")


def _is_tried_again(outcomes: Sequence[str]) -> bool:
    return 0 < len(outcomes) < TRIES and outcomes[-1] in AGAIN
