"""What the media thread counts: packets, what was dropped and why, turns that failed, and how late ticks were."""

from collections import Counter
from typing import Any

TICK_S = 0.02
_SLOTS = 200
"""Milliseconds that are told apart; later ticks count in the last slot."""


class Figures:
    """Counts since the engine began."""

    def __init__(self) -> None:
        self.packets_in = 0
        self.packets_out = 0
        self.failed_turns = 0
        self.dropped: Counter[str] = Counter()
        self._late_ms = [0] * _SLOTS
        self._worst_s = 0.0

    def ticked(self, late_s: float) -> None:
        """Count a tick that came so late."""
        self._worst_s = max(self._worst_s, late_s)
        self._late_ms[min(int(late_s * 1000), _SLOTS - 1)] += 1

    def table(self) -> dict[str, Any]:
        """Everything, as JSON values. A tick is late that came when the next one was due."""
        ticks, so_far, p99 = sum(self._late_ms), 0, 0
        for p99, count in enumerate(self._late_ms):  # noqa: B007  where it stops is the answer
            so_far += count
            if so_far >= 0.99 * ticks:
                break
        worst_ms = round(self._worst_s * 1000, 1)
        return {
            "packets_in": self.packets_in,
            "packets_out": self.packets_out,
            "dropped": dict(self.dropped),
            "failed_turns": self.failed_turns,
            "ticks": ticks,
            "late_ticks": sum(self._late_ms[int(TICK_S * 1000) :]),
            "p99_late_ms": min(p99 + 1.0, worst_ms),
            "worst_late_ms": worst_ms,
        }
