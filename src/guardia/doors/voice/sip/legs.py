"""The two kinds of legs: one that rings here, and one that we call. Each ends exactly once."""

import secrets
from typing import Any, Final

from guardia.doors.voice.control import Ended, LegListener, RemoteMedia, Why
from guardia.doors.voice.sip import sdp
from guardia.doors.voice.sip.dialog import Dialog, Office, headers_of, reply, text_of
from guardia.doors.voice.sip.wire import told

_BUSY: Final = frozenset({486, 600, 603})
_UNANSWERED: Final = frozenset({408, 480})
_SERVER: Final = 500


class ArrivingLeg(Dialog):
    """An incoming call. `described` is None where it brought no offer: then we offer, and the ACK answers."""

    def __init__(self, office: Office, request: Any, transaction: Any, described: sdp.Described | None) -> None:
        to, sender = str(request.getHFBody("to")), str(request.getHFBody("from"))
        local = f"{to};tag={secrets.token_hex(16)}"
        super().__init__(office, str(request.getHFBody("call-id")), local, sender, request.getSource())
        self._request, self._transaction = request, transaction
        self._described = described
        self._received = request.getHFBody("cseq").getCSeqNum()
        self._aim(request, headers_of(request, "record-route"))
        transaction.cancel_cb = self._cancelled
        transaction.noack_cb = self._unacknowledged
        transaction.r487.getHFBody("to").setTag(self._local_tag)

    def is_same_call(self, request: Any) -> bool:
        """Whether a new request is this call come by another way (RFC 3261, 8.2.2.2)."""
        sender = request.getHFBody("from").getTag()
        return str(request.getHFBody("call-id")) == self.id and sender == self._remote_tag

    def ring(self) -> None:
        """Say that it rings; a call that is answered or over stays as it is."""
        if self._is_open():
            self._say(180, "Ringing", (("Contact", self._office.contact),))

    def answer(self, port: int) -> None:
        """Take the call."""
        if not self._is_open():
            return
        self._ours = sdp.Ours(self._office.public_host, port, secrets.randbelow(2**31))
        theirs = self._described
        self._media = None if theirs is None else theirs.media
        described = sdp.offer(self._ours) if theirs is None else sdp.answer(theirs, self._ours)
        request, transaction = self._request, self._transaction
        self._request = self._transaction = None
        self.is_up = True
        self._accept(request, transaction, described, is_late=theirs is None, is_first=True)

    def refuse(self, code: int, reason: str) -> None:
        """Refuse the call."""
        if self._is_open():
            self._say(code, reason)
            self.end(Ended("ours", code))

    def hang_up(self) -> None:
        """End it: refused if it still rings, BYE if it is up, BYE after the ACK if that has not come yet."""
        if self._is_open():
            self.refuse(480, "Temporarily Unavailable")
        elif not self.is_over:
            if not self._pending:
                self._bye()
            self.end(Ended("ours"))

    def part(self) -> None:
        """End it without waiting for an ACK: the line itself is ending."""
        is_pending = self._pending
        self.hang_up()
        if is_pending:
            self._bye()

    def _is_open(self) -> bool:
        return self._transaction is not None and not self.is_over

    def _say(self, code: int, phrase: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        response = reply(self._request, code, phrase, headers)
        response.getHFBody("to").setTag(self._local_tag)
        self._office.transactions.sendResponse(response, t=self._transaction)

    def _leave_early(self) -> None:
        if self._is_open():
            self._say(487, "Request Terminated")

    def _cancelled(self, *_: object) -> None:
        self.end(Ended("cancelled", 487))

    def end(self, how: Ended) -> None:
        """Let go of the request too."""
        super().end(how)
        self._request = self._transaction = self._described = None


class CalledLeg(Dialog):
    """A call of ours. It is cancelled after `ring_s` without an answer; who answers all the same hears BYE."""

    def __init__(self, office: Office, ends: tuple[str, str, str], hop: tuple[str, int], listener: LegListener) -> None:
        local, remote, target = ends
        super().__init__(office, secrets.token_hex(16), local, remote, hop)
        self._target = target
        self._has_rung = False
        self._transaction: Any = None
        self._ring_s = 0.0
        self.listener = listener

    def call(self, port: int, ring_s: float) -> None:
        """Send the INVITE."""
        self._ring_s = ring_s
        self._ours = sdp.Ours(self._office.public_host, port, secrets.randbelow(2**31))
        self._transaction = self.request("INVITE", sdp.offer(self._ours), self._heard)
        self._timers.append(self._office.later(ring_s, lambda: self._give_up("no_answer")))

    def ring(self) -> None:
        """Nothing: it is not ours to ring."""

    def answer(self, port: int) -> None:
        """Nothing: it is not ours to answer."""

    def refuse(self, code: int, reason: str) -> None:  # noqa: ARG002 (a refusal of ours is a hang-up here)
        """Hang up."""
        self.hang_up()

    def hang_up(self) -> None:
        """End it: CANCEL while it rings, BYE when it is up."""
        if self.is_up:
            self._bye()
            self.end(Ended("ours"))
        else:
            self._give_up("ours")

    def part(self) -> None:
        """End it; the line itself is ending."""
        self.hang_up()

    def _expires(self) -> int:
        return int(self._ring_s) + 30

    def _resent(self, transaction: Any, method: str) -> None:
        if method == "INVITE":
            self._transaction = transaction

    def _give_up(self, why: Why) -> None:
        if self.is_over or self.is_up:
            return
        transaction, self._transaction = self._transaction, None
        try:
            if transaction is not None:
                self._office.transactions.cancelTransaction(transaction)
        except Exception:  # noqa: BLE001 (sippy cannot cancel what is over; the leg ends all the same)
            told("CANCEL")
        finally:
            self.end(Ended(why))

    def _heard(self, response: Any) -> None:
        code, _ = response.getSCode()
        if code < 200:  # noqa: PLR2004 (still ringing)
            if code > 100 and not self._has_rung and not self.is_over:  # noqa: PLR2004 (100 says nothing)
                self._has_rung = True
                self.listener.ringing()
            return
        self._transaction = None
        if code < 300:  # noqa: PLR2004 (taken)
            self._take_or_fail(response)
        else:
            self.end(Ended(_why(code), code))

    def _take_or_fail(self, response: Any) -> None:
        try:
            self._taken(response)
        except Exception:  # noqa: BLE001 (the far end must not be left in a call that is none)
            told("2xx")
            self._office.later(0, self._bye_late)
            self.end(Ended("failed", 500))

    def _taken(self, response: Any) -> None:
        self._remote = str(response.getHFBody("to"))
        self._remote_tag = response.getHFBody("to").getTag()
        if self._remote_tag is None:
            self.end(Ended("failed", 502))
            return
        self._aim(response, headers_of(response, "record-route")[::-1])
        if self.is_over:
            self._office.later(0, self._bye_late)
            return
        try:
            self._media = sdp.read(text_of(response), self._peer_host(), self._office.allows).media
        except sdp.Refusal as refusal:
            self._office.later(0, self._bye_late)
            self.end(Ended("failed", refusal.code))
            return
        self.is_up = True
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        media: RemoteMedia = self._media
        # After the ACK, which the transaction sends when this returns: who is told may hang up at once.
        self._office.later(0, lambda: None if self.is_over else self._up(media))

    def _bye_late(self) -> None:
        self._bye()


def _why(code: int) -> Why:
    if code in _BUSY:
        return "busy"
    if code in _UNANSWERED:
        return "no_answer"
    return "failed" if _SERVER <= code < 600 else "refused"  # noqa: PLR2004 (the server's own failures)
