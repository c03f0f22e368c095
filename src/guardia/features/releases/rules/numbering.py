"""Release numbers are one global line 1, 2, 3…; the label `20261122.3` (date, count of the day) is for people."""

from collections.abc import Iterable
from datetime import date


def next_label(labels: Iterable[str], today: date) -> str:
    """Return the label after `labels` on `today`; never below one that exists, even where the clock went back."""
    day = f"{today:%Y%m%d}"
    taken = [tuple(map(int, label.split("."))) for label in labels]
    newest_day, newest_count = max(taken, default=(0, 0))
    if newest_day >= int(day):
        return f"{newest_day}.{newest_count + 1}"
    return f"{day}.1"


def is_due(last_batch_s: float | None, interval_s: int) -> bool:
    """Whether the next standard batch is due, `last_batch_s` seconds after the last one (None: there was none)."""
    return last_batch_s is None or last_batch_s >= interval_s


def is_older(reported: str, label: str) -> bool:
    """Whether the version that a customer names is older than the release `label`; unknown forms count as older."""
    try:
        return tuple(map(int, reported.strip().split("."))) < tuple(map(int, label.split(".")))
    except ValueError:
        return True
