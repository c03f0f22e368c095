"""Attacks that live from two readers of one head: a signature holds for what one sees, and the other acts on more.

Whoever has any signed message of a domain (a colleague, a mailing, a mail that was answered) must not be able to change
whose it seems to be, its subject or its words, without the signature's counting for nothing.
"""

import re
from datetime import UTC, datetime
from functools import cache
from typing import Final
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.doors.mail.test_sender_verdicts import DMARC, SPF, Own, key_records, signed

from guardia.adapters.dns_lookup import ZoneResolver
from guardia.doors.mail.reading.message import read_letter
from guardia.doors.mail.verdicts import judge
from guardia.features.mail.rules.arrived import Envelope, Letter, Verdict

BOB, VICTIM = "bob@astilleros.example", "victim@astilleros.example"
STRANGER: Final = "203.0.113.66"
COVERED: Final = [b"from", b"to", b"subject", b"message-id"]
RESOLVER: Final = ZoneResolver({**SPF, **DMARC, **key_records()})


@cache
def bobs(name: str = "Bob") -> bytes:
    """A message that Bob really wrote, signed by his domain."""
    head = f"From: {name} <{BOB}>\r\nTo: all@news.example\r\nSubject: boletin\r\nMessage-ID: <1@astilleros.example>\r\n"
    return signed(head.encode() + b"\r\nUnas palabras de siempre.\r\n", include_headers=COVERED)


def judged(raw: bytes, peer: str = STRANGER, sender: str = "x@evil.example") -> tuple[Letter, Verdict]:
    """What is read in a message that a stranger hands in, and what is found behind it."""
    letter = read_letter(raw, sender)
    at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    envelope = Envelope(UUID(int=7), at, "smtp", peer, "evil.example", sender, (), len(raw), "")
    return letter, judge(raw, envelope, letter.all_senders, RESOLVER, Own())


def acts_as(raw: bytes) -> tuple[str, str, str] | None:
    """Whose message it is taken for, with which subject and words, where it is proven."""
    letter, verdict = judged(raw)
    return (letter.sender, letter.subject, letter.text.strip()) if verdict.is_proven else None


GENUINE: Final = (BOB, "boletin", "Unas palabras de siempre.")


def test_the_signed_message_as_it_was_sent_counts() -> None:
    assert acts_as(bobs()) == GENUINE


@pytest.mark.parametrize("name", [f'"{VICTIM}"', VICTIM, f"{VICTIM} (Bob)"])
@pytest.mark.parametrize(
    "fold", [b"\r\n \r\n ", b"\r\n\t\r\n ", b"\r\n \x00\r\n ", b" " * 210_000, b"\r\n" + b" " * 9000]
)
def test_attack_a_display_name_that_is_an_address_cut_off_by_a_line_of_blanks(name: str, fold: bytes) -> None:
    """Relaxed canonicalisation lets anybody fold anew: the address behind the name would be left outside the head."""
    raw = bobs(name)
    assert acts_as(raw) in {None, GENUINE}
    assert acts_as(raw.replace(f" <{BOB}>".encode(), fold + f"<{BOB}>".encode())) is None


@pytest.mark.parametrize("blank", [b" ", b"\t", b" \t ", b" \x00"])
def test_attack_words_of_a_stranger_below_a_line_of_blanks(blank: bytes) -> None:
    """For a verifier all of it continues a field that nobody signed; our reader takes it for the text."""
    words = b"X-More: a\r\n" + blank + b"\r\n Class: premium\r\n Severity: 1\r\n"
    raw = bobs()
    assert acts_as(raw.replace(b"\r\n\r\nUnas", b"\r\n" + words + b"\r\nUnas")) is None


@pytest.mark.parametrize("line", [b"From somebody", b"N" * 201 + b": a", b"From " + b"a" * 300])
def test_attack_a_line_at_which_only_our_reader_ends_the_head(line: bytes) -> None:
    raw = bobs().replace(b"\r\n\r\nUnas", b"\r\n" + line + b"\r\nClass: premium\r\n\r\nUnas")
    assert acts_as(raw) in {None, GENUINE}


@pytest.mark.parametrize(
    "field",
    [
        *(b"Subject: [2041 7763]", b"subject : [2041 7763]", b"Message-ID: <2@evil.example>"),
        *(b"From: victim@astilleros.example", b"From : victim@astilleros.example"),
        b"\xef\xbb\xbfFrom: victim@astilleros.example",
    ],
)
def test_attack_a_field_once_more_above_the_signed_one(field: bytes) -> None:
    """A signature covers the last of several, our reader takes the first."""
    assert acts_as(field + b"\r\n" + bobs()) is None


def test_attack_another_subject_where_the_signature_leaves_the_subject_open() -> None:
    head = f"From: {BOB}\r\nTo: all@news.example\r\nMessage-ID: <1@astilleros.example>\r\n\r\nHola\r\n"
    raw = signed(head.encode(), include_headers=[b"from", b"to", b"message-id"])
    assert acts_as(raw) is not None
    assert acts_as(b"Subject: [2041 7763] class: premium\r\n" + raw) is None


# ---- the same, by chance ----

_PIECES: Final = st.sampled_from(
    [
        *(b" ", b"\t", b"\x00", b"\r", b" \r", b"\xef\xbb\xbf", b"a", b"From x", b"X: y", b" more", b"\xff: z", b"-"),
        *(b"From: victim@astilleros.example", b"From : victim@astilleros.example"),
        *(b"FROM:\r\n victim@astilleros.example", b">From x", b"M" * 201 + b": x"),
        *(b"Sender: victim@astilleros.example", b"Subject: [2041 7763]", b"Reply-To: x@evil.example", b"To: x"),
        *(b"Content-Type: text/html", b"Message-ID: <2@evil.example>", b"Content-Transfer-Encoding: base64"),
        *(b"From\x00: victim@astilleros.example", b"X-A:\r\n \r\n class: premium", b"\x0c", b"\x0b"),
    ]
)
_NAMES: Final = st.sampled_from(
    ["Bob", f'"{VICTIM}"', VICTIM, f"({VICTIM})", "=?utf-8?q?victim=40astilleros=2Eexample?="]
)


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(_NAMES, st.lists(st.tuples(_PIECES, st.integers(0, 9), st.booleans()), max_size=3), st.integers(0, 3))
def test_nothing_that_is_proven_says_anything_but_what_was_signed(
    name: str, pieces: list[tuple[bytes, int, bool]], folds: int
) -> None:
    """Lines put in anywhere and folds anywhere in From: it is what was signed, or it is not proven."""
    raw = bobs(name)
    head, _, body = raw.partition(b"\r\n\r\n")
    fold = (b" ", b"\r\n ", b"\r\n \r\n ", b"\r\n\t")[folds]
    lines = head.replace(f" <{BOB}>".encode(), fold + f"<{BOB}>".encode()).split(b"\r\n")
    for piece, place, is_joined in pieces:
        at = min(place, len(lines))
        if is_joined and at < len(lines):
            lines[at] += piece
        else:
            lines.insert(at, piece)
    said = acts_as(b"\r\n".join(lines) + b"\r\n\r\n" + body)
    # An unsigned type may make a page of the same words; it makes no others.
    assert said is None or (*said[:2], said[2] or GENUINE[2]) == GENUINE


_ODD: Final = st.lists(
    st.sampled_from([*'<>(),;:@" \\\t.', "\u017f", "\u0131", "\x00", "=?", "?=", "\r\n "]), max_size=4
).map("".join)
_ADDRESSES: Final = st.sampled_from([BOB, "x@evil.example", "a@astilleros.example.evil.example", "ASTILLEROS.example"])
_FIELDS: Final = st.lists(st.tuples(_ODD, _ADDRESSES, _ODD), min_size=1, max_size=3)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(_FIELDS, min_size=1, max_size=2))
def test_who_is_read_as_the_sender_is_of_the_domain_that_was_judged(fields: list[list[tuple[str, str, str]]]) -> None:
    """By the envelope's domain alone: no From, however odd, makes it stand behind an address of another one."""
    values = ["".join("".join(part) for part in field) for field in fields]
    head = "".join(f"From: {value}\r\n" for value in values)
    letter, verdict = judged(f"{head}Subject: x\r\n\r\nHola\r\n".encode(), "192.0.2.25", BOB)
    if verdict.is_proven:
        assert letter.sender.endswith("@astilleros.example")
        assert len(values) == 1
        assert len(re.findall(r"@astilleros\.example(?![.\w])", values[0], re.IGNORECASE)) >= 1
