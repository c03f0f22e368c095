"""The proof that an agent sends when it has re-scanned a case's samples: its shape and its signature. Pure.

Rules:
1. The statement is canonical JSON of exactly the fields of `guardia-proof/1`; other bytes with the same meaning are
   refused, so that one statement has one signature.
2. The signature is Ed25519 by the machine's key over exactly those bytes. It is checked before anything is read.
3. No text holds NUL, which no database keeps, and a release is a number of the log's line (from 1).
4. This module says what was signed, never whether it is enough: company, case, nonce, release and claim are the
   server's to judge. An empty list of samples or verdicts is refused here, so that nothing is proved by nothing.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sigdist.records.canonical import canonical_bytes

PROOF_TYPE = "guardia-proof/1"
MAX_STATEMENT_BYTES = 1_048_576
HIGHEST_RELEASE = 2**31 - 1
_FIELDS = {
    "type": str,
    "case": str,
    "nonce": str,
    "agent_id": str,
    "lane": str,
    "release": int,
    "label": str,
    "state_root": str,
    "samples": list,
    "scanned_at": str,
}
_OUTCOMES = ("detected", "not_detected", "not_scanned")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ProofRefused(Exception):
    """The statement is not a proof; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class ProvedVerdict:
    """What one engine said of one sample on the customer's machine."""

    outcome: str
    names: tuple[str, ...]
    engine_version: str
    reason: str | None


@dataclass(frozen=True)
class SampleProof:
    sha256: str
    verdicts: Mapping[str, ProvedVerdict]

    def satisfies(self, claim: str, engines: Sequence[str]) -> bool:
        """Whether every one of `engines` says what the claim (FN or FP) needs; no engines, no proof."""
        needed = {"FN": "detected", "FP": "not_detected"}[claim]
        said = [self.verdicts.get(engine) for engine in engines]
        return bool(said) and all(verdict is not None and verdict.outcome == needed for verdict in said)


@dataclass(frozen=True)
class Proof:
    case: str
    nonce: str
    agent_id: str
    lane: str
    release: int
    label: str
    state_root: str
    samples: tuple[SampleProof, ...]
    scanned_at: datetime


def parse_and_verify(statement_bytes: bytes, signature: bytes, public_key: bytes) -> Proof:
    """The proof in `statement_bytes`, signed by the raw Ed25519 `public_key` (32 bytes). Raises ProofRefused."""
    if len(statement_bytes) > MAX_STATEMENT_BYTES:
        raise ProofRefused(f"the statement is longer than {MAX_STATEMENT_BYTES} bytes")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, statement_bytes)
    except (InvalidSignature, ValueError) as wrong:
        raise ProofRefused("the signature is not this machine's over this statement") from wrong
    return _parse(statement_bytes)


def _parse(statement_bytes: bytes) -> Proof:
    try:
        data = json.loads(statement_bytes)
        canonical, texts = canonical_bytes(data), _texts(data)
    except (ValueError, RecursionError) as wrong:
        raise ProofRefused("the statement is not JSON in UTF-8") from wrong
    if not isinstance(data, dict) or data.get("type") != PROOF_TYPE:
        raise ProofRefused(f"the statement is not a {PROOF_TYPE}")
    if canonical != statement_bytes:
        raise ProofRefused("the statement is not canonical JSON (sorted keys, no spaces, UTF-8)")
    if "\x00" in texts:
        raise ProofRefused("the statement holds a NUL character")
    if set(data) != set(_FIELDS):
        raise ProofRefused(f"the statement has wrong fields: {', '.join(sorted(set(data) ^ set(_FIELDS)))}")
    for field, kind in _FIELDS.items():
        if not isinstance(data[field], kind) or isinstance(data[field], bool):
            raise ProofRefused(f"{field} is not of type {kind.__name__}")
    if not 1 <= data["release"] <= HIGHEST_RELEASE:
        raise ProofRefused(f"release {data['release']} is no number of a release")
    fields = {field: data[field] for field in ("case", "nonce", "agent_id", "lane", "release", "label", "state_root")}
    return Proof(**fields, samples=_samples(data["samples"]), scanned_at=_instant(data["scanned_at"]))


def _texts(data: Any) -> str:
    """Every text of a JSON value, names of fields included, one after the other."""
    if isinstance(data, str):
        return data
    if isinstance(data, dict):
        return "".join(f"{name}{_texts(value)}" for name, value in data.items())
    return "".join(map(_texts, data)) if isinstance(data, list) else ""


def _samples(data: list[Any]) -> tuple[SampleProof, ...]:
    samples: dict[str, SampleProof] = {}
    for index, item in enumerate(data):
        place = f"samples[{index}]"
        if not isinstance(item, dict) or set(item) != {"sha256", "verdicts"}:
            raise ProofRefused(f"{place} needs exactly sha256 and verdicts")
        sha256, verdicts = item["sha256"], item["verdicts"]
        if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256) or sha256 in samples:
            raise ProofRefused(f"{place}.sha256 is not 64 hex digits, or is there twice")
        if not isinstance(verdicts, dict) or not verdicts:
            raise ProofRefused(f"{place}.verdicts is empty; each engine's verdict is needed")
        checked = {engine: _verdict(verdict, f"{place}.{engine}") for engine, verdict in verdicts.items()}
        samples[sha256] = SampleProof(sha256, checked)
    if not samples:
        raise ProofRefused("the statement names no sample")
    return tuple(samples.values())


def _verdict(data: Any, place: str) -> ProvedVerdict:
    if not isinstance(data, dict) or data.get("outcome") not in _OUTCOMES:
        raise ProofRefused(f"{place}.outcome is none of {', '.join(_OUTCOMES)}")
    names, version, reason = data.get("names", []), data.get("engine_version", ""), data.get("reason")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ProofRefused(f"{place}.names is not a list of names")
    if (data["outcome"] == "detected") != bool(names):
        raise ProofRefused(f"{place}: names belong to detected, and detected needs at least one")
    if not isinstance(version, str) or not (reason is None or isinstance(reason, str)):
        raise ProofRefused(f"{place}: engine_version and reason are text")
    return ProvedVerdict(data["outcome"], tuple(names), version, reason)


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise ProofRefused(f"scanned_at {text!r} is not an instant in ISO 8601") from wrong
    if instant.tzinfo is None:
        raise ProofRefused(f"scanned_at {text!r} has no time zone")
    return instant
