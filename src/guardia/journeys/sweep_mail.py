"""Sweep the mail spool: what killed processes left half-written, and raw messages whose time of keeping is over."""

from datetime import datetime, timedelta
from typing import Final

from guardia.kernel.outside import outside

UNFINISHED_FOR: Final = timedelta(hours=1)


def sweep_mail(now: datetime, kept_days: int) -> tuple[int, int]:
    """Remove unfinished files, and messages dealt with more than `kept_days` ago; return how many of each."""
    spool = outside().mail_spool
    return spool.sweep(now - UNFINISHED_FOR), spool.forget(now - timedelta(days=kept_days))
