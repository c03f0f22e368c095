"""SPF (RFC 7208): may this address send mail for this domain?

Rules (the section in brackets):
- At most `MOST_LOOKUPS` mechanisms that ask DNS and `MOST_VOID` empty answers; more is `permerror` (4.6.4).
- Exactly one record is one record; two are `permerror` (4.5). Any broken term makes the whole `permerror` (4.6).
- DNS that does not answer is `temperror`, which is no verdict on the sender (2.6.6).
- `exp` is not asked for: nobody reads it. `ptr` is followed, though nobody should use it (5.5).
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from guardia.kernel.outside import DnsUnsure, Resolver

MOST_LOOKUPS: Final = 10
MOST_VOID: Final = 2
MOST_NAMES: Final = 10
LONGEST_RECORD: Final = 4096
LONGEST_NAME: Final = 253
_QUALIFIERS: Final = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_TERM: Final = re.compile(r"([+\-~?]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?:([:/])(.*))?", re.IGNORECASE | re.DOTALL)
_MODIFIER: Final = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(.*)", re.DOTALL)
_CIDR: Final = re.compile(r"^(.*?)(?:/(\d{1,2}))?(?://(\d{1,3}))?$", re.DOTALL)
_MACRO: Final = re.compile(r"%(?:([%_-])|\{([slodiphcrtv])(\d{0,3})(r?)([.\-+,/_=]*)\})", re.IGNORECASE)
_BITS: Final = {4: 32, 6: 128}


class _Permanent(Exception):
    """The published policy is broken."""


@dataclass
class Spf:
    """One evaluation: who sends, from where, greeting as whom."""

    address: str
    sender: str
    helo: str
    resolver: Resolver

    def __post_init__(self) -> None:
        self._lookups = self._void = 0
        self._ip: IPv4Address | IPv6Address | None = None

    def check(self) -> tuple[str, str]:
        """Return the result and the domain that it is about; `none` for what has no domain, and no address."""
        local, _, domain = self.sender.rpartition("@")
        if not self.sender:
            local, domain = "postmaster", self.helo
        self.sender = f"{local or 'postmaster'}@{domain}"
        domain = domain.rstrip(".").lower()
        try:
            ip = ip_address(self.address)
        except ValueError:
            return "none", domain
        self._ip = ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip
        if not _is_name(domain):
            return "none", domain
        try:
            return self._domain(domain), domain
        except DnsUnsure:
            return "temperror", domain
        except _Permanent:
            return "permerror", domain

    # ---- records ----

    def _domain(self, domain: str) -> str:
        found = [text for text in self.resolver.ask(domain, "TXT") if re.match(r"v=spf1(?: |$)", text, re.IGNORECASE)]
        if not found:
            return "none"
        if len(found) > 1 or len(found[0]) > LONGEST_RECORD:
            raise _Permanent
        terms = found[0].split()[1:]
        redirect = self._checked(terms)
        for term in terms:
            match = _TERM.fullmatch(term)
            if match and self._matches(match[2].lower(), (match[3] or "") + (match[4] or ""), domain):
                return _QUALIFIERS[match[1] or "+"]
        if redirect and not any((match := _TERM.fullmatch(term)) and match[2].lower() == "all" for term in terms):
            self._count()
            result = self._domain(self._name(redirect, domain))
            if result == "none":
                raise _Permanent
            return result
        return "neutral"

    def _checked(self, terms: list[str]) -> str:
        """Return where the record redirects to; every term is looked at before any counts (4.6)."""
        redirects = []
        for term in terms:
            if match := _TERM.fullmatch(term):
                _demand_syntax(match[2].lower(), (match[3] or "") + (match[4] or ""))
                continue
            modifier = _MODIFIER.fullmatch(term)
            if modifier is None:
                raise _Permanent
            if modifier[1].lower() == "redirect":
                _demand_macros(modifier[2])
                redirects.append(modifier[2])
        if len(redirects) > 1:
            raise _Permanent
        return redirects[0] if redirects else ""

    def _count(self) -> None:
        self._lookups += 1
        if self._lookups > MOST_LOOKUPS:
            raise _Permanent

    def _ask(self, name: str, kind: str) -> tuple[str, ...]:
        answers = self.resolver.ask(name, kind)
        if not answers:
            self._void += 1
            if self._void > MOST_VOID:
                raise _Permanent
        return answers

    # ---- mechanisms ----

    def _matches(self, kind: str, argument: str, domain: str) -> bool:
        if kind == "all":
            return True
        if kind in {"ip4", "ip6"}:
            return self._ip in _own_network(kind, argument)
        self._count()
        if kind == "include":
            return self._included(argument, domain)
        if kind == "exists":
            return bool(self._ask(self._name(_told(argument), domain), "A"))
        if kind == "ptr":
            return self._is_named(self._name(_told(argument), domain) if argument else domain)
        told, bits = _with_bits(argument)
        target = self._name(_told(told), domain) if told else domain
        return self._is_any([target] if kind == "a" else self._mail_hosts(target), bits)

    def _included(self, argument: str, domain: str) -> bool:
        result = self._domain(self._name(_told(argument), domain))
        if result == "none":
            raise _Permanent
        return result == "pass"

    def _mail_hosts(self, name: str) -> list[str]:
        hosts = [answer.split()[-1] for answer in self._ask(name, "MX") if answer.split()]
        if len(hosts) > MOST_NAMES:
            raise _Permanent
        return hosts

    def _is_any(self, names: list[str], bits: tuple[int, int]) -> bool:
        ip = self._ip
        assert ip is not None  # noqa: S101  set before anything is evaluated
        kind, length = ("A", bits[0]) if ip.version == 4 else ("AAAA", bits[1])  # noqa: PLR2004  the version of IP
        for name in names:
            for answer in self._ask(name, kind):
                if ip in _network(answer, length):
                    return True
        return False

    def _is_named(self, target: str) -> bool:
        ip = self._ip
        assert ip is not None  # noqa: S101  as above
        kind = "A" if ip.version == 4 else "AAAA"  # noqa: PLR2004  the version of IP
        try:
            names = self._ask(ip.reverse_pointer, "PTR")[:MOST_NAMES]
            return any(
                f".{name.lower()}".endswith(f".{target}") and str(ip) in self.resolver.ask(name, kind) for name in names
            )
        except DnsUnsure:
            return False  # 5.5: a failure is no match

    # ---- names with macros (7) ----

    def _name(self, told: str, domain: str) -> str:
        """Return the domain that a term names, with its macros expanded."""
        name = _MACRO.sub(lambda match: self._expanded(match, domain), told).rstrip(".").lower()
        while len(name) > LONGEST_NAME and "." in name:
            name = name.partition(".")[2]
        if not _is_name(name):
            raise _Permanent
        return name

    def _expanded(self, match: re.Match[str], domain: str) -> str:
        if match[1]:
            return {"%": "%", "_": " ", "-": "%20"}[match[1]]
        local, _, sender_domain = self.sender.rpartition("@")
        ip = self._ip
        assert ip is not None  # noqa: S101  as above
        dotted = str(ip) if ip.version == 4 else ".".join(ip.exploded.replace(":", ""))  # noqa: PLR2004
        values = {"s": self.sender, "l": local, "o": sender_domain, "d": domain, "i": dotted, "p": "unknown"}
        values |= {"h": self.helo, "v": "in-addr" if ip.version == 4 else "ip6"}  # noqa: PLR2004
        parts = re.split("[" + re.escape(match[5] or ".") + "]", values[match[2].lower()])
        if match[4]:
            parts.reverse()
        if match[3]:
            parts = parts[-int(match[3]) :]
        return ".".join(parts)


def _demand_syntax(kind: str, argument: str) -> None:
    """Raise where a mechanism is broken, whether or not it will be reached (4.6)."""
    if kind == "all":
        if argument:
            raise _Permanent
    elif kind in {"ip4", "ip6"}:
        _own_network(kind, argument)
    elif kind in {"a", "mx"}:
        told, _bits_of_both = _with_bits(argument)
        if told:
            _demand_macros(_told(told))
    elif argument or kind != "ptr":
        _demand_macros(_told(argument))


def _demand_macros(told: str) -> None:
    letters = [match for match in _MACRO.finditer(told) if match[2]]
    # c, r and t are for explanations only; of no parts, no name is left.
    if "%" in _MACRO.sub("", told) or any(m[2].lower() in "crt" or (m[3] and not int(m[3])) for m in letters):
        raise _Permanent


def _own_network(kind: str, argument: str) -> IPv4Network | IPv6Network:
    try:
        network: IPv4Network | IPv6Network = ip_network(_told(argument), strict=False)
    except ValueError:
        raise _Permanent from None
    if network.version != int(kind[-1]):
        raise _Permanent
    return network


def _with_bits(argument: str) -> tuple[str, tuple[int, int]]:
    """Return the name of an `a` or `mx`, and how many bits of an IPv4 and of an IPv6 address count."""
    match = _CIDR.match(argument)
    if match is None:
        raise _Permanent
    return match[1], (_bits(match[2], 4), _bits(match[3], 6))


def _told(argument: str) -> str:
    if not argument.startswith(":") or not argument[1:]:
        raise _Permanent
    return argument[1:]


def _bits(told: str | None, version: int) -> int:
    bits = int(told) if told else _BITS[version]
    if bits > _BITS[version]:
        raise _Permanent
    return bits


def _network(answer: str, length: int) -> IPv4Network | IPv6Network:
    try:
        return ip_network(f"{answer}/{length}", strict=False)
    except ValueError:
        return ip_network("0.0.0.0/32")  # no address in the answer: it matches nobody


def _is_name(name: str) -> bool:
    labels = name.split(".")
    return len(labels) > 1 and len(name) <= LONGEST_NAME and all(0 < len(label) <= 63 for label in labels)  # noqa: PLR2004  DNS
