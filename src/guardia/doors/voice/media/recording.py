"""What is heard on a channel on its way to whoever keeps it, in pieces of half a second.

The media thread fills it, the signalling thread empties it; a piece is handed over once and in order, whoever asks.
"""

from collections import deque
from collections.abc import Callable

from guardia.kernel.sound import FRAME, VoiceMeter

PIECE = 25 * FRAME

Sink = Callable[[bytes, float], None]


class Recording:
    """A recording that runs."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._heard = bytearray()
        self._pieces: deque[bytes] = deque()
        self._meter = VoiceMeter()

    def take(self, frame: bytes) -> bool:
        """Add 20 ms; whether a piece waits to be handed over (media thread)."""
        self._heard += frame
        if len(self._heard) < PIECE:
            return False
        self.end()
        return True

    def end(self) -> None:
        """Make what was heard last a piece too."""
        if self._heard:
            self._pieces.append(bytes(self._heard))
            self._heard.clear()

    def hand_over(self) -> None:
        """Give the sink what waits (signalling thread)."""
        while self._pieces:
            piece = self._pieces.popleft()
            self._sink(piece, self._meter.seconds(piece))
