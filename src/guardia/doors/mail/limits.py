"""How much one peer may do at the mail listener: messages a minute, connections at the same time.

A peer is an IPv4 address or an IPv6 network of 64 bits. The operator's own mail servers (trusted networks) are held to
no rate and no number of connections of their own, only to what all together may have.
"""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

MOST_CONNECTIONS: Final = 1000
MOST_PEERS: Final = 20_000
_IPV6_PEER_BITS: Final = 64


def plain_address(told: object) -> str:
    """Return a peer's address as text, an IPv4 one mapped into IPv6 as IPv4; empty where there is none."""
    try:
        address = ip_address(str(told).partition("%")[0])
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def is_within(address: str, networks: Sequence[str]) -> bool:
    """Whether an address lies in one of the networks."""
    try:
        one = ip_address(address)
    except ValueError:
        return False
    return any(one in network for network in (ip_network(text) for text in networks))


def peer_of(address: str) -> str:
    """Return whom an address counts as."""
    try:
        one = ip_address(address)
    except ValueError:
        return address
    network: IPv4Network | IPv6Network = ip_network((one, _IPV6_PEER_BITS if one.version == 6 else 32), strict=False)  # noqa: PLR2004  the version of IP
    return str(network)


class Limits:
    """What each peer has left."""

    def __init__(
        self,
        rate_per_minute: int,
        connections: int,
        trusted: Sequence[str] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate, self._most, self._trusted, self._monotonic = rate_per_minute, connections, trusted, monotonic
        self._open: Counter[str] = Counter()
        self._tokens: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def may_connect(self, address: str) -> bool:
        """Whether one more connection is taken; it counts from now on until `leave`."""
        peer = peer_of(address)
        is_free = is_within(address, self._trusted) or self._open[peer] < self._most
        if not is_free or self._open.total() >= MOST_CONNECTIONS:
            return False
        self._open[peer] += 1
        return True

    def leave(self, address: str) -> None:
        """A connection that was taken has ended."""
        peer = peer_of(address)
        self._open[peer] -= 1
        if self._open[peer] <= 0:
            del self._open[peer]

    def may_send(self, address: str) -> bool:
        """Whether one more message is taken now; each minute gives the peer its rate anew, evenly."""
        if is_within(address, self._trusted):
            return True
        peer, now = peer_of(address), self._monotonic()
        left, at = self._tokens.pop(peer, (float(self._rate), now))
        left = min(float(self._rate), left + (now - at) * self._rate / 60)
        is_free = left >= 1
        self._tokens[peer] = (left - 1 if is_free else left, now)
        if len(self._tokens) > MOST_PEERS:
            self._tokens.popitem(last=False)
        return is_free
