"""A call control for legs and registrars that are tested alone: what they send, plan and tell is kept in lists."""

import queue
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from sippy.SipHeader import SipHeader
from sippy.SipRequest import SipRequest
from sippy.SipResponse import SipResponse

from guardia.doors.voice.control import Ended, RemoteMedia
from guardia.doors.voice.sip import digest
from guardia.doors.voice.sip.dialog import Nobody
from guardia.doors.voice.sip.guard import Guard

PEER = ("127.0.0.1", 5998)
SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n"


class Planned:
    """Something that will be done later."""

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self.seconds, self.act = seconds, act
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class Asked:
    """A request of ours that waits for its answer."""

    def __init__(self, message: Any, heard: Callable[[Any, Any], None]) -> None:
        self.message, self._heard = message, heard
        self.method: str = message.getMethod()
        self.host: str = message.getTarget()[0][0]

    def answer(self, code: int, *headers: tuple[str, str]) -> None:
        """Answer it, with headers as they come from the wire."""
        response = SipResponse(str(self.message.genResponse(code, "Said")))
        for name, value in headers:
            response.appendHeader(SipHeader(f"{name}: {value}"))
        self._heard(response, None)


class Office:
    """The twin of `SippyControl`, and of its transactions."""

    public_host = "127.0.0.1"
    contact = "<sip:guardia@127.0.0.1:5060>"

    def __init__(self) -> None:
        self.guard = Guard(["127.0.0.0/8"])
        self.now = 0.0
        self.asked: list[Asked] = []
        self.replies: list[Any] = []
        self.planned: list[Planned] = []
        self.acknowledge: Callable[[Any], None] = lambda _: None
        self.cancel: Callable[[Any], None] = lambda _: None
        self._soon: queue.Queue[Callable[[], None]] = queue.Queue()
        self.transactions: Any = SimpleNamespace(
            newTransaction=self._ask,
            sendResponse=self._reply,
            cancelTransaction=self._cancel,
            regConsumer=lambda *_: None,
            unregConsumer=lambda *_: None,
        )

    def _ask(self, message: Any, resp_cb: Callable[[Any, Any], None], **_: Any) -> Asked:
        self.asked.append(Asked(message, resp_cb))
        return self.asked[-1]

    def _reply(self, response: Any, ack_cb: Callable[[Any], None] | None = None, **_: Any) -> None:
        self.replies.append(response)
        if ack_cb is not None:
            self.acknowledge = ack_cb

    def _cancel(self, transaction: Any) -> None:
        self.cancel(transaction)

    def account_for(self, _: str) -> digest.Account | None:
        return digest.Account("user", "password")

    def allows(self, host: str) -> bool:
        return self.guard.allows(host)

    def trunk_is_at(self, addresses: tuple[str, ...]) -> None:
        self.guard.also(addresses, self.now)

    def later(self, seconds: float, act: Callable[[], None]) -> Planned:
        self.planned.append(Planned(seconds, act))
        return self.planned[-1]

    def call_soon(self, act: Callable[[], None]) -> None:
        self._soon.put(act)

    def gone(self, leg: Any) -> None:
        """Nothing: nobody counts here."""

    def take_turn(self) -> None:
        """Do what another thread handed over."""
        self._soon.get(timeout=20)()

    def pass_time(self) -> None:
        """Do what is planned, once."""
        planned, self.planned = self.planned, []
        for each in planned:
            if not each.is_cancelled:
                each.act()

    def pauses(self) -> list[float]:
        """Return what is planned, in seconds."""
        return [each.seconds for each in self.planned if not each.is_cancelled]

    def methods(self) -> list[str]:
        """Return what was asked."""
        return [each.method for each in self.asked]


class Told(Nobody):
    """Who listens to a leg, and remembers."""

    def __init__(self) -> None:
        self.ends: list[Ended] = []
        self.media: list[RemoteMedia] = []

    def answered(self, media: RemoteMedia) -> None:
        self.media.append(media)

    def ended(self, how: Ended) -> None:
        self.ends.append(how)


def request(method: str, number: int, to: str = "<sip:line@127.0.0.1>", body: str = SDP) -> Any:
    """Return a request of a peer's, as sippy reads it."""
    lines = [
        f"{method} sip:line@127.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/UDP {PEER[0]}:{PEER[1]};branch=z9hG4bK{method}{number}",
        "From: <sip:peer@127.0.0.1>;tag=theirs",
        f"To: {to}",
        "Call-ID: one",
        f"CSeq: {number} {method}",
        f"Contact: <sip:peer@{PEER[0]}:{PEER[1]}>",
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body)}",
    ]
    found = SipRequest("\r\n".join([*lines, "", body]))
    found.init_body()
    found.source = (PEER, "udp")
    return found


def transaction_of(asked: Any) -> Any:
    """Return what stands for sippy's transaction of a call."""
    return SimpleNamespace(r487=asked.genResponse(487, "Request Terminated"), cancel_cb=None, noack_cb=None)
