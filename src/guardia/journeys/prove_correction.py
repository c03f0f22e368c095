"""The loop's end: the customer's own machine re-scans the reported sample and signs what its engines say.

A proof is accepted only where everything fits: the machine's key and company, an unused nonce issued to it for this
case and not over, a release that the machine's lane shows, with the log's state root, not older than the one that holds
the correction, exactly the case's samples, and the right verdict in every engine. Every proof is kept, accepted or not.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from guardia.features.accounts.operations import saw_machine
from guardia.features.accounts.queries import machine_actor
from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.features.lab.rules.gates import ENGINES
from guardia.features.releases import operations
from guardia.features.releases import queries as releases
from guardia.journeys import case_log
from guardia.journeys.notify import notify_customer
from guardia.kernel.errors import Refused
from guardia.kernel.ids import spoken
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Lane
from sigdist.records import Proof, ProofRefused, parse_and_verify

CHALLENGE_LIFE = timedelta(minutes=15)


@dataclass(frozen=True)
class Issued:
    """A challenge: what the machine must re-scan, and the nonce that its proof uses up."""

    nonce: str
    case: str
    samples: tuple[dict[str, str], ...]
    expires_at: datetime


@dataclass(frozen=True)
class Judged:
    """Whether a proof was accepted, and why not."""

    accepted: bool
    reason: str
    case_state: str


def issue_challenge(machine: Any, now: datetime, number: str) -> Issued:
    """Issue a nonce to a machine for a case of its own company."""
    with journey():
        case = queries.get_case_of_company(machine.company_id, number)
        if case.kind != "signature_change":
            raise Refused("no_report", _("Only signature changes are verified by a machine."))
        if case.closed_at is not None:
            raise Refused("case_closed", _("The case is closed already."))
        claim = queries.get_report(case).claim
        samples = tuple({"sha256": file.sha256, "claim": claim} for file in queries.files_of(case, "sample"))
        expires_at = now + CHALLENGE_LIFE
        nonce = secrets.token_urlsafe(32)
        operations.issue_challenge(case.company_id, case.id, number, machine.id, nonce, now, expires_at)
        saw_machine(machine, now)
    return Issued(nonce, number, samples, expires_at)


def accept_proof(machine: Any, now: datetime, statement: bytes, signature: bytes) -> Judged:
    """Judge a proof; accepted it closes the case."""
    try:
        proof = parse_and_verify(statement, signature, bytes(machine.public_key))
    except ProofRefused as error:
        return _unread(machine, now, statement, signature, error.reason)
    with journey():
        challenge = releases.find_challenge(machine.company_id, proof.nonce, lock=True)
        why = _unfit(machine, now, proof, challenge)
        if why or challenge is None:
            _keep(machine, now, statement, signature, proof, None, why)
            return Judged(False, why, "")
        case = cases.lock_case(queries.get_case_of_company(machine.company_id, proof.case))
        operations.use_challenge(challenge, now)
        saw_machine(machine, now, proof.release)
        why = _unproved(machine, case, proof)
        _keep(machine, now, statement, signature, proof, case, why)
        _conclude(machine, now, case, proof, why)
        return Judged(not why, why, case.state)


def _unread(machine: Any, now: datetime, statement: bytes, signature: bytes, reason: str) -> Judged:
    with journey():
        operations.keep_proof(
            machine.company_id, machine.id, statement, signature, now,
            accepted=False, reason=reason, case_id=None, release_number=None,
        )  # fmt: skip
    return Judged(False, reason, "")


def _keep(machine: Any, now: datetime, statement: bytes, signature: bytes, proof: Proof, case: Any, why: str) -> None:
    operations.keep_proof(
        machine.company_id, machine.id, statement, signature, now,
        accepted=not why, reason=why, case_id=case.id if case else None, release_number=proof.release,
    )  # fmt: skip


def _unfit(machine: Any, now: datetime, proof: Proof, challenge: Any) -> str:
    """Return why the proof does not answer a challenge of this machine, or an empty string."""
    if proof.agent_id != str(machine.id):
        return _("The proof names another machine.")
    if challenge is None or challenge.machine_id != machine.id:
        return _("The nonce was not issued to this machine.")
    if challenge.used_at is not None:
        return _("The nonce was used before: a proof counts once. Run guardia-agent verify again.")
    if challenge.expires_at < now:
        return _("The nonce is older than 15 minutes. Run guardia-agent verify again.")
    if challenge.case_number != proof.case:
        return _("The nonce was issued for another case.")
    return ""


def _unproved(machine: Any, case: Any, proof: Proof) -> str:
    """Return why the proof does not show the correction, or an empty string."""
    if case.closed_at is not None:
        return _("The case is closed already.")
    release = releases.find_release(proof.release)
    if release is None or release.state_root != proof.state_root or release.label != proof.label:
        return _("The machine's database is no release of this log: its state root differs. Run guardia-agent update.")
    shown = releases.pointer(Lane(machine.lane))
    if shown is None or proof.lane != machine.lane or shown.release_id < proof.release:
        return _("The %(lane)s lane does not show release %(label)s yet.") % {
            "lane": machine.lane,
            "label": release.label,
        }
    if case.fixed_in is None:
        return _("The correction has not reached this machine's lane yet. The page of the case says when it will.")
    if proof.release < case.fixed_in:
        fixed = releases.get_release(case.fixed_in).label
        return _("The machine has %(have)s, the correction is in %(fixed)s. Run guardia-agent update.") % {
            "have": release.label,
            "fixed": fixed,
        }
    wanted = {file.sha256 for file in queries.files_of(case, "sample")}
    scanned = {sample.sha256 for sample in proof.samples}
    if wanted != scanned:
        return _("The proof is about other files: %(missing)d of the case's are missing.") % {
            "missing": len(wanted - scanned)
        }
    claim = queries.get_report(case).claim
    wrong = [sample.sha256[:16] for sample in proof.samples if not sample.satisfies(claim, ENGINES)]
    if wrong:
        return _("Still failing on the machine: %(files)s.") % {"files": ", ".join(wrong)}
    return ""


def _conclude(machine: Any, now: datetime, case: case_log.Case, proof: Proof, why: str) -> None:
    actor = machine_actor(machine)
    facts = {"machine": machine.name, "release": proof.release, "label": proof.label}
    if why:
        case_log.add(case, "proof_refused", actor, now, {**facts, "reason": why})
        return
    verdicts = [
        {
            "sha256": sample.sha256,
            "verdicts": {
                name: {"outcome": said.outcome, "names": list(said.names), "engine_version": said.engine_version}
                for name, said in sample.verdicts.items()
            },
        }
        for sample in proof.samples
    ]
    case_log.add(case, "proved", actor, now, {**facts, "samples": verdicts})
    reason = _("Verified on %(machine)s with release %(label)s.") % {"machine": machine.name, "label": proof.label}
    seq = case_log.add(case, "closed", actor, now, {"how": "machine_proved", "reason": reason})
    notify_customer(case, "closed", seq, now, f"{spoken(case.number)}: {reason}")
