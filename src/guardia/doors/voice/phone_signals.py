"""One call of a test phone, as SIP sees it (RFC 3261): it is dialled or answered, it changes, and it ends once.

Nothing here touches a socket or a clock: packets come in with `receive`, time comes in with `tick`, packets go out by
`send`, and what happened is in `news`. Everything is sent to the one address that the call has, so that a phone needs
no names and no routing.

- A request is sent again (0.5 s, 1 s, 2 s, 4 s, then every 4 s) until something is heard; after `PATIENCE_S` without
  anything the call has failed.
- Of an answered call's INVITE the same answer is sent again until it is acknowledged.
- A CANCEL waits for the first sign of life; a call that was answered meanwhile is acknowledged and hung up.
- A request of the far end that was answered is answered alike when it comes again.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from guardia.doors.voice.phone_messages import Description, FarMedia, Message, media_of, parse, tag_of, uri_of, written

T1_S = 0.5
T2_S = 4.0
PATIENCE_S = 16.0

_TRYING = 100

State = Literal["idle", "dialling", "ringing", "cancelling", "answering", "standing", "ending", "ended"]

_TO_STRANGERS = {"OPTIONS": (200, "OK"), "INVITE": (486, "Busy Here")}
_ANSWERED_SIMPLY = ("OPTIONS", "INFO", "UPDATE", "MESSAGE", "NOTIFY")
_ALLOW = "INVITE, ACK, CANCEL, BYE, INFO, OPTIONS, UPDATE"


@dataclass
class _Sent:
    """A packet that is sent again until something is heard of it."""

    what: str
    packet: bytes
    next_s: float
    wait_s: float
    until_s: float


@dataclass(frozen=True)
class News:
    """What happened: `ringing`, `answered`, `media` (changed), `key` (by INFO), `accepted` (our INFO), `ended`.

    Of `ended`, `text` says how: `we`, `they`, or the refusal.
    """

    what: Literal["ringing", "answered", "media", "key", "accepted", "ended"]
    text: str = ""


class SipCall:
    """One call, either way."""

    def __init__(self, local: tuple[str, int], description: Description, send: Callable[[bytes], None]) -> None:
        self.state: State = "idle"
        self.is_ours = False
        self.news: list[News] = []
        self.media: FarMedia | None = None
        self.caller = ""
        self._local = local
        self._description = description
        self._send = send
        self._call_id = ""
        self._near = self._far = self._target = ""
        self._routes: list[str] = []
        self._cseq = 0
        self._invite: Message | None = None
        self._invite_branch = ""
        self._again: dict[str, _Sent] = {}
        self._answers: dict[tuple[str, str], bytes] = {}
        self._ack = b""
        self._now = 0.0

    # ---- what we do ----

    def dial(self, target: str, caller: str, now: float) -> None:
        """Call an address."""
        host, port = self._local
        self.is_ours, self.state, self._now = True, "dialling", now
        self._call_id = f"{secrets.token_hex(12)}@{host}"
        self._near = f"<sip:{caller}@{host}:{port}>;tag={secrets.token_hex(6)}"
        self._far, self._target, self._cseq = f"<{target}>", target, 1
        self._invite_branch = _branch()
        self._repeat("INVITE", self._request("INVITE", self._invite_branch, self._description.text()))

    def offered(self, invite: Message, now: float) -> None:
        """Take an incoming INVITE; it rings until `answer` or `refuse`."""
        self.state, self._now, self._invite = "ringing", now, invite
        self._call_id, self._far = invite.get("call-id"), invite.get("from")
        self._near = f"{invite.get('to')};tag={secrets.token_hex(6)}"
        self._target, self._routes = uri_of(invite.get("contact")), invite.all("record-route")
        self.caller = uri_of(self._far).removeprefix("sip:").partition("@")[0]
        self.media = media_of(invite.body, self._description.codecs)
        self._reply(invite, 180, "Ringing")
        if self.media is None:
            self.refuse(488, "Not Acceptable Here")
        else:
            digits = self._description.digits if self.media.digits is None else self.media.digits
            self._description = replace(self._description, codecs=(self.media.codec,), digits=digits)

    def answer(self) -> None:
        """Take the incoming call."""
        if self.state == "ringing" and self._invite is not None and not self.is_ours:
            self.state = "answering"
            self._repeat("200", self._reply(self._invite, 200, "OK", self._description.text()))

    def refuse(self, code: int, reason: str) -> None:
        """Refuse the incoming call."""
        if self.state == "ringing" and self._invite is not None and not self.is_ours:
            self._repeat("final", self._reply(self._invite, code, reason))
            self._end("we")

    def hang_up(self) -> None:
        """End the call in whatever state it is; twice is no error."""
        if self.is_ours and self.state in {"dialling", "ringing"}:
            is_alive = self.state == "ringing" or "INVITE" not in self._again
            self.state = "cancelling"
            if is_alive:
                self._cancel()
        elif self.state in {"answering", "standing"}:
            self.state = "ending"
            self._again.pop("200", None)
            self._in_dialog("BYE")
        elif self.state == "ringing":
            self.refuse(603, "Decline")

    def press(self, key: str, duration_ms: int = 160) -> None:
        """Send a key by INFO; `accepted` comes once the far end has it."""
        self._in_dialog("INFO", f"Signal={key}\r\nDuration={duration_ms}\r\n", "application/dtmf-relay")

    def turn(self, direction: str) -> None:
        """Change the direction of our audio by a re-INVITE: `sendonly` to hold, `sendrecv` to resume."""
        self._description = replace(self._description, version=self._description.version + 1, direction=direction)
        self._in_dialog("INVITE", self._description.text(), "application/sdp")

    @property
    def digits_heard(self) -> int:
        """The payload type in which the far end sends its keys, as we told it."""
        return self._description.digits

    @property
    def is_over(self) -> bool:
        """Whether it has ended and nothing has to be sent any more."""
        return self.state == "ended" and not self._again

    # ---- time ----

    def tick(self, now: float) -> None:
        """Send again what nobody answered; give up what nobody ever will."""
        self._now = now
        for name, sent in list(self._again.items()):
            if now >= sent.until_s:
                del self._again[name]
                self._gave_up(sent.what)
            elif now >= sent.next_s:
                self._send(sent.packet)
                sent.wait_s = min(sent.wait_s * 2, T2_S)
                sent.next_s = now + sent.wait_s

    def _gave_up(self, what: str) -> None:
        if what in {"INVITE", "CANCEL"}:
            self._end("no answer from there")
        elif what == "200":
            self.hang_up()
        elif what == "BYE":
            self._end("we")

    # ---- what comes in ----

    def receive(self, data: bytes, now: float) -> None:
        """Take one packet; what belongs to no call of ours is refused or ignored."""
        self._now = now
        message = parse(data)
        if message is None:
            return
        if message.method:
            self._requested(message)
        elif message.get("call-id") == self._call_id:
            self._responded(message)

    def _requested(self, message: Message) -> None:
        known = self._answers.get((message.branch, message.method))
        if known is not None:
            self._send(known)
        elif message.method == "ACK":
            self._acknowledged()
        elif message.get("call-id") != self._call_id:
            self._reply(message, *_TO_STRANGERS.get(message.method, (481, "Call/Transaction Does Not Exist")))
        elif message.method == "INVITE":
            self._changed(message)
        elif message.method == "BYE":
            self._reply(message, 200, "OK")
            self._again.pop("200", None)
            self._end("they")
        elif message.method == "CANCEL":
            self._cancelled(message)
        elif message.method in _ANSWERED_SIMPLY:
            self._reply(message, 200, "OK")
            if message.method == "INFO" and "Signal=" in message.body:
                self.news.append(News("key", message.body.split("Signal=", 1)[1][:1]))
        else:
            self._reply(message, 405, "Method Not Allowed")

    def _acknowledged(self) -> None:
        self._again.pop("final", None)
        if self._again.pop("200", None) and self.state == "answering":
            self.state = "standing"
            self.news.append(News("answered"))

    def _changed(self, message: Message) -> None:
        media = media_of(message.body, self._description.codecs)
        if media is None:
            self._reply(message, 488, "Not Acceptable Here")
            return
        self.media = media
        mirrored = {"sendonly": "recvonly", "recvonly": "sendonly"}.get(media.direction, media.direction)
        self._description = replace(self._description, version=self._description.version + 1, direction=mirrored)
        self._reply(message, 200, "OK", self._description.text())
        self.news.append(News("media", media.direction))

    def _cancelled(self, message: Message) -> None:
        self._reply(message, 200, "OK")
        if self.state == "ringing" and self._invite is not None and not self.is_ours:
            self._repeat("final", self._reply(self._invite, 487, "Request Terminated"))
            self._end("they")

    def _responded(self, message: Message) -> None:
        number, method = message.cseq
        if method == "INVITE":
            if number == 1 and self.is_ours and self.state in {"dialling", "ringing", "cancelling"}:
                self._of_our_call(message)
            elif not message.is_provisional:
                self._of_a_change(message)
        elif not message.is_provisional:
            self._again.pop(method, None)
            if method == "BYE":
                self._end("we")
            elif method == "INFO":
                self.news.append(News("accepted", "" if message.is_success else str(message.code)))

    def _of_our_call(self, message: Message) -> None:
        if self._again.pop("INVITE", None) and self.state == "cancelling" and message.is_provisional:
            self._cancel()
        if message.is_provisional:
            if self.state == "dialling" and message.code != _TRYING:
                self.state = "ringing"
                self.news.append(News("ringing", str(message.code)))
        elif message.is_success:
            self._taken(message)
        else:
            self._far = message.get("to")
            self._ack = self._request("ACK", self._invite_branch, number=1)
            self._send(self._ack)
            self._again.pop("CANCEL", None)
            self._end("we" if self.state == "cancelling" else f"{message.code} {message.reason}")

    def _taken(self, message: Message) -> None:
        was_cancelling = self.state == "cancelling"
        self._far, self._target = message.get("to"), uri_of(message.get("contact")) or self._target
        self._routes = list(reversed(message.all("record-route")))
        self.media, self.state = media_of(message.body, self._description.codecs), "standing"
        self._again.pop("CANCEL", None)
        self._ack = self._request("ACK", _branch(), number=1)
        self._send(self._ack)
        if was_cancelling or self.media is None:
            self.hang_up()
        else:
            self.news.append(News("answered"))

    def _of_a_change(self, message: Message) -> None:
        """Acknowledge the answer to a re-INVITE, or a repeated answer to the first one."""
        if self._again.pop("INVITE", None) is None:
            if self._ack:
                self._send(self._ack)
            return
        branch = _branch() if message.is_success else message.branch
        self._ack = self._request("ACK", branch, number=message.cseq[0])
        self._send(self._ack)
        media = media_of(message.body, self._description.codecs)
        if media is not None:
            self.media = media
            self.news.append(News("media", media.direction))

    # ---- writing ----

    def _cancel(self) -> None:
        self._repeat("CANCEL", self._request("CANCEL", self._invite_branch, number=1))

    def _in_dialog(self, method: str, body: str = "", kind: str = "") -> None:
        self._cseq += 1
        self._repeat(method, self._request(method, _branch(), body, kind))

    def _repeat(self, what: str, packet: bytes) -> None:
        if what not in {"200", "final"}:  # replies were sent when they were written
            self._send(packet)
        self._again[what] = _Sent(what, packet, self._now + T1_S, T1_S, self._now + PATIENCE_S)

    def _request(
        self, method: str, branch: str, body: str = "", kind: str = "application/sdp", *, number: int | None = None
    ) -> bytes:
        host, port = self._local
        headers = [
            ("Via", f"SIP/2.0/UDP {host}:{port};rport;branch={branch}"),
            ("Max-Forwards", "70"),
            *(("Route", route) for route in self._routes),
            ("From", self._near),
            ("To", self._far),
            ("Call-ID", self._call_id),
            ("CSeq", f"{number or self._cseq} {method}"),
            ("Contact", f"<sip:phone@{host}:{port}>"),
            ("Allow", _ALLOW),
            ("User-Agent", "guardia-test-phone"),
            *([("Content-Type", kind)] if body else []),
        ]
        return written(f"{method} {self._target} SIP/2.0", headers, body)

    def _reply(self, request: Message, code: int, reason: str, body: str = "") -> bytes:
        host, port = self._local
        to = request.get("to")
        if not tag_of(to):
            to = self._near if request.get("call-id") == self._call_id else f"{to};tag={secrets.token_hex(6)}"
        headers = [
            *(("Via", via) for via in request.all("via")),
            *(("Record-Route", route) for route in request.all("record-route")),
            ("From", request.get("from")),
            ("To", to),
            ("Call-ID", request.get("call-id")),
            ("CSeq", request.get("cseq")),
            ("Contact", f"<sip:phone@{host}:{port}>"),
            ("Allow", _ALLOW),
            *([("Content-Type", "application/sdp")] if body else []),
        ]
        packet = written(f"SIP/2.0 {code} {reason}", headers, body)
        self._answers[request.branch, request.method] = packet
        self._send(packet)
        return packet

    def _end(self, how: str) -> None:
        if self.state != "ended":
            self.state = "ended"
            for name in ("INVITE", "200", "BYE", "CANCEL", "INFO"):
                self._again.pop(name, None)
            self.news.append(News("ended", how))


def _branch() -> str:
    return f"z9hG4bK{secrets.token_hex(10)}"
