"""Attacks by signatures of one's own domain that take long to look at: all other mail would wait for the verdict."""

import base64
import hashlib
import time

import pytest
from tests.doors.mail.test_sender_verdicts import DMARC, SPF, STRANGER, ask, key_records

LARGE = 33_000_000
WITHIN_S = 2.0


def five_times(names: bytes, body_hash: bytes) -> bytes:
    signature = b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=astilleros.example; s=one; h=" + names
    return (signature + b"; bh=" + body_hash + b"; b=" + base64.b64encode(b"x" * 256) + b"\r\n") * 5


def seconds(raw: bytes) -> float:
    begun = time.monotonic()
    assert not ask(raw, {**SPF, **DMARC, **key_records()}, peer=STRANGER).is_proven
    return time.monotonic() - begun


@pytest.mark.parametrize("line", [b"a\t" * 36 + b"\r\n", b"a \t " * 18 + b"\r\n", b" " * 74, b"a\t\n"])
def test_attack_five_signatures_of_a_large_body_of_blanks(line: bytes) -> None:
    head = five_times(b"from:subject", b"AAAA") + b"From: Ana <ana@astilleros.example>\r\nSubject: x\r\n\r\n"
    assert seconds(head + line * (LARGE // len(line))) < WITHIN_S


@pytest.mark.parametrize("names", [500, 2_000, 3_500])
def test_attack_thousands_of_names_in_a_head_of_thousands_of_fields(names: int) -> None:
    body_hash = base64.b64encode(hashlib.sha256(b"x\r\n").digest())
    head = five_times(b"from:subject" + b":a" * names, body_hash) + b"From: Ana <ana@astilleros.example>\r\n"
    assert seconds(head + b"Subject: x\r\n" + b"b: y\r\n" * 9_900 + b"\r\nx\r\n") < WITHIN_S
