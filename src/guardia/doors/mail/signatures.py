"""DKIM (RFC 6376, 8301) of the one domain that matters: does a signature of the sender's domain hold?

Rules:
- Only the first `MOST_LOOKED_AT` signatures are looked at, and of these only those of the From domain or its
  organisation: who else signed says nothing of the sender.
- A signature counts only if it covers From and the whole body (no `l=`), is SHA-256, not expired, of a key of at least
  1024 bits that is not being tested (`t=y`). Anything else of that domain is a failure.
- A subject that is there is signed too: else whoever has a signed message gives it another one, and so another case.
- A head that can be read in two ways proves nothing, whatever its signature (`is_ambiguous`): below a line of blanks,
  or with a second Subject, our reader would show words of a stranger under a signature that holds.
- A hostile message costs little: headers beyond `MOST_HEADER`, a signature beyond `MOST_SIGNATURE` or with long blanks
  and a key beyond `MOST_KEY` are not looked at. dkimpy takes quadratic time for runs of blanks in a body, and long for
  a large one, so the body's hash is compared here (3.7), once for all signatures, and dkimpy sees the headers alone.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from functools import cache
from typing import Final

import dkim

from guardia.doors.mail.reading.headers import split_head
from guardia.kernel.outside import DnsUnsure, Resolver

MOST_LOOKED_AT: Final = 5
MOST_HEADER: Final = 512 * 1024
MOST_SIGNATURE: Final = 8192
MOST_KEY: Final = 1600
MOST_COMPARED: Final = 100_000
"""Names in `h=` times fields in the head: dkimpy looks through all fields for each name."""
BodyDigest = Callable[[bool], bytes]
_LONG_BLANKS: Final = re.compile(rb"\s{24}")
_SIGNATURE: Final = re.compile(rb"^dkim-signature:((?:[^\n]*\n[ \t])*[^\n]*)(?:\n|\Z)", re.IGNORECASE | re.MULTILINE)
_TAG: Final = re.compile(rb"\s*([a-z]+)\s*=\s*([^;]*)")
_HEADER_END: Final = re.compile(rb"\r?\n\r?\n")
_SUBJECT: Final = re.compile(rb"^subject[ \t]*:", re.IGNORECASE | re.MULTILINE)
ONCE: Final = frozenset(
    {"subject", "message-id", "in-reply-to", "references", "content-type", "content-transfer-encoding"}
)
"""Fields that say what a message is: a signature covers the last of several, our reader takes the first."""


def header_of(raw: bytes) -> bytes:
    """Return the header block, with the line end of its last line."""
    end = _HEADER_END.search(raw)
    return raw[: end.start()] + b"\n" if end else raw


def is_ambiguous(raw: bytes) -> bool:
    """Whether our reader and a verifier may see different heads: another end of it, or a field twice."""
    end = _HEADER_END.search(raw)
    head = split_head(raw, 0, min(len(raw), MOST_HEADER + 4))
    if head.is_cut or head.end != (end.end() if end else len(raw)):
        return True
    names = [name for name, _value in head.fields if name in ONCE]
    return len(names) != len(set(names))


def dkim_of(raw: bytes, is_aligned: Callable[[str], bool], resolver: Resolver) -> tuple[str, str]:
    """Return the result and the signing domain, of the signatures whose domain `is_aligned`.

    `pass` if one holds; `temperror` if DNS did not say whether one does; else `fail`; `none` where there are none.
    """
    header = header_of(raw)
    if len(header) > MOST_HEADER or (_SIGNATURE.search(header) and is_ambiguous(raw)):
        return "policy", ""
    result, about = "none", ""
    fields = header.count(b"\n")

    @cache
    def body_digest(is_relaxed: bool) -> bytes:  # noqa: FBT001  which canonicalisation
        return _body_digest(raw, is_relaxed=is_relaxed)

    for index, match in enumerate(_SIGNATURE.finditer(header)):
        if index == MOST_LOOKED_AT or result == "pass":
            break
        tags = _tags(match[1])
        domain = tags.get(b"d", b"").decode("ascii", "replace").rstrip(".").lower()
        if not is_aligned(domain):
            continue
        is_void = _is_subject_open(header, tags) or fields * tags.get(b"h", b"").count(b":") > MOST_COMPARED
        found = "fail" if is_void else _verified(raw, index, match[1], tags, body_digest, resolver)
        if found == "pass" or result in {"none", "fail"}:
            result, about = found, domain
    return result, about


def _tags(value: bytes) -> dict[bytes, bytes]:
    return {match[1]: match[2].strip() for part in value.split(b";") if (match := _TAG.match(part))}


def _is_subject_open(header: bytes, tags: dict[bytes, bytes]) -> bool:
    return _SUBJECT.search(header) is not None and b"subject" not in _signed_names(tags)


def _signed_names(tags: dict[bytes, bytes]) -> set[bytes]:
    return {name.strip().lower() for name in tags.get(b"h", b"").split(b":")}


def _verified(
    raw: bytes, index: int, value: bytes, tags: dict[bytes, bytes], body_digest: BodyDigest, resolver: Resolver
) -> str:
    if len(value) > MOST_SIGNATURE or _LONG_BLANKS.search(value):
        return "fail"
    if b"l" in tags or b"from" not in _signed_names(tags) or not tags.get(b"a", b"").endswith(b"sha256"):
        return "fail"

    try:
        name = b"._domainkey.".join((tags.get(b"s", b""), tags.get(b"d", b""))).decode("ascii")
        record = _key(resolver.ask(name, "TXT"))
        is_good = bool(record) and _is_body_signed(tags, body_digest) and _is_header_signed(raw, index, record)
    except DnsUnsure:
        return "temperror"
    except Exception:  # noqa: BLE001  dkimpy raises many kinds for what is broken in a message
        return "fail"
    return "pass" if is_good else "fail"


def _is_header_signed(raw: bytes, index: int, record: str) -> bool:
    """Whether a signature holds, its body hash set aside. Raises what dkimpy raises."""
    signed = dkim.DKIM(header_of(raw) + b"\r\n")
    sig, covered, all_signatures = signed.verify_headerprep(index)
    del sig[b"bh"]  # the body was compared already
    return bool(signed.verify_sig(sig, covered, all_signatures[index], lambda *_, **__: record))


def _key(answers: tuple[str, ...]) -> str:
    """Return the key record; nothing where there is none that counts."""
    keys = [text for text in answers if "p=" in text]
    if len(keys) != 1 or len(keys[0]) > MOST_KEY:
        return ""
    flags = _tags(keys[0].encode("latin-1", "replace")).get(b"t", b"")
    return "" if b"y" in flags.split(b":") else keys[0]


def _is_body_signed(tags: dict[bytes, bytes], body_digest: BodyDigest) -> bool:
    """Whether the body is the one that was signed."""
    is_relaxed = tags.get(b"c", b"").partition(b"/")[2].strip() == b"relaxed"
    return hmac.compare_digest(body_digest(is_relaxed), base64.b64decode(b"".join(tags.get(b"bh", b"").split())))


def _body_digest(raw: bytes, *, is_relaxed: bool) -> bytes:
    body = _body(raw, is_relaxed=is_relaxed)
    end = len(body)
    if not body.endswith(b"\r"):  # a lone CR is no line end: only CR LF at the end is dropped
        end = len(body.rstrip(b"\r\n"))
        end = max(end, body.rfind(b"\r\r", end) + 1)
    digest = hashlib.sha256(memoryview(body)[:end])
    if end or not is_relaxed:
        digest.update(b"\r\n")
    return digest.digest()


def _body(raw: bytes, *, is_relaxed: bool) -> bytes:
    """Return the body with whole line ends, its blanks as relaxed canonicalisation makes them (6376, 3.4.4).

    Each step is left out where it would change nothing: attachments are large, and have neither.
    """
    end = _HEADER_END.search(raw)
    body = raw[end.end() :] if end else b""
    if body.count(b"\n") != body.count(b"\r\n"):
        body = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if is_relaxed:
        body = body.replace(b"\t", b" ")
        while b"  " in body:  # halves the runs each time: an expression takes a second for each megabyte of tabs
            body = body.replace(b"  ", b" ")
    return body.replace(b" \r\n", b"\r\n") if is_relaxed else body
