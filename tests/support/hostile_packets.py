"""Hostile SIP packets, made from a good call by rules and by chance: what a line that listens must outlive.

`named` is a list of known attacks, each with its name; `mutated` are as many random ones as wanted, the same for a
seed.
"""

import itertools
import random
from collections.abc import Iterator

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 6000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)
_serial = itertools.count(1)


def packet(method: str = "INVITE", body: str | bytes = SDP, drop: str = "", **changed: str) -> bytes:
    """Return a good packet with some headers changed (`Call_ID="x"`) and some left away (`drop="To Via"`)."""
    mark = f"h{next(_serial)}x"
    raw = body if isinstance(body, bytes) else body.encode()
    headers = {
        "Via": f"SIP/2.0/UDP 127.0.0.1:5998;branch=z9hG4bK{mark}",
        "From": f"<sip:peer@127.0.0.1:5998>;tag={mark}",
        "To": "<sip:line@127.0.0.1>",
        "Call-ID": mark,
        "CSeq": f"1 {method}",
        "Contact": "<sip:peer@127.0.0.1:5998>",
        "Max-Forwards": "70",
        "Content-Type": "application/sdp",
        "Content-Length": str(len(raw)),
    }
    start = changed.pop("start", f"{method} sip:ring@127.0.0.1 SIP/2.0")
    headers.update({name.replace("_", "-"): value for name, value in changed.items()})
    lines = [f"{name}: {value}" for name, value in headers.items() if name not in drop.split()]
    return "\r\n".join([start, *lines, "", ""]).encode("utf-8", "surrogateescape") + raw


_VIA = "SIP/2.0/UDP"
_BRANCH = "branch=z9hG4bK"
_VIAS = {
    "port 99999": f"{_VIA} 127.0.0.1:99999;{_BRANCH}1",
    "port 65536": f"{_VIA} 127.0.0.1:65536;{_BRANCH}2",
    "port 0": f"{_VIA} 127.0.0.1:0;{_BRANCH}3",
    "port -1": f"{_VIA} 127.0.0.1:-1;{_BRANCH}4",
    "rport 99999": f"{_VIA} 127.0.0.1:5998;rport=99999;{_BRANCH}5",
    "rport word": f"{_VIA} 127.0.0.1:5998;rport=abc;{_BRANCH}6",
    "received elsewhere": f"{_VIA} 127.0.0.1:5998;received=192.0.2.9;{_BRANCH}7",
    "received multicast": f"{_VIA} 127.0.0.1:5998;received=224.0.0.1;rport=5060;{_BRANCH}8",
    "maddr": f"{_VIA} 127.0.0.1:5998;maddr=239.1.1.1;ttl=255;{_BRANCH}9",
    "name": f"{_VIA} does-not-exist.invalid;{_BRANCH}10",
    "no branch": f"{_VIA} 127.0.0.1:5998",
    "empty branch": f"{_VIA} 127.0.0.1:5998;branch=",
    "old branch": f"{_VIA} 127.0.0.1:5998;branch=1",
    "long branch": f"{_VIA} 127.0.0.1:5998;{_BRANCH}{'x' * 900}",
    "tcp": f"SIP/2.0/TCP 127.0.0.1:5998;{_BRANCH}11",
    "nothing": "",
    "only words": "once upon a time",
    "ipv6": f"{_VIA} [2001:db8::1]:5060;{_BRANCH}12",
    "ipv6 open": f"{_VIA} [2001:db8::1:5060;{_BRANCH}13",
    "ipv6 scope": f"{_VIA} [fe80::1%25eth0];{_BRANCH}14",
    "flood": ", ".join(f"{_VIA} 10.0.0.{number};{_BRANCH}f{number}" for number in range(60)),
    "commas": ",,,,,,",
    "port twice": f"{_VIA} 127.0.0.1:5998:5998;{_BRANCH}15",
}
_CONTACTS = {
    "transport UDP": "<sip:peer@127.0.0.1:5998;transport=UDP>",
    "transport Udp": "<sip:peer@127.0.0.1:5998;transport=Udp>",
    "transport tcp": "<sip:peer@127.0.0.1:5998;transport=tcp>",
    "transport empty": "<sip:peer@127.0.0.1:5998;transport=>",
    "transport bare": "<sip:peer@127.0.0.1:5998;transport>",
    "transport ws": "<sip:peer@127.0.0.1:5998;transport=ws>",
    "port 99999": "<sip:peer@127.0.0.1:99999>",
    "port 0": "<sip:peer@127.0.0.1:0>",
    "elsewhere": "<sip:victim@192.0.2.1:53>",
    "name": "<sip:peer@does-not-exist.invalid>",
    "star": "*",
    "two": "<sip:a@127.0.0.1>, <sip:b@127.0.0.1>",
    "forty": ", ".join(f"<sip:a{number}@127.0.0.1>" for number in range(40)),
    "nested": "<<<<sip:a@127.0.0.1>>>>",
    "open": "<sip:a@127.0.0.1",
    "open quote": '"peer <sip:a@127.0.0.1>',
    "tel": "<tel:+34600111222>",
    "sips": "<sips:peer@127.0.0.1>",
    "javascript": "<javascript:alert(1)>",
    "headers": "<sip:peer@127.0.0.1?Route=%3Csip:x%3E&a>",
    "maddr": "<sip:peer@127.0.0.1;maddr=224.0.0.1;ttl=x>",
    "empty": "",
    "long": f"<sip:{'a' * 1800}@127.0.0.1>",
    "password": "<sip:peer:secret@127.0.0.1:5998>",
    "ipv6": "<sip:peer@[::1]:5998>",
    "zeros": "<sip:peer@0.0.0.0>",
    "percent": "<sip:%00%0d%0aBYE@127.0.0.1>",
}
_ADDRESSES = {
    "no tag value": "<sip:peer@127.0.0.1>;tag=",
    "two tags": "<sip:peer@127.0.0.1>;tag=a;tag=b",
    "quoted tag": '<sip:peer@127.0.0.1>;tag="a;b"',
    "long tag": f"<sip:peer@127.0.0.1>;tag={'t' * 1500}",
    "nested": "<sip:<sip:<sip:a@b>@c>@d>;tag=1",
    "quotes": '"\\"\\\\\\" <sip:x@y>;tag=2',
    "no address": ";tag=3",
    "spaces": " " * 900 + "<sip:a@b>;tag=4",
    "torn utf-8": '"\udcc3(" <sip:a@127.0.0.1>;tag=5',
    "utf-8": '"Peña Ñandú" <sip:a@127.0.0.1>;tag=6',
    "nul": "<sip:a\0b@127.0.0.1>;tag=7",
    "tel": "<tel:+34600111222;phone-context=x>;tag=8",
    "script": "<sip:<script>alert(1)</script>@127.0.0.1>;tag=9",
    "sql": "<sip:'%20OR%201=1--@127.0.0.1>;tag=10",
    "long user": f"<sip:{'9' * 128}@127.0.0.1>;tag=11",
}
_NUMBERS = ("-1", "4294967296", "99999999999999999999", "abc", "", "1.5", "0x10", "1e9", "٣", "+1", "2147483648")
SDPS = {
    "multicast": SDP.replace("IP4 127.0.0.1\r\nt", "IP4 224.2.1.1/127\r\nt"),
    "name": SDP.replace("IN IP4 127.0.0.1\r\nt", "IN IP4 media.example.org\r\nt"),
    "third party": SDP.replace("IN IP4 127.0.0.1\r\nt", "IN IP4 192.0.2.7\r\nt"),
    "broadcast": SDP.replace("IN IP4 127.0.0.1\r\nt", "IN IP4 255.255.255.255\r\nt"),
    "ipv6": SDP.replace("IN IP4 127.0.0.1\r\nt", "IN IP6 ::1\r\nt"),
    "ipv6 as ipv4": SDP.replace("IN IP4 127.0.0.1\r\nt", "IN IP4 ::1\r\nt"),
    "no address": SDP.replace("c=IN IP4 127.0.0.1\r\n", ""),
    "port 0": SDP.replace("6000", "0"),
    "port 99999": SDP.replace("6000", "99999"),
    "port 22": SDP.replace("6000", "22"),
    "port -1": SDP.replace("6000", "-1"),
    "savp": SDP.replace("RTP/AVP", "RTP/SAVP"),
    "video": SDP.replace("m=audio", "m=video"),
    "codec": SDP.replace("RTP/AVP 0 101", "RTP/AVP 18 96"),
    "payloads": SDP.replace("0 101", " ".join(str(number) for number in range(80))),
    "payload 999": SDP.replace("0 101", "999 -1 0"),
    "many streams": SDP + "m=audio 6002 RTP/AVP 0\r\n" * 60,
    "many lines": SDP + "a=x:1\r\n" * 600,
    "long line": SDP + "a=" + "x" * 5000 + "\r\n",
    "map": SDP + "a=rtpmap:0 EVIL/99999999999999\r\na=rtpmap:zzz x\r\n",
    "no version": SDP.replace("v=0\r\n", ""),
    "words": "hello",
    "nul": SDP + "a=\0\r\n",
    "blank lines": "\r\n\r\n\r\n" + SDP,
    "bare returns": SDP.replace("\r\n", "\r"),
    "json": '{"audio": true}',
    "only v": "v=0",
    "candidates": SDP + "a=candidate:1 1 UDP 1 10.0.0.1 5 typ host\r\n" * 20,
}


def named() -> Iterator[tuple[str, bytes]]:
    """Give known attacks: none of them is a call that a line may take for good."""
    yield from _by_headers()
    yield from _by_requests()
    yield from _by_shape()


def _by_headers() -> Iterator[tuple[str, bytes]]:
    for name, value in _VIAS.items():
        yield f"Via: {name}", packet(Via=value)
    for name, value in _CONTACTS.items():
        yield f"Contact: {name}", packet(Contact=value)
    for name, value in _ADDRESSES.items():
        yield f"From: {name}", packet(From=value)
        yield f"To: {name}", packet(To=value)
    for number in _NUMBERS:
        yield f"CSeq: {number}", packet(CSeq=f"{number} INVITE")
        yield f"Content-Length: {number}", packet(Content_Length=number)
        yield f"Max-Forwards: {number}", packet(Max_Forwards=number)
        yield f"Expires: {number}", packet(Expires=number)
    for name, body in SDPS.items():
        yield f"SDP: {name}", packet(body=body)
    for name in ("Via", "From", "To", "Call-ID", "CSeq", "Contact", "Max-Forwards", "Content-Length", "Content-Type"):
        yield f"without {name}", packet(drop=name)
    for route in ("<sip:127.0.0.1;lr>", "<sip:192.0.2.1:53;lr>", "<sip:x.invalid>", "<sip:127.0.0.1:99999;lr>", "<"):
        yield f"Record-Route: {route}", packet(Record_Route=", ".join([route] * 12))


def _by_requests() -> Iterator[tuple[str, bytes]]:
    for method in ("BYE", "CANCEL", "ACK", "INFO", "UPDATE", "REFER", "PRACK", "NOTIFY", "REGISTER", "MESSAGE", "EVIL"):
        yield f"stray {method}", packet(method, body="")
        yield f"{method} of another's call", packet(method, body="", To="<sip:line@127.0.0.1>;tag=guessed")
    yield "CSeq of another method", packet(CSeq="1 BYE")
    yield "SIP/3.0", packet(start="INVITE sip:ring@127.0.0.1 SIP/3.0")
    yield "HTTP", b"GET / HTTP/1.1\r\nHost: line\r\n\r\n"
    for uri in ("sip:", "sips:ring@127.0.0.1", "tel:112", "sip:ring@127.0.0.1:99999", "*", "http://x", "sip:@@@"):
        yield f"request to {uri}", packet(start=f"INVITE {uri} SIP/2.0")
    yield "Replaces", packet(Replaces="abc;to-tag=1;from-tag=2")
    yield "Require", packet(Require="100rel, \x7f, timer")
    yield "multipart", packet(Content_Type="multipart/mixed;boundary=x", body="--x\r\n\r\n--x--")
    yield "gzip", packet(Content_Encoding="gzip")
    for code in (99, 100, 200, 401, 700, 99999):
        status = packet(start=f"SIP/2.0 {code} OK")
        yield f"stray response {code}", status


def _by_shape() -> Iterator[tuple[str, bytes]]:
    good = packet()
    yield "nothing", b""
    yield "keep-alive", b"\r\n\r\n"
    yield "zeros", b"\0" * 512
    yield "noise", bytes(range(256)) * 8
    yield "torn in the head", good[:120]
    yield "no blank line", good.replace(b"\r\n\r\n", b"\r\n", 1)
    yield "bare line feeds", good.replace(b"\r\n", b"\n")
    yield "torn utf-8 in the body", packet(body=SDP.encode() + b"s=\xc3\x28\xff\r\n")
    yield "60 kB header", packet(Subject="x" * 60_000)
    yield "60 kB body", packet(body="a=x\r\n" * 12_000)
    yield "500 headers", good.replace(b"\r\n\r\n", b"\r\n" + b"X-A: b\r\n" * 500 + b"\r\n", 1)
    yield "folded for ever", good.replace(b"\r\n\r\n", b"\r\n" + b" x\r\n" * 200 + b"\r\n", 1)
    yield "doubled headers", good.replace(b"\r\n\r\n", b"\r\nTo: <sip:x@y>\r\nFrom: <sip:x@y>;tag=1\r\n\r\n", 1)
    yield "header without a colon", good.replace(b"\r\n\r\n", b"\r\nnonsense\r\n\r\n", 1)


def mutated(count: int, seed: int) -> Iterator[bytes]:
    """Give packets changed by chance: bytes flipped, pieces doubled, swapped, cut out and filled with noise."""
    chance = random.Random(seed)
    sources = ("INVITE", "OPTIONS", "BYE", "INFO", "ACK", "CANCEL", "REGISTER")
    for _ in range(count):
        raw = bytearray(packet(chance.choice(sources)))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(raw))
            until = min(len(raw), at + chance.randint(1, 40))
            match chance.randrange(5):
                case 0:
                    raw[at] = chance.randrange(256)
                case 1:
                    raw[at:at] = raw[at:until] * chance.randint(1, 30)
                case 2:
                    del raw[at:until]
                case 3:
                    raw[at:until] = chance.randbytes(until - at)
                case _:
                    raw[at:at] = chance.choice((b"\r\n", b";", b"<", b">", b'"', b",", b"%00", b"99999", b":", b"@"))
            if not raw:
                raw = bytearray(b"x")
        yield bytes(raw)
