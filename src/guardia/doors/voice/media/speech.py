"""What is still to be said on a channel, handed out frame by frame. Nothing here does I/O.

What is said follows what was said before without a gap; the last frame is filled up with silence. A loop goes on until
something else is said or all is hushed.
"""

from collections import deque

from guardia.kernel.sound import FRAME, SILENT_FRAME


class Speech:
    """A queue of sounds."""

    def __init__(self) -> None:
        self._queue: deque[bytes] = deque()
        self._at = 0
        self._is_looped = False
        self._is_owed = False

    def say(self, audio: bytes, *, is_looped: bool = False) -> None:
        """Say it after what is queued; a loop ends at once. A loop of nothing is silence."""
        if self._is_looped:
            self.hush()
        self._is_looped = is_looped and bool(audio)
        self._is_owed = not is_looped
        if audio:
            self._queue.append(audio)

    def hush(self) -> None:
        """Drop everything."""
        self._queue.clear()
        self._at, self._is_looped, self._is_owed = 0, False, False

    def frame(self) -> bytes | None:
        """Return the next 20 ms, or None where there is nothing to say."""
        if not self._queue:
            return None
        frame = self._queue[0][self._at : self._at + FRAME]
        self._at += FRAME
        while len(frame) < FRAME or self._at >= len(self._queue[0]):
            if not self._move_on():
                break
            lacking = FRAME - len(frame)
            frame += self._queue[0][:lacking]
            self._at = lacking
        return frame if len(frame) == FRAME else frame + SILENT_FRAME[len(frame) :]

    def _move_on(self) -> bool:
        """Go on to the next sound, the last one again where it is looped; False where all is through."""
        if not (self._is_looped and len(self._queue) == 1):
            self._queue.popleft()
        self._at = 0
        return bool(self._queue)

    def is_through(self) -> bool:
        """Whether all that was said is through: once for everything said, and never for a loop."""
        is_through = self._is_owed and not self._queue
        if is_through:
            self._is_owed = False
        return is_through
