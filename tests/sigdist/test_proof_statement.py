"""The proof's shape and signature, named after what somebody might try."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sigdist.records import ProofRefused, canonical_bytes, parse_and_verify

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes_raw()
DETECTED: dict[str, Any] = {"outcome": "detected", "names": ["Lab.Family"], "engine_version": "1", "reason": None}
CLEAN: dict[str, Any] = {"outcome": "not_detected", "names": [], "engine_version": "1", "reason": None}
STATEMENT: dict[str, Any] = {
    "type": "guardia-proof/1",
    "case": "1017",
    "nonce": "n",
    "agent_id": "a",
    "lane": "accelerated",
    "release": 3,
    "label": "20261122.3",
    "state_root": "00",
    "samples": [{"sha256": "ab" * 32, "verdicts": {"yara-x": DETECTED, "clamav": DETECTED}}],
    "scanned_at": "2026-11-22T10:00:00+00:00",
}


def _refusal(statement: bytes, signature: bytes | None = None, key: bytes = PUBLIC) -> str:
    with pytest.raises(ProofRefused) as refusal:
        parse_and_verify(statement, KEY.sign(statement) if signature is None else signature, key)
    return refusal.value.reason


def _changed(**changes: Any) -> bytes:
    return canonical_bytes({**STATEMENT, **changes})


def test_an_honest_proof_is_read_whole() -> None:
    sent = canonical_bytes(STATEMENT)
    proof = parse_and_verify(sent, KEY.sign(sent), PUBLIC)
    assert (proof.case, proof.nonce, proof.release, proof.lane) == ("1017", "n", 3, "accelerated")
    assert proof.samples[0].satisfies("FN", ("yara-x", "clamav"))
    assert not proof.samples[0].satisfies("FP", ("yara-x", "clamav"))


def test_a_claim_needs_every_engine_and_never_none() -> None:
    half = [{"sha256": "ab" * 32, "verdicts": {"yara-x": DETECTED, "clamav": CLEAN}}]
    sent = _changed(samples=half)
    sample = parse_and_verify(sent, KEY.sign(sent), PUBLIC).samples[0]
    assert not sample.satisfies("FN", ("yara-x", "clamav"))
    assert not sample.satisfies("FP", ("yara-x", "clamav"))
    assert not sample.satisfies("FN", ("yara-x", "third"))
    assert not sample.satisfies("FN", ())


def test_a_foreign_key_a_changed_byte_and_a_short_signature_are_refused() -> None:
    sent = canonical_bytes(STATEMENT)
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert "signature" in _refusal(sent, key=other)
    assert "signature" in _refusal(sent.replace(b"1017", b"1018"), KEY.sign(sent))
    assert "signature" in _refusal(sent, b"short")
    assert "signature" in _refusal(sent, key=b"no key")


def test_the_same_meaning_in_other_bytes_is_refused() -> None:
    assert "canonical" in _refusal(json.dumps(STATEMENT).encode())
    doubled = canonical_bytes(STATEMENT).replace(b'{"agent_id"', b'{"agent_id":"x","agent_id"')
    assert "canonical" in _refusal(doubled)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"type":NaN}', "not JSON"),
        (b"[]", "not a guardia-proof/1"),
        (_changed(type="guardia-proof/2"), "not a guardia-proof/1"),
        (_changed(extra=1), "wrong fields: extra"),
        (_changed(release="3"), "release is not of type int"),
        (_changed(release=True), "release is not of type int"),
        (_changed(samples=[]), "names no sample"),
        (_changed(samples=[5]), "exactly sha256 and verdicts"),
        (_changed(samples=[{"sha256": "x", "verdicts": {"e": CLEAN}}]), "64 hex digits"),
        (_changed(samples=[{"sha256": "ab" * 32, "verdicts": {}}]), "verdicts is empty"),
        (_changed(samples=[{"sha256": "ab" * 32, "verdicts": {"e": {"outcome": "fine"}}}]), "outcome is none of"),
        (_changed(samples=[{"sha256": "ab" * 32, "verdicts": {"e": {**CLEAN, "names": ["x"]}}}]), "names belong"),
        (_changed(samples=[{"sha256": "ab" * 32, "verdicts": {"e": {**DETECTED, "names": []}}}]), "at least one"),
        (_changed(samples=[{"sha256": "ab" * 32, "verdicts": {"e": {**CLEAN, "names": 5}}}]), "list of names"),
        (_changed(samples=STATEMENT["samples"] * 2), "there twice"),
        (_changed(scanned_at="yesterday"), "not an instant"),
        (_changed(scanned_at="2026-11-22T10:00:00"), "no time zone"),
        (b"x" * 1_048_577, "longer than"),
    ],
)
def test_a_signed_statement_of_the_wrong_shape_is_refused(statement: bytes, says: str) -> None:
    assert says in _refusal(statement)
