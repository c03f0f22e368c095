"""Descriptions of audio (SDP, RFC 4566 and 3264): what the far end offers, checked, and what we answer or offer.

We take one audio stream, PCMU or PCMA over plain RTP, by the numbers that are theirs for good (0 and 8): other
numbers, though they may be given those names, would be neither heard nor said. Where it goes must be a numeric
address that is the peer's own or on the list of peers, and a port that can be sent to: nobody makes the line send
audio to a third party. Every other stream is refused with port 0 in our answer. Old-style hold (0.0.0.0) is a far end
that does not hear.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Final

from guardia.doors.voice.control import Codec, RemoteMedia

LONGEST: Final = 6000
MOST_LINES: Final = 200
MOST_STREAMS: Final = 8
LOWEST_PORT: Final = 1024
HIGHEST_PORT: Final = 65535
DIGITS: Final = 101
_HIGHEST_PAYLOAD: Final = 127
_STATIC: Final[dict[int, Codec]] = {0: "PCMU", 8: "PCMA"}
_MEDIA = re.compile(r"([a-z]{1,16}) ([0-9]{1,5})(?:/[0-9]{1,3})? ([A-Za-z0-9/]{1,32}) ([A-Za-z0-9 *.-]{1,200})")
_MAP = re.compile(r"rtpmap:([0-9]{1,3}) ([A-Za-z0-9-]{1,32})/([0-9]{1,6})(?:/1)?")
_CONNECTION = re.compile(r"IN IP([46]) ([0-9A-Fa-f:.]{2,45})")
_DIRECTIONS = {
    "sendrecv": (True, True),
    "sendonly": (True, False),
    "recvonly": (False, True),
    "inactive": (False, False),
}


class Refusal(ValueError):
    """A description that is refused with this code of SIP."""

    def __init__(self, code: int, phrase: str) -> None:
        super().__init__(phrase)
        self.code, self.phrase = code, phrase


@dataclass(frozen=True)
class Described:
    """What the far end describes: its audio, the payload number of its codec, and all its streams, to be mirrored."""

    media: RemoteMedia
    payload: int
    chosen: int
    streams: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Ours:
    """Our own end of a session; `version` grows with every description that differs from the one before."""

    host: str
    port: int
    session: int
    version: int = 1

    def next(self) -> "Ours":
        """Return it for the description after this one."""
        return replace(self, version=self.version + 1)


@dataclass
class _Stream:
    kind: str
    port: int
    protocol: str
    formats: str
    lines: list[str]
    connection: str | None


def read(text: str, peer: str, is_allowed: Callable[[str], bool]) -> Described:
    """Read an offer or an answer that came from a peer's numeric address. Raises Refusal."""
    session, streams = _split(text)
    for index, stream in enumerate(streams):
        if stream.kind == "audio" and stream.port and stream.protocol.upper() == "RTP/AVP":
            return _audio(index, session, streams, peer, is_allowed)
    raise Refusal(488, "No Plain Audio")


def _split(text: str) -> tuple[_Stream, list[_Stream]]:
    """Return the session's lines and its streams'."""
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(text) > LONGEST or len(lines) > MOST_LINES or lines[0].strip() != "v=0":
        raise Refusal(400, "Bad Description")
    session = _Stream("", 0, "", "", [], None)
    streams: list[_Stream] = []
    for line in lines[1:]:
        if not re.match(r"[a-z]=", line):
            raise Refusal(400, "Bad Description")
        value = line[2:].strip()
        current = streams[-1] if streams else session
        if line[0] == "m":
            match = _MEDIA.fullmatch(value)
            if match is None or int(match[2]) > HIGHEST_PORT or len(streams) == MOST_STREAMS:
                raise Refusal(400, "Bad Stream")
            streams.append(_Stream(match[1], int(match[2]), match[3], match[4], [], None))
        elif line[0] == "c" and current.connection is None:
            current.connection = value
        elif line[0] == "a":
            current.lines.append(value)
    return session, streams


def _audio(
    index: int, session: _Stream, streams: list[_Stream], peer: str, is_allowed: Callable[[str], bool]
) -> Described:
    stream = streams[index]
    host, is_held = _host(stream.connection or session.connection, peer, is_allowed)
    if stream.port < LOWEST_PORT:
        raise Refusal(488, "Bad Port")
    payload, codec, digits = _codecs(stream)
    sends, hears = _direction(stream, session)
    media = RemoteMedia(host, stream.port, codec, digits, sends=sends, hears=hears and not is_held)
    return Described(media, payload, index, tuple((each.kind, each.protocol, each.formats) for each in streams))


def _host(connection: str | None, peer: str, is_allowed: Callable[[str], bool]) -> tuple[str, bool]:
    match = _CONNECTION.fullmatch(connection or "")
    if match is None:
        raise Refusal(488, "Numeric Address Wanted")
    try:
        address = ip_address(match[2])
    except ValueError as error:
        raise Refusal(488, "Numeric Address Wanted") from error
    if str(address.version) != match[1] or address.version != ip_address(peer).version:
        raise Refusal(488, "Another Family Of Addresses")
    if address.is_unspecified:
        return peer, True
    if address.is_multicast or str(address) == "255.255.255.255":
        raise Refusal(488, "One Listener Wanted")
    if address != ip_address(peer) and not is_allowed(str(address)):
        raise Refusal(488, "Audio Elsewhere")
    return str(address), False


def _codecs(stream: _Stream) -> tuple[int, Codec, int | None]:
    formats = [int(word) for word in stream.formats.split() if re.fullmatch(r"[0-9]{1,3}", word)]
    named: dict[int, tuple[str, str]] = {}
    for line in stream.lines:
        match = _MAP.fullmatch(line)
        if match is not None:
            named[int(match[1])] = (match[2].upper(), match[3])
    digits = next((number for number in formats if _is_for_keys(number, named.get(number))), None)
    for number in formats:
        codec = _STATIC.get(number)
        if codec is not None and named.get(number, (codec, "8000")) == (codec, "8000"):
            return number, codec, digits
    raise Refusal(488, "PCMU Or PCMA Wanted")


def _is_for_keys(number: int, name: tuple[str, str] | None) -> bool:
    return name == ("TELEPHONE-EVENT", "8000") and number <= _HIGHEST_PAYLOAD and number not in _STATIC


def _direction(stream: _Stream, session: _Stream) -> tuple[bool, bool]:
    for lines in (stream.lines, session.lines):
        for line in lines:
            if line in _DIRECTIONS:
                return _DIRECTIONS[line]
    return True, True


def answer(theirs: Described, ours: Ours) -> str:
    """Return our answer: their audio taken, every other stream of theirs refused."""
    lines = _head(ours)
    for index, (kind, protocol, formats) in enumerate(theirs.streams):
        if index == theirs.chosen:
            lines += _our_audio(ours, {theirs.payload: theirs.media.codec}, theirs.media.digits)
            lines.append(_our_direction(theirs.media))
        else:
            lines.append(f"m={kind} 0 {protocol} {formats}")
    return "\r\n".join([*lines, ""])


def offer(ours: Ours) -> str:
    """Return our own offer."""
    return "\r\n".join([*_head(ours), *_our_audio(ours, _STATIC, DIGITS), "a=sendrecv", ""])


def _head(ours: Ours) -> list[str]:
    where = f"IN IP{ip_address(ours.host).version} {ours.host}"
    return ["v=0", f"o=guardia {ours.session} {ours.version} {where}", "s=-", f"c={where}", "t=0 0"]


def _our_audio(ours: Ours, codecs: dict[int, Codec], digits: int | None) -> list[str]:
    numbers = [*codecs, *([] if digits is None else [digits])]
    lines = [f"m=audio {ours.port} RTP/AVP {' '.join(str(number) for number in numbers)}"]
    lines += [f"a=rtpmap:{number} {name}/8000" for number, name in codecs.items()]
    if digits is not None:
        lines += [f"a=rtpmap:{digits} telephone-event/8000", f"a=fmtp:{digits} 0-15"]
    return [*lines, "a=ptime:20"]


def _our_direction(theirs: RemoteMedia) -> str:
    """Return our side of their direction: what they do not send, we do not expect to hear."""
    words = {(True, True): "sendrecv", (True, False): "recvonly", (False, True): "sendonly", (False, False): "inactive"}
    return f"a={words[theirs.sends, theirs.hears]}"
