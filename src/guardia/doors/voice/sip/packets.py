"""One SIP packet, read strictly and written again in one plain form.

Only the headers that the line uses are kept; everything else a packet carries is left behind here. A packet that
cannot even be answered raises Unreadable; one that can, Refused with the code that says why.
"""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from guardia.doors.voice.sip.addresses import (
    BadAddress,
    NamedUri,
    Uri,
    read_host_port,
    read_named,
    read_params,
    read_uri,
    split_commas,
    write_params,
)

BIGGEST: Final = 8192
LONGEST_LINE: Final = 2048
MOST_HEADERS: Final = 100
MOST_VIAS: Final = 30
MOST_ADDRESSES: Final = 20
HIGHEST_NUMBER: Final = 2**31 - 1
HANDLED: Final = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO")
REFUSED: Final = ("REGISTER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "MESSAGE", "REFER", "PRACK", "UPDATE")
BODIES: Final = ("application/sdp", "application/dtmf-relay", "application/dtmf")
_SHORT: Final = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "c": "content-type",
    "l": "content-length",
    "e": "content-encoding",
}
_BLANKS: Final = " \t"
_ONCE: Final = ("from", "to", "call-id", "cseq", "max-forwards", "content-length", "content-type", "expires")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_HEADER = re.compile(r"([A-Za-z0-9.!%*_+`'~-]{1,64})[ \t]*:[ \t]*(.*)")
_METHOD = re.compile(r"[A-Za-z0-9.!%*_+`'~-]{1,32}")
_CALL_ID = re.compile(r"[A-Za-z0-9.!%*_+`'~()<>:\\/\[\]?{}@=-]{1,200}")
_CSEQ = re.compile(r"([0-9]{1,10})[ \t]+([A-Za-z0-9.!%*_+`'~-]{1,32})")
_VIA = re.compile(r"SIP[ \t]*/[ \t]*2\.0[ \t]*/[ \t]*([A-Za-z-]{1,8})[ \t]+([^;\s]{1,260})[ \t]*(.*)", re.IGNORECASE)
_BRANCH = re.compile(r"[A-Za-z0-9.!%*_+`'~:/&$()\[\]{}|^=-]{1,128}")


class Unreadable(ValueError):
    """A packet that is dropped; its one argument is the reason, a fixed word."""


class Refused(ValueError):
    """A request that is answered with a code; arguments: code, reason phrase, headers of the answer."""

    def __init__(self, code: int, phrase: str, headers: tuple[str, ...] = ()) -> None:
        super().__init__(phrase)
        self.code, self.phrase, self.headers = code, phrase, headers


@dataclass
class Packet:
    """What was understood of a packet. `code` is 0 for a request."""

    method: str
    code: int
    start: str
    vias: list[str]
    sender: NamedUri
    to: NamedUri
    call_id: str
    cseq: int
    raw: dict[str, list[str]] = field(default_factory=dict)
    kept: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def write(self) -> bytes:
        """Return it in plain form."""
        lines = [self.start, *(f"Via: {via}" for via in self.vias)]
        lines += [f"From: {self.sender}", f"To: {self.to}", f"Call-ID: {self.call_id}"]
        lines += [f"CSeq: {self.cseq} {self.method}", *(f"{name}: {value}" for name, value in self.kept)]
        lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode("ascii") + self.body


def read(data: bytes) -> Packet:
    """Read the start and the five headers without which nothing can be answered. Raises Unreadable."""
    head, blank, body = data.partition(b"\r\n\r\n")
    if not blank or len(head) > BIGGEST:
        raise Unreadable("no_end_of_headers")
    start, headers = _headers(head.decode("latin-1"))
    for name in ("from", "to", "call-id", "cseq"):
        if len(headers.get(name, ())) != 1:
            raise Unreadable("headers_lacking_or_double")
    cseq = _CSEQ.fullmatch(headers["cseq"][0])
    if cseq is None or int(cseq[1]) > HIGHEST_NUMBER or not _CALL_ID.fullmatch(headers["call-id"][0]):
        raise Unreadable("cseq_or_call_id")
    try:
        vias = _vias(headers.get("via", []))
        sender, to = read_named(headers["from"][0]), read_named(headers["to"][0])
    except BadAddress as error:
        raise Unreadable("address") from error
    method, code, plain = _start(start)
    if (code and method and method != cseq[2]) or (not code and method != cseq[2]):
        raise Unreadable("cseq_method")
    packet = Packet(cseq[2], code, plain, vias, sender, to, headers["call-id"][0], int(cseq[1]), headers)
    packet.body = body
    return packet


def _headers(head: str) -> tuple[str, dict[str, list[str]]]:
    lines = head.split("\r\n")
    if len(lines) > MOST_HEADERS or any(_CONTROL.search(line) for line in lines):
        raise Unreadable("too_many_headers_or_control_marks")
    unfolded: list[str] = []
    for line in lines:
        if line.startswith((" ", "\t")):
            if len(unfolded) < 2:  # noqa: PLR2004 (a start line cannot be folded)
                raise Unreadable("folded")
            unfolded[-1] += " " + line.strip(_BLANKS)
        else:
            unfolded.append(line.strip(_BLANKS))
    if any(len(line) > LONGEST_LINE for line in unfolded):
        raise Unreadable("long_line")
    headers: dict[str, list[str]] = {}
    for line in unfolded[1:]:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise Unreadable("header_line")
        name = match[1].lower()
        headers.setdefault(_SHORT.get(name, name), []).append(match[2].strip(_BLANKS))
    return unfolded[0], headers


def _start(line: str) -> tuple[str, int, str]:
    """Return method, code and plain start line; a request address is checked later, so that it can be answered."""
    if line.upper().startswith("SIP/"):
        match = re.fullmatch(r"SIP/2\.0 ([1-6][0-9]{2})(?: .*)?", line, re.IGNORECASE)
        if match is None:
            raise Unreadable("status_line")
        return "", int(match[1]), f"SIP/2.0 {match[1]} Said"
    parts = line.split(" ")
    if len(parts) != 3 or not _METHOD.fullmatch(parts[0]):  # noqa: PLR2004 (method, address, version)
        raise Unreadable("start_line")
    return parts[0], 0, line


def _vias(lines: list[str]) -> list[str]:
    entries = [entry for line in lines for entry in split_commas(line)]
    if not 0 < len(entries) <= MOST_VIAS:
        raise Unreadable("vias")
    return [_via(entry, is_top=index == 0) for index, entry in enumerate(entries)]


def _via(entry: str, *, is_top: bool) -> str:
    match = _VIA.fullmatch(entry)
    if match is None or (is_top and match[1].upper() != "UDP"):
        raise Unreadable("via")
    host, port = read_host_port(match[2])
    params = read_params(match[3])
    branch = dict(params).get("branch")
    if is_top and not (branch and branch.startswith("z9hG4bK") and _BRANCH.fullmatch(branch)):
        raise Unreadable("branch")
    if is_top:
        # Where the answer goes is said by the packet's own source, never by the packet.
        params = tuple(
            (key, None if key == "rport" else value)
            for key, value in params
            if key not in {"received", "maddr", "ttl", "alias"}
        )
    where = host if port is None else f"{host}:{port}"
    return f"SIP/2.0/{match[1].upper()} {where}{write_params(params)}"


def check(packet: Packet, size: int) -> None:
    """Check the rest and choose what is kept. Raises Refused; of a response, whatever is wrong is reason to drop it."""
    if size > BIGGEST:
        raise Refused(513, "Message Too Large")
    try:
        _check_once(packet)
        if not packet.code:
            _check_request(packet)
        _keep_addresses(packet)
    except BadAddress as error:
        raise Refused(400, "Bad Address") from error
    _check_length(packet)
    _check_body(packet)


def _check_once(packet: Packet) -> None:
    for name in _ONCE:
        if len(packet.raw.get(name, ())) > 1:
            raise Refused(400, "Doubled Header")
    for name in ("max-forwards", "expires"):
        value = packet.raw.get(name, ["70"])[0]
        if not re.fullmatch(r"[0-9]{1,10}", value) or int(value) > HIGHEST_NUMBER:
            raise Refused(400, "Bad Number")
        if name == "expires" and name in packet.raw:
            packet.kept.append(("Expires", value))
    if packet.sender.param("tag") is None:
        raise Refused(400, "No Tag")


def _check_request(packet: Packet) -> None:
    method, address, version = packet.start.split(" ")
    if version.upper() != "SIP/2.0":
        raise Refused(505, "Version Not Supported")
    if method in REFUSED:
        raise Refused(405, "Method Not Allowed", (f"Allow: {', '.join(HANDLED)}",))
    if method not in HANDLED:
        raise Refused(501, "Not Implemented", (f"Allow: {', '.join(HANDLED)}",))
    packet.start = f"{method} {_request_uri(address)} SIP/2.0"
    if method not in {"ACK", "CANCEL"}:
        options = [option for line in packet.raw.get("require", []) for option in split_commas(line) if option]
        if options:
            known = [option for option in options if re.fullmatch(r"[A-Za-z0-9.-]{1,32}", option)]
            raise Refused(420, "Bad Extension", (f"Unsupported: {', '.join(known) or 'all'}",))
    if "replaces" in packet.raw:
        raise Refused(403, "Replaces Refused")
    packet.kept.append(("Max-Forwards", str(min(int(packet.raw.get("max-forwards", ["70"])[0]), 255))))


def _request_uri(address: str) -> Uri:
    if address.partition(":")[0].lower() != "sip":
        raise Refused(416, "Unsupported URI Scheme")
    return read_uri(address)


def _keep_addresses(packet: Packet) -> None:
    if packet.code < 300:  # noqa: PLR2004 (a refusal is not followed: no redirects)
        if packet.method == "REGISTER":
            packet.kept += [("Contact", str(binding)) for binding in _bindings(packet)]
        if packet.method == "INVITE":
            contacts = [read_named(text) for text in _listed(packet, "contact")]
            if len(contacts) != 1 if not packet.code else len(contacts) > 1:
                raise Refused(400, "One Contact Wanted")
            packet.kept += [("Contact", str(contact)) for contact in contacts]
            routes = [read_named(text) for text in _listed(packet, "record-route")]
            packet.kept += [("Record-Route", str(route)) for route in routes]
    for name, written in (("www-authenticate", "WWW-Authenticate"), ("proxy-authenticate", "Proxy-Authenticate")):
        if packet.code in {401, 407}:
            packet.kept += [(written, value) for value in packet.raw.get(name, [])[:4] if value.isascii()]


def _bindings(packet: Packet) -> list[NamedUri]:
    """Return what a registrar says is registered; what others registered there may be anything, and is not ours."""
    found = []
    for text in _listed(packet, "contact"):
        with suppress(BadAddress):
            found.append(read_named(text))
    return found


def _listed(packet: Packet, name: str) -> list[str]:
    found = [entry for line in packet.raw.get(name, []) for entry in split_commas(line)]
    if len(found) > MOST_ADDRESSES:
        raise Refused(400, "Too Many Addresses")
    return found


def _check_length(packet: Packet) -> None:
    length = packet.raw.get("content-length", [str(len(packet.body))])[0]
    if not re.fullmatch(r"[0-9]{1,6}", length) or int(length) > len(packet.body):
        raise Refused(400, "Bad Content-Length")
    packet.body = packet.body[: int(length)]


def _check_body(packet: Packet) -> None:
    if not packet.body:
        return
    kind = packet.raw.get("content-type", [""])[0].partition(";")[0].strip().lower()
    encoding = packet.raw.get("content-encoding", ["identity"])[0].lower()
    if kind not in BODIES or encoding != "identity":
        if packet.method == "INVITE" and not packet.code:
            raise Refused(415, "Unsupported Media Type", ("Accept: application/sdp",))
        packet.body = b""
        return
    text = packet.body.decode("utf-8", "replace").encode("ascii", "replace")
    if re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
        raise Refused(400, "Bad Body")
    packet.body = text
    packet.kept.append(("Content-Type", kind))
