"""What may come near sippy: every packet is judged here first, and handed on only in plain form.

Packets of peers that are not on the list get silence. A peer's packets, and its calls by themselves, are limited in
rate. A packet is passed (written anew), dropped (counted by its reason), or answered here without any state where
that is safe: the answer goes where the packet came from and is never longer than it by more than a few headers.
"""

import hmac
import secrets
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Final

from guardia.doors.voice.sip import packets
from guardia.doors.voice.sip.packets import Packet, Refused, Unreadable

MOST_SOURCES: Final = 4096
PACKETS_A_SECOND: Final = 1000.0
CALLS_A_SECOND: Final = 100.0
BURST_S: Final = 3.0
NAMED_FOR_S: Final = 3600.0
MOST_NAMED: Final = 64


@dataclass(frozen=True)
class Pass:
    """To be handed on, as written here."""

    data: bytes


@dataclass(frozen=True)
class Drop:
    """To be forgotten."""

    reason: str


@dataclass(frozen=True)
class Answer:
    """To be answered with this, to where the packet came from."""

    data: bytes
    code: int


Verdict = Pass | Drop | Answer


@dataclass
class Bucket:
    """How many more packets a source may send; `at` is when that was true, in seconds."""

    left: float
    at: float

    def take(self, rate: float, now: float) -> bool:
        self.left = min(rate * BURST_S, self.left + (now - self.at) * rate)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass
class Guard:
    """Who may send, how much of it, and what. `own` are our watchdog's addresses: on no list, and without limit."""

    peers: Iterable[str]
    own: set[tuple[str, int]] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._networks = [ip_network(peer, strict=False) for peer in self.peers]
        self._hosts: dict[str, float] = {}
        self._packets: OrderedDict[str, Bucket] = OrderedDict()
        self._calls: OrderedDict[str, Bucket] = OrderedDict()
        self._key = secrets.token_bytes(16)

    def also(self, hosts: Iterable[str], now: float) -> None:
        """Name numeric addresses of the trunk; those named before are kept for an hour after they were last named.

        Names are often answered with one address of many: a call of the address before must not become a stranger's.
        """
        named = {str(ip_address(host)): now for host in list(hosts)[:MOST_NAMED]}
        kept = {host: at for host, at in self._hosts.items() if now - at <= NAMED_FOR_S and host not in named}
        self._hosts = dict([*kept.items(), *named.items()][-MOST_NAMED:])

    def is_named(self, host: str) -> bool:
        """Whether a numeric address in its usual spelling is the trunk's."""
        return host in self._hosts

    def allows(self, host: str) -> bool:
        """Whether a numeric address is on the list or the trunk's."""
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return self.is_named(str(address)) or any(address in network for network in self._networks)

    def admit(self, data: bytes, peer: tuple[str, int], now: float) -> Verdict:
        """Judge one packet of a peer (numeric address, port) at a time in seconds that only grows."""
        verdict = self._judge(data, peer, now)
        match verdict:
            case Drop(reason):
                self.counts[reason] += 1
            case Answer(code=code):
                self.counts[f"answered_{code}"] += 1
            case Pass():
                self.counts["passed"] += 1
        return verdict

    def _judge(self, data: bytes, peer: tuple[str, int], now: float) -> Verdict:
        is_own = peer in self.own
        if not is_own:
            if not self.allows(peer[0]):
                return Drop("stranger")
            if not self._take(self._packets, peer[0], PACKETS_A_SECOND, now):
                return Drop("too_many_packets")
        if not data.strip(b"\r\n\0 "):
            return Drop("keep_alive")
        try:
            packet = packets.read(data)
        except Unreadable as error:
            return Drop(str(error))
        is_call = packet.method == "INVITE" and not packet.code
        if is_call and not is_own and not self._take(self._calls, peer[0], CALLS_A_SECOND, now):
            return Drop("too_many_calls")
        return _check(packet, len(data), self._key)

    @staticmethod
    def _take(buckets: "OrderedDict[str, Bucket]", host: str, rate: float, now: float) -> bool:
        bucket = buckets.setdefault(host, Bucket(rate * BURST_S, now))
        buckets.move_to_end(host)
        if len(buckets) > MOST_SOURCES:
            buckets.popitem(last=False)
        return bucket.take(rate, now)


def judge(data: bytes, key: bytes) -> Verdict:
    """Judge one packet by itself; `key` makes the tags of answers, the same for a packet sent again."""
    try:
        packet = packets.read(data)
    except Unreadable as error:
        return Drop(str(error))
    return _check(packet, len(data), key)


def _check(packet: Packet, size: int, key: bytes) -> Verdict:
    try:
        packets.check(packet, size)
    except Refused as refusal:
        if packet.code or packet.method == "ACK":
            return Drop(f"bad_{refusal.code}")
        return Answer(_answer(packet, refusal, key), refusal.code)
    return Pass(packet.write())


def _answer(packet: Packet, refusal: Refused, key: bytes) -> bytes:
    to = str(packet.to)
    if packet.to.param("tag") is None:
        to += ";tag=" + hmac.new(key, f"{packet.call_id} {packet.cseq}".encode(), "sha256").hexdigest()[:16]
    lines = [f"SIP/2.0 {refusal.code} {refusal.phrase}", *(f"Via: {via}" for via in packet.vias)]
    lines += [f"From: {packet.sender}", f"To: {to}", f"Call-ID: {packet.call_id}"]
    lines += [f"CSeq: {packet.cseq} {packet.method}", *refusal.headers, "Content-Length: 0", "", ""]
    return "\r\n".join(lines).encode("ascii")
