"""A caller that writes its own packets: calls that stand, and everything a good telephone would never send in them."""

import itertools
import re
import secrets
import socket
import struct
import time
from types import TracebackType
from typing import Self

from tests.support.line_peers import HOST

_SDP = (
    "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
)
_KEYS = "0123456789*#"


class HostileCaller:
    """One call of its own, with a socket for signals and one for sound. Nothing is sent but what is asked for."""

    def __init__(self, line_port: int, caller: str = "600600600") -> None:
        self._line, self._caller = (HOST, line_port), caller
        self.sip, self.rtp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for one in (self.sip, self.rtp):
            one.bind((HOST, 0))
            one.settimeout(0.5)
        self.call_id, self.tag = secrets.token_hex(8), secrets.token_hex(6)
        self.branch = "z9hG4bK" + secrets.token_hex(8)
        self.to_tag, self.media_port = "", 0
        self._cseq, self._stamps = itertools.count(1), itertools.count(1000, 1600)
        self._sequence, self._source = itertools.count(1), secrets.randbits(32)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.sip.close()
        self.rtp.close()

    # -- signals --

    def packet(self, method: str, cseq: int, body: str = "", content: str = "", branch: str = "", **more: str) -> bytes:
        """Return one request of the call."""
        host, port = self.sip.getsockname()
        to = f";tag={self.to_tag}" if self.to_tag and method != "CANCEL" else ""
        lines = [
            f"{method} sip:line@{HOST}:{self._line[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};rport;branch={branch or 'z9hG4bK' + secrets.token_hex(8)}",
            f"From: <sip:{self._caller}@{host}:{port}>;tag={self.tag}",
            f"To: <sip:line@{HOST}>{to}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:{self._caller}@{host}:{port}>",
            "Max-Forwards: 70",
            *(f"{name}: {value}" for name, value in more.items()),
            *([f"Content-Type: {content}"] if content else []),
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join([*lines, "", ""]) + body).encode("latin-1", "replace")

    def described(self, direction: str = "sendrecv", host: str = HOST, port: int = 0) -> str:
        """Return a description of our sound."""
        return _SDP.format(host=host, port=port or self.rtp.getsockname()[1], direction=direction)

    def send(self, data: bytes) -> None:
        """Send a packet to the line's SIP port."""
        self.sip.sendto(data, self._line)

    def invite(self, body: str | None = None) -> int:
        """Send an INVITE and return its CSeq."""
        number = next(self._cseq)
        body = self.described() if body is None else body
        branch = self.branch if number == 1 else ""
        self.send(self.packet("INVITE", number, body, "application/sdp" if body else "", branch))
        return number

    def answer(self, method: str = "INVITE", within_s: float = 30.0) -> int:
        """Return the code of the next final answer to a method; 0 where none comes."""
        ends_at = time.monotonic() + within_s
        while time.monotonic() < ends_at:
            try:
                text = self.sip.recv(65_536).decode("latin-1")
            except TimeoutError:
                continue
            code = int(text[8:11]) if text.startswith("SIP/2.0 ") else 0
            if code < 200 or f" {method}\r\n" not in text:
                continue
            tag = re.search(r"^To:.*;tag=([^;\s]+)", text, re.MULTILINE | re.IGNORECASE)
            port = re.search(r"^m=audio ([0-9]+)", text, re.MULTILINE)
            if method == "INVITE" and code == 200:
                self.to_tag = tag[1] if tag else ""
                self.media_port = int(port[1]) if port else self.media_port
            return code
        return 0

    def ack(self, number: int) -> None:
        """Acknowledge an answer."""
        self.send(self.packet("ACK", number))

    def stand(self) -> Self:
        """Let the call stand."""
        number = self.invite()
        assert self.answer() == 200
        self.ack(number)
        return self

    def info(self, key: str) -> None:
        """Press a key by INFO, without waiting for the answer."""
        self.send(self.packet("INFO", next(self._cseq), f"Signal={key}\r\nDuration=100\r\n", "application/dtmf-relay"))

    def bye(self) -> None:
        """Hang up."""
        self.send(self.packet("BYE", next(self._cseq)))

    # -- sound --

    def sound(self, payload: bytes, kind: int = 0, stamp: int = 0) -> None:
        """Send one packet of RTP."""
        stamp = stamp or next(self._stamps)
        header = struct.pack("!BBHII", 0x80, kind, next(self._sequence) & 0xFFFF, stamp, self._source)
        self.rtp.sendto(header + payload, (HOST, self.media_port))

    def event(self, key: str) -> None:
        """Press a key by RFC 4733."""
        stamp = next(self._stamps)
        for frame, end in ((1, 0), (2, 0), (3, 0x80), (3, 0x80), (3, 0x80)):
            self.sound(struct.pack("!BBH", _KEYS.index(key), end | 10, 160 * frame), 101, stamp)

    def hears(self, within_s: float = 2.0) -> int:
        """Return how many packets of sound come within a time."""
        self.rtp.settimeout(0.05)
        ends_at, heard = time.monotonic() + within_s, 0
        while time.monotonic() < ends_at:
            try:
                self.rtp.recv(2048)
            except TimeoutError:
                continue
            heard += 1
        return heard
