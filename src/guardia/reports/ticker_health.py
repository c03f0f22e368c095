"""Whether the ticker keeps up: when it last ticked, how far behind it is, which rows it cannot judge."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from guardia.features.sla import queries

SILENT_AFTER = timedelta(seconds=30)
LATE_AFTER = timedelta(seconds=10)


def ticker_health(now: datetime) -> Mapping[str, Any]:
    """Return what `/healthz` says of the ticker; `ok` is whether somebody ticks and nothing is late."""
    beats = queries.beats()
    since = queries.overdue_since()
    lag = max(timedelta(0), now - since) if since is not None else timedelta(0)
    last = beats[0].ticked_at if beats else None
    return {
        "ok": last is not None and now - last <= SILENT_AFTER and lag <= LATE_AFTER,
        "last_tick": last.isoformat() if last else None,
        "tickers": sum(now - beat.ticked_at <= SILENT_AFTER for beat in beats),
        "lag_s": round(lag.total_seconds(), 1),
        "poisoned": len(queries.poisoned()),
    }
