"""A customer's machine with a real Ed25519 key: it is enrolled by its code and signs proofs as the agent does."""

import base64
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guardia.features.accounts.models import Machine
from guardia.features.accounts.queries import find_machine_by_token
from guardia.features.releases.queries import get_release
from guardia.journeys.enrol_machine import create_code, enrol_machine
from guardia.journeys.prove_correction import Issued, Judged, accept_proof, issue_challenge
from sigdist.records.canonical import canonical_bytes
from tests.support.cast import Cast


def verdicts(outcome: str) -> dict[str, Any]:
    """Return what both engines say of a sample."""
    names = ["Lab.Harmless.Family"] if outcome == "detected" else []
    return {engine: {"outcome": outcome, "names": names, "engine_version": "1.0"} for engine in ("yara-x", "clamav")}


class SigningMachine:
    """An enrolled machine of one company."""

    def __init__(self, cast: Cast, admin: str = "plus_admin", name: str = "taller-07") -> None:
        self.cast, self.key = cast, Ed25519PrivateKey.generate()
        code = create_code(cast.actors[admin], cast.now, name)
        raw = self.key.public_key().public_bytes_raw()
        self.token = enrol_machine(code, name, base64.b64encode(raw).decode(), cast.now).token

    @property
    def row(self) -> Machine:
        """The machine as the server knows it, looked up by its token."""
        found = find_machine_by_token(self.token)
        assert found is not None
        return found

    def challenge(self, number: str, now: datetime | None = None) -> Issued:
        """Ask for a nonce."""
        return issue_challenge(self.row, now or self.cast.now, number)

    def statement(self, issued: Issued, release: int, outcome: str = "detected", /, **changes: Any) -> bytes:
        """Return a proof's canonical bytes, changed as said."""
        log = get_release(release)
        facts = {
            "type": "guardia-proof/1",
            "case": issued.case,
            "nonce": issued.nonce,
            "agent_id": str(self.row.id),
            "lane": self.row.lane,
            "release": log.number,
            "label": log.label,
            "state_root": log.state_root,
            "samples": [{"sha256": one["sha256"], "verdicts": verdicts(outcome)} for one in issued.samples],
            "scanned_at": self.cast.now.isoformat(),
        }
        return canonical_bytes({**facts, **changes})

    def send(self, statement: bytes, signature: bytes | None = None, now: datetime | None = None) -> Judged:
        """Sign (or use the given signature) and send a proof."""
        return accept_proof(self.row, now or self.cast.now, statement, signature or self.key.sign(statement))

    def prove(self, number: str, release: int, outcome: str = "detected", /, **changes: Any) -> Judged:
        """Ask for a nonce and send a proof for it."""
        return self.send(self.statement(self.challenge(number), release, outcome, **changes))
