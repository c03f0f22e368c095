"""Call control, as the line sees it: legs that ring, are answered and end. What signals them is behind it.

Everything here runs in one thread, the signalling thread; `call_soon` is the only thing that other threads may use.
A leg ends exactly once, for whatever reason, and after `ended` nothing more is told of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Codec = Literal["PCMU", "PCMA"]


@dataclass(frozen=True)
class RemoteMedia:
    """Where the far end wants its audio, checked: `host` is a numeric address, `port` one that can be sent to.

    `digits` is the payload type of RFC 4733 events, None where it has none. `sends`/`hears`: its direction; on hold it
    does not hear, and may not send.
    """

    host: str
    port: int
    codec: Codec
    digits: int | None
    sends: bool = True
    hears: bool = True


@dataclass(frozen=True)
class Arrival:
    """What an incoming call says of itself, all of it hearsay: `caller` is the user part of From, cleaned to 40 marks
    or empty; `called` that of the request's address; `peer` the numeric address that the packet came from.
    """

    caller: str
    called: str
    peer: str
    media: RemoteMedia


Why = Literal["hung_up", "cancelled", "busy", "no_answer", "refused", "failed", "lost", "ours"]


@dataclass(frozen=True)
class Ended:
    """How a leg ended: `ours` where we hung up, `lost` where the far end fell silent. `code` is SIP's, or 0."""

    why: Why
    code: int = 0


class LegListener(Protocol):
    """Who is told of one leg."""

    def ringing(self) -> None: ...

    def answered(self, media: RemoteMedia) -> None:
        """The far end took our call; or, of an incoming call, our answer was acknowledged."""

    def media_changed(self, media: RemoteMedia) -> None:
        """A re-INVITE: hold, resume, another address."""

    def key_by_info(self, key: str) -> None:
        """A key by SIP INFO; the same press may come as sound, too."""

    def ended(self, how: Ended) -> None: ...


class Leg(Protocol):
    """One leg of a call."""

    id: str
    """The Call-ID."""

    def listen(self, listener: LegListener) -> None:
        """Say who is told; before anything else of an incoming leg."""

    def ring(self) -> None:
        """Tell the caller that it rings (180); incoming legs only."""

    def answer(self, port: int) -> None:
        """Take the call, our audio being at this local port; incoming legs only."""

    def refuse(self, code: int, reason: str) -> None:
        """Refuse an incoming call: 486 busy, 503 and so on."""

    def hang_up(self) -> None:
        """End it, in whatever state it is (CANCEL, BYE or a refusal); twice is no error."""


class Timer(Protocol):
    """Something that will be done later."""

    def cancel(self) -> None:
        """Do it not; twice is no error."""


class CallControl(Protocol):
    """Who signals calls."""

    def serve(self, arrived: Callable[[Leg, Arrival], None]) -> None:
        """Take calls and run until `stop`; the calling thread becomes the signalling thread."""

    def stop(self) -> None:
        """End `serve` after hanging up every leg; from any thread."""

    def dial(self, target: str, port: int, listener: LegListener, ring_s: float) -> Leg:
        """Call a SIP address or a number of the trunk's, our audio being at the local port. After `ring_s` without an
        answer it is cancelled (`no_answer`). Raises ValueError for a target that cannot be called.
        """

    def later(self, seconds: float, act: Callable[[], None]) -> Timer:
        """Do something in the signalling thread after a while."""

    def call_soon(self, act: Callable[[], None]) -> None:
        """Do something in the signalling thread; from any thread."""

    def count(self) -> int:
        """Return how many legs live."""
