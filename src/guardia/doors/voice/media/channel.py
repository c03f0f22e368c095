"""The audio of one leg, as the line sees it. All audio is µ-law at 8,000 Hz: 160 bytes are 20 ms.

The media thread sends and receives; every method here may be called from the signalling thread. What is told goes
through the `tell` that the engine was made with, so that it arrives in the signalling thread.
"""

from collections.abc import Callable
from typing import Protocol

from guardia.doors.voice.control import RemoteMedia

FRAME = 160
"""Bytes of 20 ms."""


class ChannelListener(Protocol):
    """Who is told what is heard on a channel; always in the signalling thread."""

    def played(self) -> None:
        """Everything queued was sent."""

    def key(self, key: str) -> None:
        """A key by RFC 4733, once for each press, however often its packets came."""

    def silent(self, seconds: float) -> None:
        """No packet has come for so long, though the far end sends; told every five seconds."""


class Channel(Protocol):
    """One RTP socket, and what is said and heard on it."""

    port: int

    def connect(self, media: RemoteMedia) -> None:
        """Send there from now on, and take audio from there; again after a re-INVITE."""

    def play(self, audio: bytes, *, is_looped: bool = False) -> None:
        """Say this after what is queued; a loop ends with the next `play` or `hush`."""

    def hush(self) -> None:
        """Drop what is queued; `played` does not come for it."""

    def record(self, sink: Callable[[bytes, float], None] | None) -> None:
        """Hand on what is heard, in the signalling thread, about every half second, gaps filled with silence, and how
        many seconds of the piece had a voice in them; None ends it after a last piece.
        """

    def bridge(self, other: "Channel | None") -> None:
        """Hand what is heard on to the other leg and the other way round; None ends it on both. Keys are told, not
        handed on.
        """

    def close(self) -> None:
        """Give the port back; twice is no error."""


class MediaEngine(Protocol):
    """Who makes channels and drives them, 50 times a second."""

    def open(self, listener: ChannelListener) -> Channel:
        """Bind a free port of the range. Raises OSError where there is none."""

    def count(self) -> int:
        """Return how many channels are open."""

    def stop(self) -> None:
        """Close every channel and end the thread."""
