"""The order of the queue, and the starvation guard.

The contract's order: support tier (premium before standard), severity, due time (none last), plan rank, arrival; all
from stored keys, ascending, so that an index holds it and a page can start anywhere.

The guard (off by default) lets a standard case that is older than N working days pass premium cases without a running
target, never one with a running target. So the queue has four segments, each in the contract's order:

1. premium cases up to and including the last one with a running target;
2. standard cases that are older than N working days;
3. the other premium cases: nothing is promised for them, nor for anything behind them;
4. the other standard cases.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

PREMIUM_TIER: Final = 1
SEGMENTS: Final = (1, 2, 3, 4)
QUEUE_KEYS: Final = {
    "tier": int,
    "severity": int,
    "queue_due_at": datetime,
    "queue_rank": int,
    "submitted_at": datetime,
    "id": UUID,
}
"""The columns of the order, with their types."""

QueueKey = tuple[int, int, datetime, int, datetime, UUID]


@dataclass(frozen=True)
class Guard:
    """The starvation guard at one instant: who is starved, and behind whom nobody may be set back."""

    starved_before: datetime
    last_promise: QueueKey | None

    def segment_of(self, key: QueueKey) -> int:
        """Return the segment that a case with this key stands in."""
        tier, *_others, submitted_at, _id = key
        if tier == PREMIUM_TIER:
            return 1 if self.last_promise is not None and key <= self.last_promise else 3
        return 2 if submitted_at < self.starved_before else 4
