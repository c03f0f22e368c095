"""Who stands behind a message: SPF, DKIM and DMARC of its one From domain, before anything is done with it.

Rules:
- What counts is the domain of the one From address: SPF or DKIM of another domain proves nothing. Aligned means the
  same organisational domain, or the same domain where DMARC asks for it (`aspf=s`, `adkim=s`).
- SPF is asked only of what came by SMTP from a stranger: behind an own mail server, the peer is not the sender.
- An own mail server has asked already: the topmost Authentication-Results of the id that the operator named is believed
  in mail of a trusted peer and of IMAP, and nowhere else, for anybody can write such a header.
- The sender that was read is the sender that is judged: the one From field is read here anew, whole and unfolded, and
  where that gives anybody else, nothing is proven. Results of an own server count only for a head of one meaning.
- All together takes at most `LONGEST_S` of waiting: no question is put after `LAST_QUESTION_S`, and none lasts longer
  than a second. What is not answered makes the verdict unsure; asking again finds the answers that came meanwhile.
- Whatever the bytes are, there is a verdict: nothing here raises.

`authheaders` reads the policies; alignment is not left to it: it takes `x@bank.example-evil.org` for `bank.example`.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, Protocol

from authheaders.dmarc_lookup import DMARCException, lookup_receiver_record
from authres import AuthenticationResultsHeader
from publicsuffix2 import PublicSuffixList

from guardia.doors.mail.limits import is_within
from guardia.doors.mail.reading.addresses import senders as read_senders
from guardia.doors.mail.reading.charsets import Decoder
from guardia.doors.mail.reading.headers import Head
from guardia.doors.mail.signatures import MOST_HEADER, dkim_of, header_of, is_ambiguous
from guardia.doors.mail.spf import Spf
from guardia.features.mail.rules.arrived import Envelope, Verdict
from guardia.kernel.outside import DnsUnsure, Resolver

LONGEST_S: Final = 1.5
LAST_QUESTION_S: Final = 0.5
LONGEST_POLICY: Final = 4096
MOST_RESULTS: Final = 8192
LONGEST_FROM: Final = 8192
_FROM: Final = re.compile(rb"^from[ \t]*:((?:[^\n]*\n[ \t])*[^\n]*)(?:\n|\Z)", re.IGNORECASE | re.MULTILINE)
_RESULTS: Final = re.compile(
    rb"^authentication-results:((?:[^\n]*\n[ \t])*[^\n]*)(?:\n|\Z)", re.IGNORECASE | re.MULTILINE
)


class Trusting(Protocol):
    """Whom the operator trusts, as the settings name them."""

    @property
    def mail_trusted_peers(self) -> tuple[str, ...]: ...
    @property
    def mail_authserv(self) -> str: ...


@dataclass
class _Hurried:
    """A resolver that puts no more questions once the message had its time."""

    resolver: Resolver
    until: float

    def ask(self, name: str, kind: str) -> tuple[str, ...]:
        if time.monotonic() > self.until:
            raise DnsUnsure(f"{name} {kind}: no time left")
        return self.resolver.ask(name, kind)


@dataclass(frozen=True)
class _Policy:
    """What DMARC says of a domain. `result`: empty, or why there is no policy (`none`, `temperror`, `permerror`)."""

    result: str = ""
    is_spf_strict: bool = False
    is_dkim_strict: bool = False


@cache
def _suffixes() -> PublicSuffixList:
    with (files("authheaders") / "public_suffix_list.txt").open(encoding="utf-8") as file:
        return PublicSuffixList(file)


def organisation(domain: str) -> str:
    """Return the organisational domain: what was registered, below a public suffix."""
    found = str(_suffixes().get_public_suffix(domain) or domain) if domain else ""
    # Of a top level domain that the list does not know, it gives that alone: as if all its domains were one's.
    return found if "." in found else ".".join(domain.split(".")[-2:])


def judge(
    raw: bytes,
    envelope: Envelope,
    senders: Sequence[str],
    resolver: Resolver,
    own: Trusting,
) -> Verdict:
    """Return what SPF, DKIM and DMARC say of a message with these From addresses."""
    domain = _ascii_domain(senders[0]) if len(senders) == 1 else ""
    # Where no line feed occurs at all, carriage returns end lines, for our reader too.
    header = header_of(raw[: MOST_HEADER + 2] if b"\n" in raw else raw[: MOST_HEADER + 2].replace(b"\r", b"\n"))
    if not domain or _only_sender(header) != senders[0]:
        return Verdict(why="no one From address")
    is_trusted = is_within(envelope.peer, own.mail_trusted_peers)
    is_told = bool(own.mail_authserv) and (is_trusted or envelope.door == "imap")
    if is_told and not is_ambiguous(raw) and (told := _told(header, domain, own.mail_authserv)):
        return told
    _suffixes()  # read before the time for questions begins: the first message of a worker would have none left
    asked = _Hurried(resolver, time.monotonic() + LAST_QUESTION_S)
    policy = _policy(domain, asked)
    spf, spf_domain = "none", ""
    if envelope.door == "smtp" and not is_trusted:
        spf, spf_domain = Spf(envelope.peer, envelope.sender, envelope.helo, asked).check()
    dkim, dkim_domain = dkim_of(raw, lambda other: _is_aligned(domain, other, policy.is_dkim_strict), asked)
    is_own_spf = _is_aligned(domain, spf_domain, policy.is_spf_strict)
    return _verdict(domain, policy, (spf, spf_domain, is_own_spf), (dkim, dkim_domain))


def _only_sender(header: bytes) -> str:
    """Return the address of the one From field as a verifier sees it; empty where there is no one such address."""
    fields = _FROM.findall(header)
    if len(fields) != 1 or len(fields[0]) > LONGEST_FROM:
        return ""
    named = read_senders(Head([("from", b" ".join(fields[0].split()))], 0), Decoder())
    return named[0][1] if len(named) == 1 else ""


def _verdict(domain: str, policy: _Policy, spf: tuple[str, str, bool], dkim: tuple[str, str]) -> Verdict:
    (spf_result, spf_domain, is_own_spf), (dkim_result, dkim_domain) = spf, dkim
    is_passed = (spf_result == "pass" and is_own_spf) or dkim_result == "pass"
    is_unsure = not is_passed and (
        dkim_result == "temperror" or policy.result == "temperror" or (spf_result == "temperror" and is_own_spf)
    )
    dmarc = policy.result or ("pass" if is_passed else "temperror" if is_unsure else "fail")
    is_refuted = (spf_result == "fail" and spf_domain == domain) or (dkim_result == "fail" and dkim_domain == domain)
    about = [f"SPF {spf_result} of {spf_domain}"] if spf_domain else []
    about += [f"DKIM {dkim_result} of {dkim_domain}"] if dkim_domain else []
    return Verdict(
        spf=spf_result,
        dkim=dkim_result,
        dmarc=dmarc,
        is_proven=is_passed and policy.result in {"", "none"},
        is_forged=not is_passed and not is_unsure and (dmarc == "fail" or is_refuted),
        is_unsure=is_unsure or (is_passed and policy.result == "temperror"),
        why="; ".join([*about, f"DMARC {dmarc} of {domain}"])[:300],
    )


def _ascii_domain(address: str) -> str:
    domain = address.rpartition("@")[2].rstrip(".").lower()
    try:
        return domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _is_aligned(domain: str, other: str, is_strict: bool) -> bool:  # noqa: FBT001  a record's flag
    return domain == other or (not is_strict and bool(other) and organisation(domain) == organisation(other))


# ---- DMARC ----


def _policy(domain: str, resolver: Resolver) -> _Policy:
    def record(name: str) -> str:
        found = [text for text in resolver.ask(name, "TXT") if text.startswith("v=DMARC1")]
        return found[0][:LONGEST_POLICY] if len(found) == 1 else ""

    try:
        tags = lookup_receiver_record(domain, record) or lookup_receiver_record(organisation(domain), record)
    except DnsUnsure:
        return _Policy("temperror")
    except DMARCException:
        return _Policy("permerror")
    if tags.get("p") not in {"none", "quarantine", "reject"}:
        return _Policy("none")
    return _Policy("", tags.get("aspf") == "s", tags.get("adkim") == "s")


# ---- what an own mail server has found ----


def _told(header: bytes, domain: str, authserv: str) -> Verdict | None:
    """Return what the topmost results say, where they are of the server that is believed."""
    match = _RESULTS.search(header)
    if match is None or len(match[1]) > MOST_RESULTS:
        return None
    text = " ".join(match[1].decode("utf-8", "replace").split())
    try:
        found = AuthenticationResultsHeader.parse_value(text)
    except Exception:  # noqa: BLE001  a broken header says nothing
        return None
    if str(found.authserv_id).lower() != authserv.lower():
        return None
    said = {"spf": "none", "dkim": "none", "dmarc": "none"}
    is_passed = False
    for one in found.results:
        method, result = str(one.method).lower(), str(one.result).lower()
        about = {f"{prop.type}.{prop.name}".lower(): str(prop.value).lower() for prop in one.properties}
        if method == "dmarc" and about.get("header.from", domain) == domain:
            said["dmarc"] = result
        elif method == "dkim" and said["dkim"] != "pass":
            is_own = _is_aligned(domain, about.get("header.d", about.get("header.i", "")).rpartition("@")[2], False)
            said["dkim"] = result if is_own else said["dkim"]
            is_passed = is_passed or (is_own and result == "pass")
        elif method == "spf":
            said["spf"] = result
            is_own = _is_aligned(
                domain, about.get("smtp.mailfrom", about.get("smtp.helo", "")).rpartition("@")[2], False
            )
            is_passed = is_passed or (is_own and result == "pass")
    is_failed = said["dmarc"] == "fail"
    return Verdict(
        **said,
        is_proven=(is_passed or said["dmarc"] == "pass") and not is_failed,
        is_forged=is_failed or (said["dmarc"] == "none" and not is_passed and "fail" in {said["spf"], said["dkim"]}),
        is_unsure="temperror" in said.values() and not is_passed,
        why=f"as {authserv} found",
    )
