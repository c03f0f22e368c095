"""A journal that no disk takes: the call is answered all the same, and what can be done by voice alone is done.

Nothing can be recorded or kept for later in such a call; each attempt says so to whoever made it, as a full disk does.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID


class UnwrittenJournal:
    """A `CallJournal` all of whose acts fail with what the disk said at the beginning of the call."""

    def __init__(self, call_id: UUID, why: OSError) -> None:
        self.id, self._why = call_id, why

    def note(self, what: str, at: datetime, data: Mapping[str, Any] | None = None) -> None:
        """Fail."""
        self._fail(what, at, data)

    def begin_sound(self, kind: str, at: datetime) -> int:
        """Fail."""
        self._fail(kind, at)

    def sound(self, number: int, audio: bytes, voiced_s: float, at: datetime) -> None:
        """Fail."""
        self._fail(number, audio, voiced_s, at)

    def finish(self, at: datetime) -> None:
        """Fail."""
        self._fail(at)

    def _fail(self, *_: object) -> NoReturn:
        raise OSError(self._why.errno, self._why.strerror or str(self._why))
