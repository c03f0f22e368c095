"""The one clock.

Every instant is aware and in UTC. Nothing outside this module asks what time it is: journeys and operations take
`now` as an argument, and doors pass `clock.now()`. Tests put a frozen reading in place with `frozen_at`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

import tzdata

_frozen: ContextVar[datetime | None] = ContextVar("frozen instant", default=None)

TZDATA_EDITION: str = tzdata.IANA_VERSION
"""The edition of the pinned time zone data, such as `2026b`; stored with every calendar version."""


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return _frozen.get() or datetime.now(UTC)  # noqa: TID251  this is the one place


@contextmanager
def frozen_at(moment: datetime) -> Iterator[None]:
    """Let `now()` answer `moment` inside the block; a naive instant is refused."""
    if moment.tzinfo is None:
        raise ValueError(f"an aware instant is needed, got the naive {moment.isoformat()}")
    token = _frozen.set(moment)
    try:
        yield
    finally:
        _frozen.reset(token)
