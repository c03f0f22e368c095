"""Release numbers are one global line 1, 2, 3…; the label `20261122.3` (date, count of the day) is for people."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta


def next_label(labels: Iterable[str], today: date) -> str:
    """Return the label after `labels` on `today`; never below one that exists, even where the clock went back."""
    day = f"{today:%Y%m%d}"
    taken = [tuple(map(int, label.split("."))) for label in labels]
    newest_day, newest_count = max(taken, default=(0, 0))
    if newest_day >= int(day):
        return f"{newest_day}.{newest_count + 1}"
    return f"{day}.1"


def next_batch_at(waiting_since: datetime | None, interval: timedelta) -> datetime | None:
    """Return when the next standard batch leaves: one interval after the first release that waits for it was shown on
    the accelerated lane; None where nothing waits. So no release reaches the standard lane sooner than that.
    """
    return waiting_since + interval if waiting_since else None


def is_older(reported: str, label: str) -> bool:
    """Whether the version that a customer names is older than the release `label`; unknown forms count as older."""
    try:
        return tuple(map(int, reported.strip().split("."))) < tuple(map(int, label.split(".")))
    except ValueError:
        return True
