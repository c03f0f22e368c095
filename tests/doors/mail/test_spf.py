"""SPF as RFC 7208 has it: each rule with the section it is from."""

from collections.abc import Mapping

import pytest

from guardia.adapters.dns_lookup import ZoneResolver, read_zone
from guardia.doors.mail.spf import Spf

ZONE = """
ip4.example         TXT   v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.7 -all
ip6.example         TXT   v=spf1 ip6:2001:db8::/32 -all
soft.example        TXT   v=spf1 ~all
neutral.example     TXT   v=spf1 ?all
silent.example      TXT   v=spf1
none.example        TXT   google-site-verification=x
nearly.example      TXT   v=spf10 +all
two.example         TXT   v=spf1 +all
two.example         TXT   v=spf1 -all
upper.example       TXT   V=SPF1 IP4:192.0.2.1 -ALL
typo.example        TXT   v=spf1 ip4:192.0.2.1 ipv4:192.0.2.2 -all
badip.example       TXT   v=spf1 ip4:192.0.2.300 -all
mixed.example       TXT   v=spf1 ip4:2001:db8::1 -all
a.example           TXT   v=spf1 a -all
a.example           A     192.0.2.1
a.example           AAAA  2001:db8::1
a24.example         TXT   v=spf1 a:a.example/24//64 -all
mx.example          TXT   v=spf1 mx -all
mx.example          MX    10 a.example
mxmany.example      TXT   v=spf1 mx -all
include.example     TXT   v=spf1 include:ip4.example -all
incfail.example     TXT   v=spf1 include:ip4.example ?all
incnone.example     TXT   v=spf1 include:none.example -all
incloop.example     TXT   v=spf1 include:incloop.example -all
redirect.example    TXT   v=spf1 redirect=ip4.example
rednone.example     TXT   v=spf1 redirect=none.example
redall.example      TXT   v=spf1 redirect=ip4.example ?all
redtwice.example    TXT   v=spf1 redirect=a.example redirect=ip4.example
unknown.example     TXT   v=spf1 foo=bar ip4:192.0.2.1 -all
void.example        TXT   v=spf1 a:v1.example a:v2.example a:v3.example +all
exists.example      TXT   v=spf1 exists:%{ir}.%{v}._spf.%{d} -all
1.2.0.192.in-addr._spf.exists.example  A 127.0.0.2
local.example       TXT   v=spf1 exists:%{l1r-}.%{o}._u.local.example -all
ana.local.example._u.local.example     A 127.0.0.2
badmacro.example    TXT   v=spf1 exists:%{z}.example -all
percent.example     TXT   v=spf1 exists:%x.example -all
away.example        TXT   SERVFAIL
incaway.example     TXT   v=spf1 include:away.example -all
ptr.example         TXT   v=spf1 ptr -all
1.2.0.192.in-addr.arpa PTR mail.ptr.example
mail.ptr.example    A     192.0.2.1
"""


def zone() -> Mapping[tuple[str, str], tuple[str, ...]]:
    records = read_zone(ZONE)
    records["many.example", "TXT"] = ("v=spf1 " + "a:a.example " * 11 + "-all",)
    records["mxmany.example", "MX"] = tuple(f"10 m{number}.example" for number in range(11))
    return records


def check(domain: str, address: str = "192.0.2.1", local: str = "ana") -> str:
    result, about = Spf(address, f"{local}@{domain}", "helo.example", ZoneResolver(zone())).check()
    assert about == domain.lower()
    return result


@pytest.mark.parametrize(
    ("section", "domain", "address", "expected"),
    [
        ("5.6", "ip4.example", "192.0.2.200", "pass"),
        ("5.6", "ip4.example", "198.51.100.7", "pass"),
        ("5.6", "ip4.example", "203.0.113.1", "fail"),
        ("5.6", "ip4.example", "::ffff:192.0.2.1", "pass"),
        ("5.6", "ip6.example", "2001:db8:1::7", "pass"),
        ("5.6", "ip6.example", "192.0.2.1", "fail"),
        ("5.6", "badip.example", "192.0.2.1", "permerror"),
        ("5.6", "mixed.example", "192.0.2.1", "permerror"),
        ("4.6.2", "soft.example", "192.0.2.1", "softfail"),
        ("4.6.2", "neutral.example", "192.0.2.1", "neutral"),
        ("4.7", "silent.example", "192.0.2.1", "neutral"),
        ("4.5", "none.example", "192.0.2.1", "none"),
        ("4.5", "nearly.example", "192.0.2.1", "none"),
        ("4.5", "two.example", "192.0.2.1", "permerror"),
        ("4.6.1", "upper.example", "192.0.2.1", "pass"),
        ("4.6", "typo.example", "192.0.2.1", "permerror"),
        ("5.3", "a.example", "192.0.2.1", "pass"),
        ("5.3", "a.example", "2001:db8::1", "pass"),
        ("5.3", "a.example", "192.0.2.2", "fail"),
        ("5.3", "a24.example", "192.0.2.77", "pass"),
        ("5.3", "a24.example", "2001:db8::7777", "pass"),
        ("5.4", "mx.example", "192.0.2.1", "pass"),
        ("4.6.4", "mxmany.example", "192.0.2.1", "permerror"),
        ("5.2", "include.example", "192.0.2.1", "pass"),
        ("5.2", "incfail.example", "203.0.113.1", "neutral"),
        ("5.2", "incnone.example", "192.0.2.1", "permerror"),
        ("5.2", "incaway.example", "192.0.2.1", "temperror"),
        ("4.6.4", "incloop.example", "192.0.2.1", "permerror"),
        ("6.1", "redirect.example", "192.0.2.1", "pass"),
        ("6.1", "redirect.example", "203.0.113.1", "fail"),
        ("6.1", "rednone.example", "192.0.2.1", "permerror"),
        ("6.1", "redall.example", "192.0.2.1", "neutral"),
        ("6", "redtwice.example", "192.0.2.1", "permerror"),
        ("6", "unknown.example", "192.0.2.1", "pass"),
        ("4.6.4", "many.example", "203.0.113.1", "permerror"),
        ("4.6.4", "void.example", "203.0.113.1", "permerror"),
        ("5.7", "exists.example", "192.0.2.1", "pass"),
        ("5.7", "exists.example", "192.0.2.2", "fail"),
        ("7", "local.example", "192.0.2.1", "pass"),
        ("7.1", "badmacro.example", "192.0.2.1", "permerror"),
        ("7.1", "percent.example", "192.0.2.1", "permerror"),
        ("5.5", "ptr.example", "192.0.2.1", "pass"),
        ("5.5", "ptr.example", "192.0.2.2", "fail"),
        ("2.6.6", "away.example", "192.0.2.1", "temperror"),
        ("4.3", "nowhere.example", "192.0.2.1", "none"),
        ("4.3", "example", "192.0.2.1", "none"),
        ("4.3", f"{'x' * 64}.example", "192.0.2.1", "none"),
    ],
)
def test_a_policy_is_followed(section: str, domain: str, address: str, expected: str) -> None:
    assert check(domain, address) == expected, section


def test_a_null_sender_is_checked_by_its_greeting() -> None:
    resolver = ZoneResolver(zone())
    assert Spf("192.0.2.1", "", "ip4.example", resolver).check() == ("pass", "ip4.example")
    assert Spf("192.0.2.1", "", "[192.0.2.1]", resolver).check()[0] == "none"


def test_no_address_is_no_verdict() -> None:
    assert Spf("", "ana@ip4.example", "", ZoneResolver(zone())).check() == ("none", "ip4.example")


def test_a_hostile_record_costs_few_questions() -> None:
    resolver = ZoneResolver({("deep.example", "TXT"): ("v=spf1 " + "include:deep.example " * 150 + "-all",)})
    assert Spf("192.0.2.1", "x@deep.example", "", resolver).check()[0] == "permerror"
    assert len(resolver.asked) <= 12
