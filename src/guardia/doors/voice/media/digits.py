"""Keys as telephones send them: RFC 4733 events, read and written. Nothing here does I/O.

Rules:
- A press is one event at one timestamp, and is told at its first packet, however many follow, in whatever order, and
  also where those that say "end" are lost.
- Some senders begin anew for every press, with the same timestamp as before. So an event is a press of its own when
  nothing was heard of it for 0.4 s and it is shorter than it was; and another key at the same timestamp always is.
- 0 to 9, star and hash are keys. A to D and all other events (flash, fax tones) are none.
- Nobody presses 20 keys a second: 32 may come at once (a network that stalled), the rest are dropped.
"""

import struct
from collections import OrderedDict

KEYS = "0123456789*#"
_EVENT = struct.Struct("!BBH")
_END, _VOLUME = 0x80, 10
_TICK = 160
_REMEMBERED = 32
_FORGOTTEN_S = 0.4
_BURST, _A_SECOND = 32.0, 20.0


class KeyReader:
    """Reads the events of one stream."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, int], tuple[float, int]] = OrderedDict()  # (when last heard, how long)
        self._allowed, self._allowed_at = _BURST, 0.0

    def read(self, timestamp: int, payload: bytes, now: float) -> str:
        """Return the key that this packet begins, or nothing. `now` is in seconds and never goes back."""
        if len(payload) < _EVENT.size:
            return ""
        event, _flags, duration = _EVENT.unpack_from(payload)
        if event >= len(KEYS):
            return ""
        press = (timestamp, event)
        known = self._known.get(press)
        is_new = known is None or (now - known[0] > _FORGOTTEN_S and duration < known[1])
        self._known[press] = (now, duration if is_new or known is None else max(duration, known[1]))
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return KEYS[event] if is_new and self._may(now) else ""

    def _may(self, now: float) -> bool:
        self._allowed = min(_BURST, self._allowed + (now - self._allowed_at) * _A_SECOND)
        self._allowed_at = now
        if self._allowed < 1:
            return False
        self._allowed -= 1
        return True


def write_press(key: str, frames: int = 5) -> list[bytes]:
    """Return the payloads of a press, one for each 20 ms, the end three times; all belong to the timestamp of the
    first. Raises ValueError for what is no key.
    """
    event = KEYS.find(key) if len(key) == 1 else -1
    if event < 0:
        raise ValueError(f"there is no key {key!r}")
    lasting = [_EVENT.pack(event, _VOLUME, _TICK * frame) for frame in range(1, frames)]
    return lasting + [_EVENT.pack(event, _END | _VOLUME, _TICK * frames)] * 3
