"""Keys as telephones send them: RFC 4733 events, read and written. Nothing here does I/O.

Rules:
- A press is one event at one timestamp, and is told at its first packet, however many follow, in whatever order, and
  also where those that say "end" are lost.
- Some senders begin anew for every press, with the same timestamp as before. So an event is a press of its own when
  nothing was heard of it for 0.4 s and it is shorter than it was; and another key at the same timestamp always is.
- A key held longer than an event can last (8.19 s) goes on as an event that begins where the last one was over, and
  some senders move the timestamp on with every packet. So an event of the same key goes on with the press before it
  when it begins, give or take 20 ms, where that one was over, or could last no longer, or as much later as it is
  longer; when no more than 0.25 s passed since (a packet every 50 ms, and the 200 ms that sound may be late as well);
  and when that one has not said "end", or this one says it too. Between two presses of a finger there is a gap on the
  sender's time line.
- 0 to 9, star and hash are keys. A to D and all other events (flash, fax tones) are none.
- Nobody presses 20 keys a second: 32 may come at once (a network that stalled), the rest are dropped.
"""

import struct
from collections import OrderedDict
from dataclasses import dataclass

KEYS = "0123456789*#"
_EVENT = struct.Struct("!BBH")
_END, _VOLUME = 0x80, 10
_TICK, _LONGEST = 160, 0xFFFF
_REMEMBERED = 32
_FORGOTTEN_S, _GOES_ON_S = 0.4, 0.25
_BURST, _A_SECOND = 32.0, 20.0


@dataclass
class _Event:
    """What is known of an event: its timestamp, how long it lasts so far, and when a packet of it came last."""

    timestamp: int
    duration: int
    heard_at: float
    is_over: bool

    def hears(self, other: "_Event") -> None:
        """Take another packet of it."""
        self.duration, self.heard_at = max(self.duration, other.duration), other.heard_at
        self.is_over = self.is_over or other.is_over

    def begins_anew(self, other: "_Event") -> bool:
        """Whether a packet at the same timestamp is of another press."""
        return other.heard_at - self.heard_at > _FORGOTTEN_S and other.duration < self.duration

    def goes_on_as(self, other: "_Event") -> bool:
        """Whether a packet at another timestamp is of the same press."""
        if other.heard_at - self.heard_at > _GOES_ON_S or (self.is_over and not other.is_over):
            return False
        later = (other.timestamp - self.timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        expected = (self.duration, _LONGEST, other.duration - self.duration)
        return min(abs(later - place) for place in expected) <= _TICK


class KeyReader:
    """Reads the events of one stream."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, int], _Event] = OrderedDict()
        self._latest: dict[int, _Event] = {}  # of each key
        self._allowed, self._allowed_at = _BURST, 0.0

    def read(self, timestamp: int, payload: bytes, now: float) -> str:
        """Return the key that this packet begins, or nothing. `now` is in seconds and never goes back."""
        if len(payload) < _EVENT.size:
            return ""
        number, flags, duration = _EVENT.unpack_from(payload)
        if number >= len(KEYS):
            return ""
        event = _Event(timestamp, duration, now, flags & _END > 0)
        known = self._known.get((timestamp, number))
        if known is not None and not known.begins_anew(event):
            known.hears(event)
            return ""
        latest = self._latest.get(number)
        is_new = known is not None or latest is None or not latest.goes_on_as(event)
        self._known[timestamp, number] = self._latest[number] = event
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return KEYS[number] if is_new and self._may(now) else ""

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
