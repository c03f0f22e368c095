"""What the line does besides its calls, in a thread of its own: it shows living calls, beats, hands in what is over.

While the database is away nothing of it is done, and nothing is lost: pictures are drawn anew later, journals wait.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock
from time import monotonic
from typing import Any, Final, Protocol
from uuid import UUID

from guardia.doors.voice.desk import DeskUnreachable
from guardia.journeys.draw_call import CallPicture

_log = logging.getLogger("guardia.line")
LOOK_S: Final = 0.25
BEAT_S: Final = 5.0
HAND_IN_S: Final = 1.0
DRAW_AGAIN_S: Final = 20.0
AWAY_S: Final = 2.0


class Kept(Protocol):
    """Our records, as far as they are kept here (`records.Records`)."""

    def draw(self, picture: CallPicture) -> None: ...
    def beat(self, name: str, started_at: datetime, calls: int, trunk: str, facts: Mapping[str, Any]) -> None: ...
    def hand_in(self) -> int: ...


@dataclass
class Keeper:
    """One thread's work. `told` gives the number of legs, the trunk's state and the figures of a beat."""

    records: Kept
    name: str
    started_at: datetime
    told: Callable[[], tuple[int, str, Mapping[str, Any]]]
    _new: dict[UUID, CallPicture] = field(default_factory=dict)
    _living: dict[UUID, CallPicture] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _is_away: bool = False

    def draw(self, picture: CallPicture) -> None:
        """Show a call soon; only its last picture counts. From any thread."""
        with self._lock:
            self._new[picture.id] = picture

    def run(self, stop: Event) -> None:
        """Keep until told to stop, and once more then."""
        due = {"beat": 0.0, "hand_in": 0.0, "living": monotonic() + DRAW_AGAIN_S}
        while not stop.is_set():
            self._turn(due)
            stop.wait(AWAY_S if self._is_away else LOOK_S)
        self._turn(dict.fromkeys(due, 0.0))

    def _turn(self, due: dict[str, float]) -> None:
        try:
            self._draw_all(again=self._is_due(due, "living", DRAW_AGAIN_S))
            if self._is_due(due, "beat", BEAT_S):
                self.records.beat(self.name, self.started_at, *self.told())
            if self._is_due(due, "hand_in", HAND_IN_S):
                self.records.hand_in()
            self._is_away = False
        except DeskUnreachable as error:
            if not self._is_away:
                _log.warning("our records are away: %s", error)
            self._is_away = True
        except Exception:  # noqa: BLE001  whatever it is, the next turn comes
            _log.exception("what the line keeps could not be kept")
            self._is_away = True

    @staticmethod
    def _is_due(due: dict[str, float], name: str, every_s: float) -> bool:
        if monotonic() < due[name]:
            return False
        due[name] = monotonic() + every_s
        return True

    def _draw_all(self, *, again: bool) -> None:
        with self._lock:
            new, self._new = self._new, {}
        pictures = {**(self._living if again else {}), **new}
        self._living |= new
        while pictures:
            call_id, picture = pictures.popitem()
            try:
                self.records.draw(picture)
            except DeskUnreachable:
                with self._lock:
                    self._new = {call_id: picture, **pictures, **self._new}
                raise
            if picture.ended_at is not None:
                self._living.pop(call_id, None)
