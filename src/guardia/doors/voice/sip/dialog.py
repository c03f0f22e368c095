"""What legs that ring and legs that are called have in common: a dialog (RFC 3261, 12) over sippy's transactions.

The dialog is ours and not sippy's `UA`: a late offer in a re-INVITE, ends that are told once, and where requests
may be sent need more say than that leaves. Requests within a dialog go to the first route or the Contact where that
is an allowed peer's numeric address, and otherwise to where the far end's own packets come from.
"""

import secrets
from collections.abc import Callable
from time import monotonic
from typing import Any, Final, Protocol

from sippy.MsgBody import MsgBody
from sippy.SipCallId import SipCallId
from sippy.SipContact import SipContact
from sippy.SipExpires import SipExpires
from sippy.SipFrom import SipFrom
from sippy.SipHeader import SipHeader
from sippy.SipRequest import SipRequest
from sippy.SipRoute import SipRoute
from sippy.SipTo import SipTo
from sippy.SipURL import SipURL

from guardia.doors.voice.control import Ended, LegListener, RemoteMedia, Timer
from guardia.doors.voice.sip import digest, sdp
from guardia.doors.voice.sip.addresses import numeric
from guardia.doors.voice.sip.guard import BURST_S, Bucket
from guardia.doors.voice.sip.packets import HANDLED
from guardia.doors.voice.sip.wire import Transactions, Written, raw_of, told

ASKED_EVERY_S: Final = 60.0
KEYS_A_SECOND: Final = 20.0
"""Nobody presses more: each key may cost a word in the journal, which waits for the disk."""
_GONE = frozenset({408, 481})
_KEYS: Final = {**{key: key for key in "0123456789*#ABCD"}, "10": "*", "11": "#"}


class Office(Protocol):
    """What a leg needs of the call control."""

    transactions: Transactions
    public_host: str
    contact: str

    def account_for(self, host: str) -> digest.Account | None:
        """Return the account that may be proved to a numeric address: the trunk's, to the trunk."""

    def allows(self, host: str) -> bool:
        """Whether a numeric address is a peer's."""

    def later(self, seconds: float, act: Callable[[], None]) -> Timer:
        """Do something after a while."""

    def gone(self, leg: Any) -> None:
        """Take note that a leg ended."""


class Nobody:
    """Who listens to a leg that nobody listens to yet."""

    def ringing(self) -> None: ...
    def answered(self, media: RemoteMedia) -> None: ...
    def media_changed(self, media: RemoteMedia) -> None: ...
    def key_by_info(self, key: str) -> None: ...
    def ended(self, how: Ended) -> None: ...


def headers_of(message: Any, name: str) -> list[str]:
    """Return a header's values as text."""
    return [str(body) for body in message.getHFBodys(name)]


def text_of(message: Any) -> str:
    """Return a message's body as text."""
    body = message.getBody()
    return "" if body is None else str(body.content)


def kind_of(message: Any) -> str:
    """Return a body's type."""
    body = message.getBody()
    if body is None:
        return ""
    return str(body.mtype).lower()


def reply(request: Any, code: int, phrase: str, headers: tuple[tuple[str, str], ...] = (), body: str = "") -> Any:
    """Return an answer to a request."""
    response = request.genResponse(code, phrase)
    for name, value in headers:
        response.appendHeader(SipHeader(name=name.lower(), body=Written(value, name)))
    if body:
        response.setBody(MsgBody(body))
    return response


WHAT_WE_TAKE: Final = (
    ("Allow", ", ".join(HANDLED)),
    ("Accept", "application/sdp, application/dtmf-relay, application/dtmf"),
)


class Dialog:
    """A leg's dialog: its two ends, where its requests go, its session, and the one end it comes to."""

    def __init__(self, office: Office, call_id: str, local: str, remote: str, peer: tuple[str, int]) -> None:
        self.id = call_id
        self.listener: LegListener = Nobody()
        self.is_over = False
        self.is_up = False
        self._office = office
        self._local, self._remote = local, remote
        self._local_tag, self._remote_tag = _tag(local), _tag(remote)
        self._peer = peer
        self._hop = peer
        self._target = ""
        self._routes: list[str] = []
        self._sent, self._received = secrets.randbelow(2**30) + 1, -1
        self._ours: sdp.Ours | None = None
        self._media: RemoteMedia | None = None
        self._pending = False
        self._timers: list[Timer] = []
        self._keys = Bucket(KEYS_A_SECOND * BURST_S, monotonic())
        office.transactions.regConsumer(self, call_id)

    def listen(self, listener: LegListener) -> None:
        """Say who is told."""
        self.listener = listener

    # The far end's requests; the two names are sippy's.

    def isYours(self, request: Any) -> "Dialog | None":  # noqa: N802
        """Return this dialog if a request belongs to it."""
        tags = request.getHFBody("to").getTag(), request.getHFBody("from").getTag()
        return self if tags == (self._local_tag, self._remote_tag) and not self.is_over else None

    def recvRequest(self, request: Any, transaction: Any) -> Any:  # noqa: N802
        """Answer a request of the far end's."""
        number = request.getHFBody("cseq").getCSeqNum()
        if number <= self._received:
            return reply(request, 500, "Old CSeq"), None, None
        self._received = number
        try:
            return self._take(request, transaction)
        except Exception:  # noqa: BLE001 (one request must not take the leg with it)
            told("request")
            return reply(request, 500, "Server Internal Error"), None, None

    def _take(self, request: Any, transaction: Any) -> Any:
        match request.getMethod():
            case "BYE":
                self._pending = False
                self._leave_early()
                self._office.transactions.sendResponse(reply(request, 200, "OK"), t=transaction)
                self.end(Ended("hung_up"))
                return None
            case "INFO":
                return self._take_info(request), None, None
            case "OPTIONS":
                return reply(request, 200, "OK", WHAT_WE_TAKE), None, None
            case "INVITE":
                return self._take_invite(request, transaction)
        return reply(request, 405, "Method Not Allowed", WHAT_WE_TAKE[:1]), None, None

    def _leave_early(self) -> None:
        """Answer what is still open when the far end leaves."""

    def _take_info(self, request: Any) -> Any:
        kind, text = kind_of(request), text_of(request).strip()
        if kind == "application/dtmf-relay":
            lines = dict(line.replace(" ", "").partition("=")[::2] for line in text.upper().splitlines())
            text = lines.get("SIGNAL", "")
        elif kind != "application/dtmf":
            text = ""
        key = _KEYS.get(text.strip().upper())
        if key is not None and self.is_up and self._keys.take(KEYS_A_SECOND, monotonic()):
            self._office.later(0, lambda: None if self.is_over else self.listener.key_by_info(key))
        return reply(request, 200, "OK")

    def _take_invite(self, request: Any, transaction: Any) -> Any:
        """A re-INVITE: hold, resume, another address, or the wish for an offer of ours."""
        if not self.is_up or self._pending or self._ours is None:
            return reply(request, 491, "Request Pending"), None, None
        text = text_of(request)
        try:
            theirs = sdp.read(text, self._peer_host(), self._office.allows) if text else None
        except sdp.Refusal as refusal:
            return reply(request, refusal.code, refusal.phrase), None, None
        self._aim(request, headers_of(request, "record-route") or self._routes)
        self._ours = self._ours.next()
        described = sdp.offer(self._ours) if theirs is None else sdp.answer(theirs, self._ours)
        self._accept(request, transaction, described, is_late=theirs is None, is_first=False)
        if theirs is not None:
            self._change(theirs.media)
        return None

    def _accept(self, request: Any, transaction: Any, described: str, *, is_late: bool, is_first: bool) -> None:
        """Send 200 with our description; the transaction sends it again until the ACK."""
        self._pending = True
        response = reply(request, 200, "OK", (("Contact", self._office.contact), *WHAT_WE_TAKE), described)
        response.getHFBody("to").setTag(self._local_tag)
        transaction.noack_cb = self._unacknowledged
        self._office.transactions.sendResponse(
            response,
            t=transaction,
            ack_cb=lambda ack: self._acknowledged(ack, is_late=is_late, is_first=is_first),
        )

    def _acknowledged(self, ack: Any, *, is_late: bool, is_first: bool) -> None:
        was_pending, self._pending = self._pending, False
        try:
            if self.is_over:
                if was_pending:
                    self.request("BYE")
                return
            answered = sdp.read(text_of(ack), self._peer_host(), self._office.allows).media if is_late else None
            if is_first:
                self._media = answered or self._media
                self._up(self._media)
            elif answered is not None:
                self._change(answered)
        except sdp.Refusal as refusal:
            self._bye()
            self.end(Ended("failed", refusal.code))
        except Exception:  # noqa: BLE001 (an ACK must not break its transaction's end)
            told("ACK")

    def _unacknowledged(self) -> None:
        """Say BYE when no ACK came, whether our end was already told or not."""
        if self._pending:
            self._bye()
            self.end(Ended("lost", 408))

    def _bye(self) -> None:
        """Send BYE now; an ACK that is still awaited calls for no second one."""
        self._pending = False
        self.request("BYE")

    def _up(self, media: RemoteMedia | None) -> None:
        if media is not None:
            self._watch()
            self.listener.answered(media)

    def _change(self, media: RemoteMedia) -> None:
        if media != self._media:
            self._media = media
            self._office.later(0, lambda: None if self.is_over else self.listener.media_changed(media))

    # Our own requests.

    def _peer_host(self) -> str:
        return numeric(self._peer[0]) or self._peer[0]

    def _aim(self, message: Any, routes: list[str]) -> None:
        """Take the far end's Contact and the routes to it from a message."""
        contacts = message.getHFBodys("contact")
        if contacts:
            self._target = str(contacts[0].getUrl())
        self._routes = routes
        first = SipRoute(body=routes[0]) if routes else None
        if first is not None:
            first.parse()
        url = first.getUrl() if first is not None else SipURL(self._target)
        host = numeric(str(url.host))
        self._hop = url.getAddr() if host is not None and self._office.allows(host) else self._peer

    def request(self, method: str, body: str = "", heard: Callable[[Any], None] | None = None) -> Any:
        """Send a request; where it is challenged and we have an account, once more with the answer to it."""
        return self._send(method, body, heard, None)

    def _send(self, method: str, body: str, heard: Callable[[Any], None] | None, proof: tuple[str, str] | None) -> Any:
        self._sent += 1
        message = SipRequest(
            method=method,
            ruri=SipURL(self._target),
            fr0m=SipFrom(body=self._local),
            to=SipTo(body=self._remote),
            cseq=self._sent,
            callid=SipCallId(self.id),
            contact=SipContact(body=self._office.contact) if method == "INVITE" else None,
            routes=[SipRoute(body=route) for route in self._routes],
            target=(self._hop, "udp"),
            expires=SipExpires(number=self._expires()) if method == "INVITE" else None,
        )
        if proof is not None:
            message.appendHeader(SipHeader(name=proof[0].lower(), body=Written(proof[1], proof[0])))
        if body:
            message.setBody(MsgBody(body))

        def answered(response: Any, _: Any) -> None:
            try:
                again = self._prove(method, response) if proof is None else None
            except Exception:  # noqa: BLE001 (a challenge that cannot be read is a refusal like any other)
                told("challenge")
                again = None
            try:
                if again is not None:
                    # After the ACK of the challenge, which the transaction sends when this returns.
                    self._resent(None, method)
                    self._office.later(0, lambda: self._send_again(method, body, heard, again))
                elif heard is not None:
                    heard(response)
            except Exception:  # noqa: BLE001 (an answer must not break its transaction's end)
                told("answer")

        return self._office.transactions.newTransaction(message, resp_cb=answered, cb_ifver=2)

    def _send_again(self, method: str, body: str, heard: Callable[[Any], None] | None, proof: tuple[str, str]) -> None:
        if method != "INVITE" or not self.is_over:
            self._resent(self._send(method, body, heard, proof), method)

    def _expires(self) -> int:
        return 180

    def _resent(self, transaction: Any, method: str) -> None:
        """Take note of the transaction that took another's place."""

    def _prove(self, method: str, response: Any) -> tuple[str, str] | None:
        code, _ = response.getSCode()
        account = self._office.account_for(numeric(self._hop[0]) or "")
        if account is None or code not in {401, 407} or (method == "INVITE" and self.is_over):
            return None
        asked, given = (
            ("www-authenticate", "Authorization") if code == 401 else ("proxy-authenticate", "Proxy-Authorization")  # noqa: PLR2004
        )
        proof = digest.answer(raw_of(response, asked), account, method, str(SipURL(self._target)))
        return None if proof is None else (given, proof)

    def _watch(self) -> None:
        """Ask the far end every minute whether it still knows the call: one on hold would else be kept for ever."""
        self._timers.append(self._office.later(ASKED_EVERY_S, self._ask))

    def _ask(self) -> None:
        if not self.is_over:
            self._timers.clear()
            self.request("OPTIONS", heard=self._asked)

    def _asked(self, response: Any) -> None:
        code, _ = response.getSCode()
        if self.is_over or code < 200:  # noqa: PLR2004
            return
        if code in _GONE:
            self._bye()
            self.end(Ended("lost", code))
        else:
            self._watch()

    def end(self, how: Ended) -> None:
        """Tell the end, once, and let go of everything but running transactions."""
        if self.is_over:
            return
        self.is_over = True
        self.is_up = False
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._office.transactions.unregConsumer(self, self.id)
        self._office.gone(self)
        listener, self.listener = self.listener, Nobody()
        try:
            listener.ended(how)
        except Exception:  # noqa: BLE001 (who listens must not break the signalling)
            told("listener")


def _tag(address: str) -> str | None:
    return next((part[4:] for part in address.rpartition(">")[2].split(";") if part.startswith("tag=")), None)
