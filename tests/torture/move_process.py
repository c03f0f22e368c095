"""What a process of the calendar move's torture test runs: carry a move on, and kill itself at a named point."""

import os
import signal
import sys

import django

django.setup()

from collections.abc import Callable  # noqa: E402  Django first
from datetime import datetime  # noqa: E402
from typing import Any  # noqa: E402
from uuid import UUID  # noqa: E402

from guardia.features.sla import operations  # noqa: E402
from guardia.journeys import move_calendar  # noqa: E402

POINTS = (
    "before the first batch",
    "claimed, not moved",
    "cases moved, clocks not watched",
    "moved, not counted",
    "counted, not committed",
    "between two batches",
    "before the end is written",
)


def die() -> None:
    """End as if the power went."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_call(module: Any, name: str, times: int, *, after: bool = False) -> None:
    """Die at the `times`-th call of `module.name`, before or after its work."""
    work, calls = getattr(module, name), [0]

    def counted(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] == times and not after:
            die()
        answer = work(*args, **kwargs)
        if calls[0] == times:
            die()
        return answer

    setattr(module, name, counted)


def main(move_id: str, now: str, point: str) -> None:
    """Carry the move on in batches of three, and die at the point."""
    move_calendar.BATCH = 3
    traps: dict[str, Callable[[], None]] = {
        "before the first batch": lambda: die_at_call(operations, "lock_calendar_move", 1),
        "claimed, not moved": lambda: die_at_call(move_calendar, "_moved", 2),
        "cases moved, clocks not watched": lambda: die_at_call(move_calendar, "watch_many", 2),
        "moved, not counted": lambda: die_at_call(operations, "count_moved", 2),
        "counted, not committed": lambda: die_at_call(operations, "count_moved", 2, after=True),
        "between two batches": lambda: die_at_call(operations, "lock_calendar_move", 3),
        "before the end is written": lambda: die_at_call(operations, "finish_calendar_move", 1),
    }
    traps[point]()
    list(move_calendar.carry_on(UUID(move_id), lambda: datetime.fromisoformat(now)))


if __name__ == "__main__":
    main(*sys.argv[1:])
