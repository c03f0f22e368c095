"""Call control over sippy: who may call, how many at once, and the legs that live.

Importing this module binds sippy's loop to the importing thread; the process that serves the line imports it in its
main thread, and makes one `SippyControl` in its life.
"""

import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, Final
from urllib.parse import quote

from sippy.Core.EventDispatcher import ED2
from sippy.Time.Timeout import Timeout

from guardia.doors.voice.control import Arrival, Ended, Leg, LegListener, RemoteMedia, Timer
from guardia.doors.voice.sip import digest, registration, sdp
from guardia.doors.voice.sip.addresses import BadAddress, Uri, bracketed, clean_user, numeric, read_uri
from guardia.doors.voice.sip.dialog import WHAT_WE_TAKE, Nobody, reply, text_of
from guardia.doors.voice.sip.guard import Guard
from guardia.doors.voice.sip.legs import ArrivingLeg, CalledLeg
from guardia.doors.voice.sip.registration import Registrar, Trunk
from guardia.doors.voice.sip.watchdog import Watchdog
from guardia.doors.voice.sip.wire import Transactions, told
from guardia.kernel.environment import Settings

PARTING_S: Final = 2.0
_PARTED_EVERY_S: Final = 0.05
_NUMBER = re.compile(r"\+?[0-9*#]{1,32}")
_NOT_KNOWN_YET: Final = 9
"""The port of a caller that made no offer: it is sent nothing until the ACK says where to."""


class SippyControl:
    """`CallControl` over sippy. Raises OSError where the port is taken."""

    def __init__(
        self, *, host: str, port: int, public_host: str, peers: Iterable[str], trunk: str, call_limit: int
    ) -> None:
        self.guard = Guard(peers)
        self.public_host = public_host
        self._trunk = Trunk.read(trunk) if trunk else None
        self._call_limit = call_limit
        self._legs: set[ArrivingLeg | CalledLeg] = set()
        self._arrived: Callable[[Leg, Arrival], None] | None = None
        self._is_stopping = False
        self.transactions = Transactions(self.guard, host, port, public_host, self._take)
        self.port = self.transactions.wire.port
        user = quote(self._trunk.account.user, safe="+*") if self._trunk else "guardia"
        self.contact = f"<sip:{user}@{bracketed(public_host)}:{self.port}>"
        self._watchdog = Watchdog(host, self.port)
        self.guard.own.add(self._watchdog.address)
        self._registrar = Registrar(self, self._trunk) if self._trunk else None

    @classmethod
    def of(cls, own: Settings) -> "SippyControl":
        """Make it from the settings."""
        return cls(
            host=own.line_host,
            port=own.line_port,
            public_host=own.line_public_host,
            peers=own.line_peers,
            trunk=own.line_trunk_url.reveal(),
            call_limit=own.line_calls,
        )

    @property
    def registered(self) -> registration.State:
        """How the trunk stands, for the health page."""
        return self._registrar.state if self._registrar else "none"

    @property
    def counts(self) -> Counter[str]:
        """What the guard dropped, answered and passed, by reason, and the calls that heard busy."""
        return self.guard.counts

    # What the line asks.

    def serve(self, arrived: Callable[[Leg, Arrival], None]) -> None:
        """Take calls and run until `stop`."""
        self._arrived = arrived
        self._watchdog.start()
        if self._registrar:
            self._registrar.start()
        try:
            ED2.loop()
        finally:
            self._watchdog.stop()
            self.transactions.shutdown()

    def stop(self) -> None:
        """End `serve` after hanging up every leg; from any thread."""
        self.call_soon(self._part)

    def dial(self, target: str, port: int, listener: LegListener, ring_s: float) -> Leg:
        """Call a SIP address or a number of the trunk's. Raises ValueError for a target that cannot be called."""
        uri, hop = self._destination(target)
        is_trunk = self._registrar is not None and hop == self._registrar.address
        own = self._trunk.identity if self._trunk and is_trunk else f"sip:guardia@{bracketed(self.public_host)}"
        local = f'"Guardia" <{own}>;tag={secrets.token_hex(16)}'
        leg = CalledLeg(self, (local, f"<{uri}>", str(uri)), hop, listener)
        self._legs.add(leg)
        try:
            leg.call(port, ring_s)
        except Exception as error:
            leg.listen(Nobody())
            leg.end(Ended("failed"))
            raise ValueError("Not an address that can be called") from error
        return leg

    def later(self, seconds: float, act: Callable[[], None]) -> Timer:
        """Do something in the signalling thread after a while."""
        timer: Timer = Timeout(_safely(act), seconds)
        return timer

    def call_soon(self, act: Callable[[], None]) -> None:
        """Do something in the signalling thread; from any thread."""
        ED2.callFromThread(_safely(act))

    def count(self) -> int:
        """Return how many legs live."""
        return len(self._legs)

    # What legs and the registrar ask.

    def allows(self, host: str) -> bool:
        """Whether a numeric address is a peer's."""
        return self.guard.allows(host)

    def account_for(self, host: str) -> digest.Account | None:
        """Return the trunk's account, for the trunk only: a digest is enough to guess at a password."""
        return self._trunk.account if self._trunk and self.guard.is_named(host) else None

    def trunk_is_at(self, addresses: tuple[str, ...]) -> None:
        """Take note of numeric addresses of the trunk."""
        self.guard.also(addresses, monotonic())

    def gone(self, leg: ArrivingLeg | CalledLeg) -> None:
        """Take note that a leg ended."""
        self._legs.discard(leg)

    def _destination(self, target: str) -> tuple[Uri, tuple[str, int]]:
        at = self._registrar.address if self._registrar else None
        if _NUMBER.fullmatch(target):
            if not (self._trunk and at):
                raise ValueError("There is no trunk for numbers")
            return Uri(quote(target, safe="+*"), bracketed(self._trunk.host), None), at
        try:
            uri = read_uri(target)
        except BadAddress as error:
            raise ValueError("Not an address that can be called") from error
        if self._trunk and at and uri.host == bracketed(self._trunk.host):
            return uri, at
        host = numeric(uri.host)
        if not target.lower().startswith("sip:") or host is None or not self.allows(host):
            raise ValueError("Not the numeric address of a peer")
        return uri, (uri.host, uri.port or 5060)

    # What the far ends ask that belongs to no leg.

    def _take(self, request: Any, transaction: Any) -> Any:
        try:
            if request.getHFBody("to").getTag() is not None or request.getMethod() in {"BYE", "INFO"}:
                return reply(request, 481, "Call Does Not Exist"), None, None
            if request.getMethod() == "INVITE":
                return self._take_call(request, transaction)
            return reply(request, 200, "OK", WHAT_WE_TAKE), None, None
        except Exception:  # noqa: BLE001 (one request must not be left without an answer)
            told("new request")
            return reply(request, 500, "Server Internal Error"), None, None

    def _take_call(self, request: Any, transaction: Any) -> Any:
        refused = self._refusal(request)
        if refused is not None:
            return refused, None, None
        peer = numeric(request.getSource()[0]) or ""
        text = text_of(request)
        try:
            described = sdp.read(text, peer, self.allows) if text else None
        except sdp.Refusal as refusal:
            self.counts[f"sdp_{refusal.code}"] += 1
            return reply(request, refusal.code, refusal.phrase), None, None
        self.transactions.sendResponse(reply(request, 100, "Trying"), t=transaction)
        leg = ArrivingLeg(self, request, transaction, described)
        self._legs.add(leg)
        unknown = RemoteMedia(peer, _NOT_KNOWN_YET, "PCMU", None, sends=False, hears=False)
        sender, called = request.getHFBody("from").getUrl(), request.getRURI()
        arrival = Arrival(
            clean_user(sender.username),
            clean_user(called.username),
            peer,
            unknown if described is None else described.media,
        )
        try:
            if self._arrived is not None:
                self._arrived(leg, arrival)
        except Exception:  # noqa: BLE001 (the caller hears of it; the line goes on)
            told("arrival")
            leg.refuse(500, "Server Internal Error")
        return None

    def _refusal(self, request: Any) -> Any:
        arriving = [leg for leg in self._legs if isinstance(leg, ArrivingLeg)]
        if any(leg.is_same_call(request) for leg in arriving):
            return reply(request, 482, "Merged Request")
        if self._is_stopping or self._arrived is None:
            return reply(request, 503, "Service Unavailable")
        if len(arriving) >= self._call_limit:
            self.counts["busy"] += 1
            return reply(request, 486, "Busy Here")
        return None

    def _part(self) -> None:
        if self._is_stopping:
            return
        self._is_stopping = True
        for leg in list(self._legs):
            leg.part()
        if self._registrar:
            self._registrar.stop()
        self._parted(PARTING_S)

    def _parted(self, left_s: float) -> None:
        """End the loop when nothing of ours waits for an answer, or when it has waited long enough."""
        if left_s <= 0 or not self.transactions.tclient:
            # One more turn, so that what was just queued is sent.
            self.later(_PARTED_EVERY_S, ED2.breakLoop)
        else:
            self.later(_PARTED_EVERY_S, lambda: self._parted(left_s - _PARTED_EVERY_S))


def _safely(act: Callable[[], None]) -> Callable[[], None]:
    def guarded() -> None:
        try:
            act()
        except Exception:  # noqa: BLE001 (the loop would print it, and go on)
            told("act")

    return guarded
