"""Questions to DNS: of the machine's own resolver, or of a zone that tests and development feed.

Rules:
- A question is answered within `LIFETIME_S`, or it is unsure (`DnsUnsure`): SERVFAIL, a timeout and an unreachable
  server say nothing of a sender. That a name or a kind is not there is an answer: none.
- Answers are remembered in this process as long as DNS says, at least `SHORTEST_S` and at most `LONGEST_S`; what is
  not there for `SHORTEST_S`. A failure is not remembered.
- A zone file has a line for each record, `name kind value`, and `#` comments, or is JSON: `{name: {kind: [value]}}`. A
  value of `SERVFAIL` makes the question unsure.
"""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import dns.exception
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

from guardia.kernel.outside import DnsUnsure, Resolver

LIFETIME_S: Final = 1.0
SHORTEST_S: Final = 30.0
LONGEST_S: Final = 3600.0
MOST_REMEMBERED: Final = 10_000
SAMPLE_ZONE: Final = Path(__file__).with_name("sample.zone")
FAILURE: Final = "SERVFAIL"


class SystemResolver:
    """Asks the servers of the machine's configuration."""

    def __init__(self, resolver: dns.resolver.Resolver | None = None) -> None:
        self._resolver = resolver
        self._remembered: dict[tuple[str, str], tuple[float, tuple[str, ...]]] = {}
        self._lock = threading.Lock()

    def ask(self, name: str, kind: str) -> tuple[str, ...]:
        """Return the answers of a kind. Raises DnsUnsure."""
        asked = (name.rstrip(".").lower(), kind)
        with self._lock:
            until, remembered = self._remembered.get(asked, (0.0, ()))
        if time.monotonic() < until:
            return remembered
        answers, lifetime_s = self._fresh(*asked)
        with self._lock:
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[asked] = (time.monotonic() + min(max(lifetime_s, SHORTEST_S), LONGEST_S), answers)
        return answers

    def _fresh(self, name: str, kind: str) -> tuple[tuple[str, ...], float]:
        try:
            resolver = self._resolver or self._configured()
            answer = resolver.resolve(name, kind, lifetime=LIFETIME_S, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return (), SHORTEST_S
        except (dns.exception.Timeout, dns.resolver.NoNameservers, dns.resolver.NoResolverConfiguration) as error:
            raise DnsUnsure(f"{name} {kind}: {type(error).__name__}") from error
        except dns.exception.DNSException:
            return (), SHORTEST_S  # no name that DNS could hold: too long, an empty label
        except OSError as error:
            raise DnsUnsure(f"{name} {kind}: {error.strerror}") from error
        return tuple(_words(one) for one in answer), float(answer.rrset.ttl if answer.rrset else SHORTEST_S)

    def _configured(self) -> dns.resolver.Resolver:
        self._resolver = dns.resolver.Resolver()
        return self._resolver


def _words(record: object) -> str:
    if isinstance(record, TXT):
        return b"".join(record.strings).decode("latin-1")
    if isinstance(record, MX):
        return f"{record.preference} {record.exchange.to_text(omit_final_dot=True)}"
    return str(record).rstrip(".")


@dataclass
class ZoneResolver:
    """Answers from `records`, and remembers what it was asked; what is not there does not exist."""

    records: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def ask(self, name: str, kind: str) -> tuple[str, ...]:
        """Return the answers of a kind. Raises DnsUnsure where the zone says so."""
        key = (name.rstrip(".").lower(), kind)
        self.asked = [*self.asked[-999:], key]
        answers = self.records.get(key, ())
        if FAILURE in answers:
            raise DnsUnsure(f"{name} {kind}: {FAILURE}")
        return answers


def read_zone(text: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the records of a zone file. Raises ValueError for a line that is no record."""
    if text.lstrip().startswith("{"):
        return {
            (name.rstrip(".").lower(), kind.upper()): tuple(values)
            for name, kinds in json.loads(text).items()
            for kind, values in kinds.items()
        }
    records: dict[tuple[str, str], tuple[str, ...]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            name, kind, value = line.split(None, 2)
        except ValueError:
            raise ValueError(f"line {number}: expected `name kind value`, got {line.strip()[:60]!r}") from None
        key = (name.rstrip(".").lower(), kind.upper())
        records[key] = (*records.get(key, ()), value.strip())
    return records


def make_resolver(source: str) -> Resolver:
    """Return the resolver that the setting names: `system`, `sample`, or the path of a zone file."""
    if source == "system":
        return SystemResolver()
    path = SAMPLE_ZONE if source == "sample" else Path(source)
    return ZoneResolver(read_zone(path.read_text(encoding="utf-8")))
