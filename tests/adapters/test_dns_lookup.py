"""Questions to DNS, against a name server that a test runs on loopback, and against zones."""

import socket
import threading
import time
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from guardia.adapters.dns_lookup import SystemResolver, ZoneResolver, make_resolver, read_zone
from guardia.kernel.outside import DnsUnsure

RECORDS = {
    ("long.example.", "TXT"): ['"' + "a" * 200 + '" "' + "b" * 100 + '"'],
    ("mx.example.", "MX"): ["10 one.mx.example.", "20 two.mx.example."],
    ("a.example.", "A"): ["192.0.2.1"],
    ("a.example.", "AAAA"): ["2001:db8::1"],
}


class NameServer:
    """Answers from RECORDS; `servfail.example` fails, `silent.example` is not answered."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.asked: list[str] = []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                wire, peer = self.socket.recvfrom(4096)
            except OSError:
                return  # closed
            query = dns.message.from_wire(wire)
            question = query.question[0]
            name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
            self.asked.append(name)
            if name == "silent.example.":
                continue
            answer = dns.message.make_response(query)
            if name == "servfail.example.":
                answer.set_rcode(dns.rcode.SERVFAIL)
            elif (name, kind) in RECORDS:
                answer.answer.append(dns.rrset.from_text(name, 300, "IN", kind, *RECORDS[name, kind]))
            elif not any(known == name for known, _ in RECORDS):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            self.socket.sendto(answer.to_wire(), peer)


@pytest.fixture
def server() -> Iterator[NameServer]:
    one = NameServer()
    yield one
    one.socket.close()


@pytest.fixture
def resolver(server: NameServer) -> SystemResolver:
    asking = dns.resolver.Resolver(configure=False)
    asking.nameservers, asking.port = ["127.0.0.1"], server.socket.getsockname()[1]
    return SystemResolver(asking)


def test_answers_come_as_text(resolver: SystemResolver) -> None:
    assert resolver.ask("long.example", "TXT") == ("a" * 200 + "b" * 100,)
    assert tuple(sorted(resolver.ask("mx.example", "MX"))) == ("10 one.mx.example", "20 two.mx.example")
    assert resolver.ask("a.example", "A") == ("192.0.2.1",)
    assert resolver.ask("a.example", "AAAA") == ("2001:db8::1",)


def test_what_is_not_there_is_an_answer(resolver: SystemResolver) -> None:
    assert resolver.ask("nowhere.example", "TXT") == ()
    assert resolver.ask("a.example", "TXT") == ()


@pytest.mark.parametrize(
    "name", ["a..example", "x" * 70 + ".example", ".".join(["abcdefgh"] * 40), "", "\ud800.example"]
)
def test_a_name_that_dns_cannot_hold_is_not_there(resolver: SystemResolver, name: str) -> None:
    assert resolver.ask(name, "TXT") == ()


@pytest.mark.parametrize("name", ["servfail.example", "silent.example"])
def test_who_does_not_answer_in_a_second_makes_it_unsure(resolver: SystemResolver, name: str) -> None:
    started = time.monotonic()
    with pytest.raises(DnsUnsure):
        resolver.ask(name, "TXT")
    assert time.monotonic() - started < 1.3


def test_an_answer_is_remembered_and_a_failure_is_not(resolver: SystemResolver, server: NameServer) -> None:
    for _ in range(3):
        resolver.ask("a.example", "A")
        resolver.ask("A.Example.", "A")
        resolver.ask("nowhere.example", "A")
    assert len(server.asked) == 2
    for _ in range(2):
        with pytest.raises(DnsUnsure):
            resolver.ask("servfail.example", "A")
    assert server.asked.count("servfail.example.") == 2


def test_a_zone_file_is_read_in_both_forms() -> None:
    lines = "# a comment\n\na.example TXT v=spf1 -all\nA.example. txt second\n"
    assert read_zone(lines) == {("a.example", "TXT"): ("v=spf1 -all", "second")}
    assert read_zone('{"a.example": {"TXT": ["v=spf1 -all"]}}') == {("a.example", "TXT"): ("v=spf1 -all",)}
    with pytest.raises(ValueError, match="line 2: expected"):
        read_zone("a.example TXT x\nhalf line\n")


def test_a_zone_answers_and_fails_as_it_is_told() -> None:
    zone = ZoneResolver({("a.example", "TXT"): ("x",), ("b.example", "TXT"): ("SERVFAIL",)})
    assert zone.ask("A.example.", "TXT") == ("x",)
    assert zone.ask("a.example", "A") == ()
    with pytest.raises(DnsUnsure):
        zone.ask("b.example", "TXT")


def test_the_setting_names_the_resolver() -> None:
    assert isinstance(make_resolver("system"), SystemResolver)
    sample = make_resolver("sample")
    assert sample.ask("astilleros.example", "TXT") == ("v=spf1 ip4:127.0.0.1 ip6:::1 -all",)
