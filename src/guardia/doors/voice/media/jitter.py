"""A small jitter buffer: packets in as they come, 20 ms out at every tick. Nothing here does I/O or knows a clock.

Rules:
- Sound has its place on the sender's time line, whatever its packets' size. What is missing is silence.
- The first packet waits 40 ms. A packet too late for its place makes all that follows wait longer, up to 200 ms; what
  is later than that is dropped, and so is what came already. But where the newest packet is that late, the sender's
  time line has moved, and is followed.
- Where the wait stays longer than it needs to (after a stall, or with a fast sender) it is shortened by 20 ms a second:
  by a silent piece, or by any where more than 100 ms could go. A slow sender makes gaps, which are silence.
- A new source, or a sequence or time line that jumps, is followed from its second packet on, so that one stray packet
  changes nothing; what was there is played out first. Where only the time jumps and the sequence goes on, at once.
"""

from guardia.doors.voice.media.rtp import Packet
from guardia.kernel.sound import FRAME, QUIET, SILENT_FRAME

_SILENT = SILENT_FRAME[:1]
WAIT = 2 * FRAME
LONGEST_WAIT = 10 * FRAME
_SEEN = 64
"""How many sequence numbers back duplicates are known."""
_FAR = 3000
"""More sequence numbers ahead than any loss explains (RFC 3550, appendix A.1)."""
_CHECKED_EVERY, _TOO_DEEP = 50, 5 * FRAME


class JitterBuffer:
    """The sound of one stream on its way to the ear."""

    def __init__(self) -> None:
        self._waiting = bytearray()  # what comes next, without gaps
        self._next = 0  # its first sample's timestamp
        self._source: int | None = None
        self._highest = self._seen = 0  # the newest sequence number, and by bits which of those before it came
        self._stray: tuple[Packet, bytes] | None = None
        self._spare, self._ticks = LONGEST_WAIT, 0

    def put(self, packet: Packet, sound: bytes) -> str:
        """Take a packet and its sound (empty for comfort noise). Return why it is dropped, or nothing."""
        if self._source is None:
            self._follow(packet)
            is_newest = True
        elif packet.source != self._source:
            return self._doubt(packet, sound)
        else:
            ahead = (packet.sequence - self._highest) & 0xFFFF
            back = 0x10000 - ahead
            if ahead == 0 or (back < _SEEN and self._seen >> back & 1):
                return "duplicate"
            if _FAR < ahead <= 0x10000 - _SEEN:
                return self._doubt(packet, sound)
            is_newest = self._note(ahead, back)
        self._stray = None
        return self._place(packet.timestamp, sound, is_newest=is_newest)

    def _follow(self, packet: Packet) -> None:
        """Begin a time line after what still waits."""
        self._source, self._highest, self._seen = packet.source, packet.sequence, 1
        self._jump(packet.timestamp)

    def _jump(self, timestamp: int) -> None:
        self._waiting.extend(_SILENT * (WAIT - len(self._waiting)))
        self._next = (timestamp - len(self._waiting)) & 0xFFFFFFFF

    def _doubt(self, packet: Packet, sound: bytes) -> str:
        """Follow another stream where this is its second packet."""
        stray, self._stray = self._stray, (packet, sound)
        if stray is None or stray[0].source != packet.source or (stray[0].sequence + 1) & 0xFFFF != packet.sequence:
            return "stray"
        self._follow(stray[0])
        self._place(stray[0].timestamp, stray[1], is_newest=True)
        return self.put(packet, sound)

    def _note(self, ahead: int, back: int) -> bool:
        """Write down that it came; whether it is the newest."""
        if ahead > _FAR:
            self._seen |= 1 << back
            return False
        self._highest = (self._highest + ahead) & 0xFFFF
        self._seen = (self._seen << ahead | 1) & ((1 << _SEEN) - 1) if ahead < _SEEN else 1
        return True

    def _place(self, timestamp: int, sound: bytes, *, is_newest: bool) -> str:
        if not sound:
            return ""
        waiting = self._waiting
        place = (timestamp - self._next + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        if place < 0 and len(waiting) - place <= LONGEST_WAIT:  # all that waits will wait longer
            waiting[:0] = _SILENT * -place
            self._next, place = timestamp, 0
        elif place < 0 and not is_newest:
            return "late"
        elif not 0 <= place <= LONGEST_WAIT:
            self._jump(timestamp)
            place = len(waiting)
        waiting.extend(_SILENT * (place - len(waiting)))
        waiting[place : place + len(sound)] = sound
        if len(waiting) > LONGEST_WAIT + FRAME:
            self._skip(len(waiting) - LONGEST_WAIT)
        return ""

    def _skip(self, samples: int) -> None:
        del self._waiting[:samples]
        self._next = (self._next + samples) & 0xFFFFFFFF

    def take(self) -> bytes:
        """Return the next 20 ms; call it once every 20 ms."""
        if self._source is None:
            return SILENT_FRAME
        self._shorten()
        frame = bytes(self._waiting[:FRAME])
        self._skip(FRAME)
        return frame if len(frame) == FRAME else frame + SILENT_FRAME[len(frame) :]

    def _shorten(self) -> None:
        """Once a second look whether everything waited longer than it had to."""
        self._spare = min(self._spare, len(self._waiting) - WAIT - FRAME)
        self._ticks += 1
        if self._ticks < _CHECKED_EVERY:
            return
        if self._spare >= FRAME:
            if self._spare < _TOO_DEEP and self._waiting[:FRAME].strip(QUIET):
                return  # the next quiet piece will do
            self._skip(FRAME)
        self._spare, self._ticks = LONGEST_WAIT, 0
