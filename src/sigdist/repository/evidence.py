"""The signed account of how a release came to be: an in-toto Statement v1 in a DSSE envelope.

Rules:
1. The subjects are the release's files by SHA-256; the predicate (record changes, gates, approvers) is the caller's.
2. Signing and verifying are securesystemslib's; the payload is canonical JSON.
3. Verifying says who signed and what was said; `check_files` says whether these very files are spoken of.
"""

import json
from collections.abc import Mapping
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import FormatError, VerificationError
from securesystemslib.signer import Key

from sigdist.records import Build, canonical_bytes, sha256_hex
from sigdist.repository.keyring import KeyRing
from sigdist.repository.lanes import EVIDENCE_KEY
from sigdist.repository.refusals import EvidenceRefused

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:guardia:release-evidence:1"


def statement(build: Build, predicate: Mapping[str, Any]) -> dict[str, Any]:
    """The in-toto statement that says `predicate` of the files of `build`."""
    subjects = [{"name": name, "digest": {"sha256": sha256_hex(data)}} for name, data in sorted(build.files.items())]
    release = {"number": build.number, "label": build.label, "state_root": build.state_root, "digest": build.digest}
    return {
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": PREDICATE_TYPE,
        "predicate": {"release": release, **predicate},
    }


def sign_evidence(said: Mapping[str, Any], keys: KeyRing) -> dict[str, Any]:
    """The DSSE envelope (as JSON) of `said`, signed with the evidence key. Raises KeysRefused."""
    envelope = Envelope(canonical_bytes(said), PAYLOAD_TYPE, {})
    envelope.sign(keys.signer(EVIDENCE_KEY))
    signed: dict[str, Any] = envelope.to_dict()
    return signed


def verify_evidence(envelope: Any, key: Key) -> dict[str, Any]:
    """What the envelope says, once `key` is shown to have signed it. Raises EvidenceRefused."""
    try:
        # from_dict rewrites what it is given; it gets a copy.
        opened = Envelope.from_dict(json.loads(json.dumps(envelope)))
        opened.verify([key], 1)
    except (VerificationError, FormatError, KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise EvidenceRefused(f"the evidence is not signed by key {key.keyid[:12]}: {wrong}") from wrong
    if opened.payload_type != PAYLOAD_TYPE:
        raise EvidenceRefused(f"the evidence is of type {opened.payload_type!r}, not an in-toto statement")
    said = json.loads(opened.payload)
    if not isinstance(said, dict) or said.get("_type") != STATEMENT_TYPE:
        raise EvidenceRefused("the evidence is not an in-toto Statement v1")
    return said


def check_files(said: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Raises EvidenceRefused unless `said` speaks of exactly these files, byte for byte."""
    spoken = {subject["name"]: subject["digest"]["sha256"] for subject in said["subject"]}
    there = {name: sha256_hex(data) for name, data in files.items()}
    wrong = sorted(name for name in spoken.keys() | there.keys() if spoken.get(name) != there.get(name))
    if wrong:
        raise EvidenceRefused(f"the evidence speaks of other content for: {', '.join(wrong)}")
