"""Proves to the server what this machine says of a case's samples with the database that it has.

Rules:
1. The server's challenge names the samples; files that are not among them, and samples without a file, are refused
   before anything is scanned or sent.
2. The statement says case, nonce, release, state root and every engine's verdict on each sample, as canonical JSON; the
   machine's key signs exactly the bytes that are sent.
3. A verdict that contradicts the claim is signed and sent as it is; judging it is the server's part.
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sigdist.client.refusals import AgentRefused, ServerRefused
from sigdist.client.scan import Scanned, scan
from sigdist.client.server import Server
from sigdist.client.store import Enrolment, Installed, Store
from sigdist.records import canonical_bytes
from sigdist.records.proof import PROOF_TYPE

_CHUNK = 1_048_576


@dataclass(frozen=True)
class Proved:
    """The server's word on the proof, and what was proved."""

    case: str
    accepted: bool
    reason: str | None
    case_state: str | None
    release: int
    scanned: list[Scanned]

    def to_json(self) -> dict[str, Any]:
        return {
            "case": self.case,
            "accepted": self.accepted,
            "reason": self.reason,
            "case_state": self.case_state,
            "release": self.release,
            "samples": [scanned.to_json() for scanned in self.scanned],
        }


def prove(store: Store, case: str, files: Sequence[Path], clock: Callable[[], datetime]) -> Proved:
    """Scan the case's samples and send the signed result. `clock` gives the moment of the scan. Raises AgentRefused."""
    enrolment, installed = store.enrolment(), store.need_installed()
    by_hash = {_sha256(path): path for path in files}
    server = Server(enrolment.server, enrolment.token)
    # Step 1: the challenge, and whether these files are what it asks for.
    challenge = server.post("/api/v1/agents/me/challenges", {"case": case})
    nonce = _check(challenge, case, by_hash)
    # Step 2: scan; step 3: say it in one form; step 4: sign and send those bytes.
    scanned = scan(installed, list(by_hash.values()))
    statement = _statement(enrolment, installed, case, nonce, dict(zip(by_hash, scanned, strict=True)), clock())
    sent = canonical_bytes(statement)
    proof = {
        "statement": base64.b64encode(sent).decode(),
        "signature": base64.b64encode(enrolment.key().sign(sent)).decode(),
    }
    answer = server.post("/api/v1/agents/me/proofs", proof)
    if not isinstance(answer.get("accepted"), bool):
        raise ServerRefused(200, "the server's answer does not say whether the proof is accepted; ask the vendor")
    return Proved(case, answer["accepted"], answer.get("reason"), answer.get("case_state"), installed.number, scanned)


def _check(challenge: dict[str, Any], case: str, by_hash: dict[str, Path]) -> str:
    try:
        nonce, asked = challenge["nonce"], {sample["sha256"] for sample in challenge["samples"]}
        told_case = challenge["case"]
    except (KeyError, TypeError) as wrong:
        raise ServerRefused(200, "the server's challenge cannot be read; is this agent too old?") from wrong
    if not isinstance(nonce, str) or str(told_case) != case:
        raise ServerRefused(200, f"the server's challenge is for case {told_case}, not {case}")
    strange = [str(path) for sha256, path in by_hash.items() if sha256 not in asked]
    if strange:
        raise AgentRefused(f"{', '.join(strange)}: no sample of case {case} has this content; give the reported files")
    missing = sorted(asked - by_hash.keys())
    if missing:
        raise AgentRefused(f"case {case} also has the sample {missing[0]} (SHA-256); give that file too")
    return nonce


def _statement(
    enrolment: Enrolment, installed: Installed, case: str, nonce: str, scanned: dict[str, Scanned], now: datetime
) -> dict[str, Any]:
    samples = [
        {"sha256": sha256, "verdicts": {engine: verdict.to_json() for engine, verdict in found.verdicts.items()}}
        for sha256, found in sorted(scanned.items())
    ]
    return {
        "type": PROOF_TYPE,
        "case": case,
        "nonce": nonce,
        "agent_id": enrolment.agent_id,
        "lane": enrolment.lane,
        "release": installed.number,
        "label": installed.label,
        "state_root": installed.state_root,
        "samples": samples,
        "scanned_at": now.isoformat(),
    }


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as wrong:
        raise AgentRefused(f"cannot read {path}: {wrong.strerror}; check the path") from wrong
