"""SIP messages and session descriptions, as little of them as a test phone needs: text in, values out, and back.

It shares nothing with the line's own reading of SIP, so that the phone is a second opinion about the line.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
}
_REQUEST = re.compile(r"([A-Z]+) (\S+) SIP/2\.0")
_RESPONSE = re.compile(r"SIP/2\.0 (\d{3}) ?(.*)")
_TAG = re.compile(r";\s*tag=([^;>\s]+)", re.IGNORECASE)
_URI = re.compile(r"<([^>]+)>|(sips?:[^;\s]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Message:
    """One request (`method`) or response (`code`); headers in their order, names in small letters."""

    method: str = ""
    uri: str = ""
    code: int = 0
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""

    def all(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [value for known, value in self.headers if known == name]

    def get(self, name: str) -> str:
        """Return the first value of a header, or nothing."""
        return next(iter(self.all(name)), "")

    @property
    def cseq(self) -> tuple[int, str]:
        """The sequence number, and the method that it counts."""
        number, _, method = self.get("cseq").partition(" ")
        return (int(number) if number.isdigit() else 0), method.strip()

    @property
    def is_provisional(self) -> bool:
        """Whether it is a response that another one follows."""
        return 100 <= self.code < 200  # noqa: PLR2004 - the classes of RFC 3261, 7.2

    @property
    def is_success(self) -> bool:
        """Whether it is a response that says yes."""
        return 200 <= self.code < 300  # noqa: PLR2004 - the classes of RFC 3261, 7.2

    @property
    def branch(self) -> str:
        """What names the transaction."""
        found = re.search(r";\s*branch=([^;,\s]+)", self.get("via"), re.IGNORECASE)
        return found[1] if found else ""


def parse(data: bytes) -> Message | None:
    """Return the message in a packet, or None where there is none."""
    head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
    start, *lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            small = name.strip().lower()
            headers.append((_COMPACT.get(small, small), value.strip()))
    request, response = _REQUEST.fullmatch(start), _RESPONSE.fullmatch(start)
    if request:
        return Message(method=request[1], uri=request[2], headers=tuple(headers), body=body)
    if response:
        return Message(code=int(response[1]), reason=response[2], headers=tuple(headers), body=body)
    return None


def written(start: str, headers: Sequence[tuple[str, str]], body: str = "") -> bytes:
    """Return a message as it goes over the wire."""
    lines = [start, *(f"{name}: {value}" for name, value in headers), f"Content-Length: {len(body.encode())}", "", body]
    return "\r\n".join(lines).encode()


def tag_of(value: str) -> str:
    """Return the tag of a From or To header, or nothing."""
    found = _TAG.search(value)
    return found[1] if found else ""


def uri_of(value: str) -> str:
    """Return the address in a Contact, From or To header, or nothing."""
    found = _URI.search(value)
    return (found[1] or found[2]) if found else ""


@dataclass(frozen=True)
class FarMedia:
    """Where the far end takes its audio: `codec` is an RTP payload type (0 PCMU, 8 PCMA), `digits` that of RFC 4733."""

    host: str
    port: int
    codec: int
    digits: int | None
    direction: str = "sendrecv"


@dataclass
class Description:
    """Our own side of a session, numbered anew whenever it changes."""

    host: str
    port: int
    codecs: tuple[int, ...]
    version: int = 1
    direction: str = "sendrecv"
    digits: int = 101
    _names: dict[int, str] = field(default_factory=lambda: {0: "PCMU", 8: "PCMA"}, repr=False)

    def text(self) -> str:
        """Return it as SDP (RFC 4566)."""
        formats = [*self.codecs, self.digits]
        lines = [
            "v=0",
            f"o=phone 1 {self.version} IN IP4 {self.host}",
            "s=call",
            f"c=IN IP4 {self.host}",
            "t=0 0",
            f"m=audio {self.port} RTP/AVP {' '.join(map(str, formats))}",
            *(f"a=rtpmap:{codec} {self._names[codec]}/8000" for codec in self.codecs),
            f"a=rtpmap:{self.digits} telephone-event/8000",
            f"a=fmtp:{self.digits} 0-15",
            "a=ptime:20",
            f"a={self.direction}",
        ]
        return "\r\n".join(lines) + "\r\n"


def media_of(sdp: str, codecs: Sequence[int]) -> FarMedia | None:
    """Return where the far end takes audio, in the first of its codecs that is also ours; None where there is none."""
    section = sdp.replace("\r\n", "\n").split("\nm=audio ", 1)
    if len(section) == 1:
        return None
    session, audio = section[0], section[1].split("\nm=", 1)[0]
    first = audio.split("\n", 1)[0].split()
    host = re.search(r"^c=IN IP4 ([0-9.]+)", audio, re.MULTILINE) or re.search(
        r"^c=IN IP4 ([0-9.]+)", session, re.MULTILINE
    )
    shared = [int(word) for word in first[2:] if word.isdigit() and int(word) in codecs]
    if host is None or not first or not first[0].isdigit() or not shared:
        return None
    digits = re.search(r"^a=rtpmap:(\d+) telephone-event/8000", audio, re.MULTILINE | re.IGNORECASE)
    direction = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", sdp.replace("\r\n", "\n"), re.MULTILINE)
    return FarMedia(
        host=host[1],
        port=int(first[0]),
        codec=shared[0],
        digits=int(digits[1]) if digits else None,
        direction=direction[1] if direction else "sendrecv",
    )
