"""Who stands behind a message: what proves a sender, what proves it false, what proves nothing; attacks by name."""

import base64
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from uuid import UUID

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.growth import assert_linear

from guardia.adapters.dns_lookup import ZoneResolver, make_resolver
from guardia.doors.mail.verdicts import judge, organisation
from guardia.features.mail.rules.arrived import Envelope, Verdict

ANA = "ana@astilleros.example"
OWN = "192.0.2.25"
STRANGER = "203.0.113.66"
MX = "mx.guardia.example"
SPF = {("astilleros.example", "TXT"): ("v=spf1 ip4:192.0.2.25 -all",)}
DMARC = {("_dmarc.astilleros.example", "TXT"): ("v=DMARC1; p=reject",)}
LETTER = (
    b"From: Ana <ana@astilleros.example>\r\nTo: soporte@guardia.example\r\nSubject: hola\r\n\r\nUna  palabra \r\n\r\n"
)

Records = Mapping[tuple[str, str], tuple[str, ...]]


@dataclass(frozen=True)
class Own:
    """Whom the operator trusts."""

    mail_trusted_peers: tuple[str, ...] = ()
    mail_authserv: str = ""


@cache
def keys(bits: int = 2048) -> tuple[bytes, str]:
    """Return a private key and its record."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return pem, f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


def key_records(domain: str = "astilleros.example", bits: int = 2048, more: str = "") -> Records:
    return {(f"one._domainkey.{domain}", "TXT"): (keys(bits)[1] + more,)}


def signed(raw: bytes = LETTER, domain: str = "astilleros.example", bits: int = 1024 * 2, **how: object) -> bytes:
    how.setdefault("include_headers", [b"from", b"to", b"subject"])
    how.setdefault("canonicalize", (b"relaxed", b"relaxed"))
    signature: bytes = dkim.DKIM(raw).sign(b"one", domain.encode(), keys(bits)[0], **how)
    return signature + raw


def ask(
    raw: bytes = LETTER,
    records: Records | None = None,
    *,
    peer: str = OWN,
    sender: str = ANA,
    senders: Sequence[str] = (ANA,),
    door: str = "smtp",
    trusted: Sequence[str] = (),
    authserv: str = "",
    helo: str = "mail.astilleros.example",
) -> Verdict:
    moment = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    envelope = Envelope(UUID(int=7), moment, door, peer, helo, sender, ("soporte@guardia.example",), len(raw), "")
    resolver = ZoneResolver(records if records is not None else {**SPF, **DMARC})
    return judge(raw, envelope, senders, resolver, Own(tuple(trusted), authserv))


# ---- what proves a sender ----


def test_spf_of_the_from_domain_proves() -> None:
    verdict = ask()
    assert (verdict.spf, verdict.dmarc) == ("pass", "pass")
    assert verdict.is_proven
    assert not verdict.is_forged


@pytest.mark.parametrize("canon", [b"relaxed", b"simple"])
def test_a_signature_of_the_from_domain_proves_wherever_it_comes_from(canon: bytes) -> None:
    verdict = ask(signed(canonicalize=(canon, canon)), {**SPF, **DMARC, **key_records()}, peer=STRANGER)
    assert (verdict.spf, verdict.dkim, verdict.dmarc) == ("fail", "pass", "pass")
    assert verdict.is_proven


def test_a_domain_without_dmarc_is_proven_by_spf_all_the_same() -> None:
    verdict = ask(records=SPF)
    assert verdict.dmarc == "none"
    assert verdict.is_proven


def test_a_subdomain_sends_for_its_organisation_unless_dmarc_is_strict() -> None:
    records = {("bounces.astilleros.example", "TXT"): ("v=spf1 ip4:192.0.2.25 -all",)}
    sender = "b@bounces.astilleros.example"
    assert ask(records={**records, **DMARC}, sender=sender).is_proven
    strict = {("_dmarc.astilleros.example", "TXT"): ("v=DMARC1; p=reject; aspf=s; adkim=s",)}
    assert ask(records={**records, **strict}, sender=sender).is_forged


def test_a_null_sender_is_judged_by_its_greeting() -> None:
    records = {**DMARC, ("mail.astilleros.example", "TXT"): ("v=spf1 ip4:192.0.2.25 -all",)}
    assert ask(records=records, sender="").is_proven


def test_the_sample_zone_lets_the_sample_companies_send_from_this_machine() -> None:
    zone = make_resolver("sample")
    assert isinstance(zone, ZoneResolver)
    assert ask(records=zone.records, peer="127.0.0.1").is_proven
    assert ask(records=zone.records, peer="::1").is_proven
    assert ask(records=zone.records, peer=STRANGER).is_forged


# ---- what proves nothing, or proves him false ----


def test_a_stranger_who_writes_as_her_is_forged() -> None:
    verdict = ask(peer=STRANGER)
    assert (verdict.spf, verdict.dmarc, verdict.is_forged, verdict.is_proven) == ("fail", "fail", True, False)


def test_a_domain_that_says_nothing_is_neither_proven_nor_forged() -> None:
    verdict = ask(records={})
    assert (verdict.is_proven, verdict.is_forged, verdict.is_unsure) == (False, False, False)


def test_attack_spf_pass_of_the_attackers_own_domain() -> None:
    records = {**SPF, **DMARC, ("evil.example", "TXT"): ("v=spf1 ip4:203.0.113.66 -all",)}
    verdict = ask(records=records, peer=STRANGER, sender="x@evil.example")
    assert verdict.spf == "pass"
    assert verdict.is_forged


@pytest.mark.parametrize(
    "domain",
    ["astilleros.example-evil.org", "astilleros.example.evil.org", "evil-astilleros.example", "ceramicas.example"],
)
def test_attack_a_domain_that_looks_like_hers(domain: str) -> None:
    records = {**SPF, **DMARC, (domain, "TXT"): ("v=spf1 ip4:203.0.113.66 -all",), **key_records(domain)}
    verdict = ask(signed(domain=domain), records, peer=STRANGER, sender=f"x@{domain}")
    assert verdict.is_forged
    assert not verdict.is_proven


def test_attack_a_signature_of_another_domain_and_hers_in_the_identity() -> None:
    raw = signed(domain="evil.example")
    raw = raw.replace(b"d=evil.example", b"d=evil.example; i=@astilleros.example")
    assert not ask(raw, {**key_records("evil.example"), **DMARC}, peer=STRANGER).is_proven


def test_attack_a_second_from_added_after_signing() -> None:
    raw = b"From: ceo@astilleros.example\r\n" + signed()
    assert not ask(raw, {**key_records(), **DMARC}, peer=STRANGER).is_proven


@pytest.mark.parametrize("senders", [(), (ANA, "x@evil.example"), ("",), ("ana",), (f"{'a' * 70}@{'b' * 300}",)])
def test_no_one_from_address_proves_nothing(senders: Sequence[str]) -> None:
    assert not ask(senders=senders).is_proven


def test_attack_words_added_below_a_body_length() -> None:
    raw = signed(length=True) + b"Transfer everything.\r\n"
    assert ask(raw, {**key_records(), **DMARC}, peer=STRANGER).dkim == "fail"


def test_attack_a_changed_body() -> None:
    verdict = ask(signed().replace(b"palabra", b"mentira"), {**key_records(), **DMARC}, peer=STRANGER)
    assert (verdict.dkim, verdict.is_forged) == ("fail", True)


def test_a_broken_signature_of_hers_is_forged_even_without_dmarc_and_saved_by_spf() -> None:
    raw = signed().replace(b"palabra", b"mentira")
    assert ask(raw, key_records(), peer=STRANGER).is_forged
    assert ask(raw, {**key_records(), **SPF}).is_proven


def test_a_key_of_512_bits_proves_nothing() -> None:
    raw = signed()
    short = {("one._domainkey.astilleros.example", "TXT"): ("v=DKIM1; k=rsa; p=" + SHORT_KEY,)}
    assert ask(raw, {**short, **DMARC}, peer=STRANGER).dkim == "fail"


SHORT_KEY = (
    "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf"
    "9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ=="
)


@pytest.mark.parametrize("more", ["; t=y", "; t=y:s"])
def test_a_key_that_is_being_tested_proves_nothing(more: str) -> None:
    assert ask(signed(), {**key_records(more=more), **DMARC}, peer=STRANGER).dkim == "fail"


def test_a_revoked_key_proves_nothing() -> None:
    revoked = {("one._domainkey.astilleros.example", "TXT"): ("v=DKIM1; p=",)}
    assert ask(signed(), {**revoked, **DMARC}, peer=STRANGER).dkim == "fail"


def test_an_expired_signature_proves_nothing() -> None:
    raw = signed()
    raw = raw.replace(b"; t=", b"; x=1000000000; t=", 1) if b"; t=" in raw else raw.replace(b"v=1;", b"v=1; x=1;")
    assert ask(raw, {**key_records(), **DMARC}, peer=STRANGER).dkim == "fail"


def test_a_signature_that_leaves_from_out_proves_nothing() -> None:
    raw = signed()
    head, _, rest = raw.partition(b"h=")
    names, _, tail = rest.partition(b";")
    raw = head + b"h=" + names.replace(b"from : ", b"").replace(b"from:", b"") + b";" + tail
    assert ask(raw, {**key_records(), **DMARC}, peer=STRANGER).dkim == "fail"


# ---- DNS that does not answer ----


def test_dns_that_does_not_answer_makes_it_unsure_and_not_forged() -> None:
    away = {("astilleros.example", "TXT"): ("SERVFAIL",), **DMARC}
    verdict = ask(records=away)
    assert (verdict.is_unsure, verdict.is_forged, verdict.is_proven) == (True, False, False)
    verdict = ask(
        signed(), {("one._domainkey.astilleros.example", "TXT"): ("SERVFAIL",), **SPF, **DMARC}, peer=STRANGER
    )
    assert (verdict.dkim, verdict.is_unsure, verdict.is_forged) == ("temperror", True, False)
    verdict = ask(records={**SPF, ("_dmarc.astilleros.example", "TXT"): ("SERVFAIL",)})
    assert (verdict.dmarc, verdict.is_unsure, verdict.is_proven) == ("temperror", True, False)


class Slow:
    """Half a second for each answer."""

    asked = 0

    def ask(self, name: str, kind: str) -> tuple[str, ...]:
        self.asked += 1
        time.sleep(0.3)
        return ("v=spf1 include:a.example include:b.example include:c.example -all",) if kind == "TXT" else ()


def test_a_slow_dns_does_not_hold_up_the_desk() -> None:
    envelope = Envelope(UUID(int=7), datetime(2026, 1, 1, tzinfo=UTC), "smtp", OWN, "h.example", ANA, (), 0, "")
    started = time.monotonic()
    verdict = judge(signed(), envelope, (ANA,), Slow(), Own())
    assert time.monotonic() - started < 1.5
    assert verdict.is_unsure


# ---- an own mail server that has asked already ----


def results(authserv: str = MX, said: str = "dmarc=pass header.from=astilleros.example") -> bytes:
    return f"Authentication-Results: {authserv};\r\n\t{said}\r\n".encode()


@pytest.mark.parametrize("how", [{"door": "imap"}, {"door": "lmtp", "peer": "10.0.0.5", "trusted": ("10.0.0.0/8",)}])
def test_the_own_mail_servers_results_are_believed(how: dict[str, object]) -> None:
    assert ask(results() + LETTER, authserv=MX, **how).is_proven  # type: ignore[arg-type]
    failed = ask(results(said="dmarc=fail header.from=astilleros.example") + LETTER, authserv=MX, **how)  # type: ignore[arg-type]
    assert (failed.is_forged, failed.is_proven) == (True, False)
    spf = ask(results(said="spf=pass smtp.mailfrom=x@evil.example; dmarc=none") + LETTER, authserv=MX, **how)  # type: ignore[arg-type]
    assert not spf.is_proven


def test_attack_forged_results_from_a_stranger() -> None:
    assert not ask(results() + LETTER, peer=STRANGER, authserv=MX, trusted=("10.0.0.0/8",)).is_proven


@pytest.mark.parametrize(
    "top", [results("evil.example"), results(MX, "dmarc=fail"), b"Authentication-Results: ;;;\r\n"]
)
def test_attack_forged_results_below_the_topmost(top: bytes) -> None:
    assert not ask(top + results() + LETTER, {}, door="imap", authserv=MX).is_proven


def test_attack_results_without_any_server_named_in_the_settings() -> None:
    assert not ask(results() + LETTER, door="imap", authserv="").is_proven


def test_behind_an_own_mail_server_the_peer_is_not_the_sender() -> None:
    verdict = ask(records={**SPF}, peer=STRANGER, trusted=("203.0.113.0/24",))
    assert (verdict.spf, verdict.is_forged) == ("none", False)


# ---- hostile bytes ----


HOSTILE = {
    "a thousand signatures": b"DKIM-Signature: v=1; a=rsa-sha256; d=astilleros.example; s=one; h=from; bh=x; b=y\r\n"
    * 5000,
    "a signature of 1 MB": b"DKIM-Signature: d=astilleros.example; b=" + b"A" * 1_000_000 + b"\r\n",
    "a signature of blanks": b"DKIM-Signature: v=1; d=astilleros.example; s=one; b" + b" \r\n " * 2000 + b"\r\n",
    "no line ends": b"x" * 1_000_000,
    "folded first": b" folded\r\n",
    "binary": bytes(range(256)) * 100,
    "headers of 1 MB": b"X-Y: z\r\n" * 130_000,
    "results of 1 MB": b"Authentication-Results: " + b"(" * 1_000_000 + b"\r\n",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("door", ["smtp", "imap"])
def test_hostile_headers_neither_raise_nor_hang(name: str, door: str) -> None:
    def verdict(head: bytes) -> Verdict:
        return ask(head + LETTER, {**key_records(), **DMARC}, peer=STRANGER, door=door, authserv=MX)

    assert not verdict(HOSTILE[name]).is_proven
    assert_linear(verdict, HOSTILE[name], HOSTILE[name][: len(HOSTILE[name]) // 2])


@pytest.mark.parametrize("canon", [b"relaxed", b"simple"])
def test_a_body_of_blanks_does_not_hang(canon: bytes) -> None:
    head = signed(LETTER, canonicalize=(b"relaxed", canon))

    def verdict(blanks: int) -> Verdict:
        return ask(head + b" " * blanks + b"x\r\n", {**key_records(), **DMARC}, peer=STRANGER)

    assert_linear(verdict, 2_000_000, 1_000_000)


BODIES = {
    "nothing": b"",
    "a line end": b"\r\n",
    "line ends": b"\r\n\r\n\r\n",
    "blanks": b"  \t \r\n \t\r\n",
    "no line end": b"x",
    "blanks at the end": b"x \t",
    "a lone CR at the end": b"x\r\n\r",
    "lone CRs": b"x\r\r\n\r\n",
    "only lone CRs": b"\r\r\r\n",
    "bare LFs": b"x\n\ny  z\n",
    "blanks inside": b" a\tb  c \r\n\td\r\n",
    "dots": b".\r\n..\r\n",
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("canon", [b"relaxed", b"simple"])
def test_any_body_that_dkimpy_signs_is_verified(name: str, canon: bytes) -> None:
    raw = signed(LETTER.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + BODIES[name], canonicalize=(b"relaxed", canon))
    assert ask(raw, {**key_records(), **DMARC}, peer=STRANGER).dkim == "pass"
    changed = raw + b"y"
    assert ask(changed, {**key_records(), **DMARC}, peer=STRANGER).dkim == "fail"


@settings(max_examples=300, deadline=None)
@given(body=st.text(alphabet="\r\n\t x", max_size=12), canon=st.sampled_from([b"relaxed", b"simple"]))
def test_bodies_are_hashed_as_dkimpy_hashes_them(body: str, canon: bytes) -> None:
    raw = signed(LETTER.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body.encode(), canonicalize=(b"relaxed", canon))
    assert ask(raw, {**key_records(), **DMARC}, peer=STRANGER).dkim == "pass"


def test_a_body_of_blanks_is_verified() -> None:
    raw = LETTER + b"x" + b" \t" * 3000 + b"y" + b"\t " * 3000 + b"\r\n\r\n"
    assert ask(signed(raw), {**key_records(), **DMARC}, peer=STRANGER).is_proven


@settings(max_examples=200, deadline=None)
@given(raw=st.binary(max_size=400), sender=st.text(max_size=80), peer=st.sampled_from([OWN, "", "::1", "x"]))
def test_any_bytes_from_anybody_get_a_verdict(raw: bytes, sender: str, peer: str) -> None:
    prefix = b"DKIM-Signature: v=1; d=astilleros.example; s=one; "
    assert not ask(prefix + raw, peer=STRANGER, sender=sender, senders=(sender, ANA)).is_proven
    ask(prefix + raw + LETTER, peer=peer, sender=sender, helo=sender)


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("x.astilleros.example", "astilleros.example"),
        ("example", "example"),
        ("a.b.co.uk", "b.co.uk"),
        ("mail.my-company.com", "my-company.com"),
        ("", ""),
    ],
)
def test_the_organisation_is_what_was_registered(domain: str, expected: str) -> None:
    assert organisation(domain) == expected
