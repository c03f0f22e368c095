"""Attacks by signatures of one's own domain that take long to look at: all other mail would wait for the verdict."""

import base64
import hashlib

import pytest
from tests.doors.mail.test_sender_verdicts import DMARC, SPF, STRANGER, ask, key_records
from tests.support.growth import assert_linear

LARGE = 33_000_000


def five_times(names: bytes, body_hash: bytes) -> bytes:
    signature = b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=astilleros.example; s=one; h=" + names
    return (signature + b"; bh=" + body_hash + b"; b=" + base64.b64encode(b"x" * 256) + b"\r\n") * 5


def judged(raw: bytes) -> None:
    assert not ask(raw, {**SPF, **DMARC, **key_records()}, peer=STRANGER).is_proven


@pytest.mark.parametrize("line", [b"a\t" * 36 + b"\r\n", b"a \t " * 18 + b"\r\n", b" " * 74, b"a\t\n"])
def test_attack_five_signatures_of_a_large_body_of_blanks(line: bytes) -> None:
    head = five_times(b"from:subject", b"AAAA") + b"From: Ana <ana@astilleros.example>\r\nSubject: x\r\n\r\n"
    lines = LARGE // len(line)
    assert_linear(judged, head + line * lines, head + line * (lines // 2))


@pytest.mark.parametrize("names", [500, 2_000, 3_500])
def test_attack_thousands_of_names_in_a_head_of_thousands_of_fields(names: int) -> None:
    body_hash = base64.b64encode(hashlib.sha256(b"x\r\n").digest())

    def message(names: int, fields: int) -> bytes:
        head = five_times(b"from:subject" + b":a" * names, body_hash) + b"From: Ana <ana@astilleros.example>\r\n"
        return head + b"Subject: x\r\n" + b"b: y\r\n" * fields + b"\r\nx\r\n"

    assert_linear(judged, message(names, 9_900), message(names // 2, 4_950))
