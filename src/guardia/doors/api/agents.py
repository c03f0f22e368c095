"""The customer's agent: enrolment by a one-time code, its lane, challenges and proofs."""

import base64
import binascii
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema

from guardia.doors.api.asked import Asked
from guardia.doors.api.authentication import MachineToken, machine_of
from guardia.journeys.enrol_machine import enrol_machine, tell_lane
from guardia.journeys.prove_correction import accept_proof, issue_challenge
from guardia.kernel import clock
from guardia.kernel.errors import Invalid

router = Router(tags=["agents"])
LONGEST_STATEMENT = 2 * 1024 * 1024


class Enrolment(Asked):
    """A one-time code, and the machine's new Ed25519 public key (raw 32 bytes in base64)."""

    code: str
    public_key: str
    name: str = ""


class LaneFacts(Schema):
    """Where the machine gets its releases. `granted_lane` differs from `lane` after a change of plan: enrol again."""

    agent_id: str
    lane: str
    granted_lane: str
    metadata_url: str
    targets_url: str
    poll_after_s: int


class EnrolmentAnswer(LaneFacts):
    """Told once: the token is kept nowhere else. `root` is the lane's trusted TUF root."""

    token: str
    root: dict[str, Any]


class ChallengeRequest(Asked):
    """The number of the case that the machine shall verify."""

    case: str


class SampleToScan(Schema):
    """A sample of the case, and what was claimed of it."""

    sha256: str
    claim: str


class ChallengeAnswer(Schema):
    """What to re-scan, and the nonce that the proof uses up."""

    nonce: str
    case: str
    samples: list[SampleToScan]
    expires_at: datetime


class ProofRequest(Asked):
    """The exact canonical bytes that were signed, and the signature, both in base64."""

    statement: str
    signature: str


class ProofAnswer(Schema):
    """Whether the proof was accepted, and why not."""

    accepted: bool
    reason: str
    case_state: str


@router.post("/enrol", response={201: EnrolmentAnswer}, auth=None, summary="Enrol a machine with a one-time code")
def enrol(request: HttpRequest, body: Enrolment) -> tuple[int, EnrolmentAnswer]:  # noqa: ARG001  ninja's signature
    """Use up a code; the machine's token is told once."""
    enrolled = enrol_machine(body.code, body.name, body.public_key, clock.now())
    return 201, EnrolmentAnswer(**{**enrolled.facts, "agent_id": enrolled.agent_id, "token": enrolled.token})


@router.get("/me", response=LaneFacts, auth=MachineToken(), summary="The machine's lane")
def me(request: HttpRequest) -> LaneFacts:
    """Return where the machine gets its releases now."""
    return LaneFacts(**tell_lane(machine_of(request), clock.now()))


@router.post(
    "/me/challenges", response={201: ChallengeAnswer}, auth=MachineToken(), summary="Ask for a case's challenge"
)
def challenge(request: HttpRequest, body: ChallengeRequest) -> tuple[int, ChallengeAnswer]:
    """Issue a nonce for a case of the machine's company."""
    issued = issue_challenge(machine_of(request), clock.now(), body.case.replace(" ", ""))
    samples = [SampleToScan(**sample) for sample in issued.samples]
    return 201, ChallengeAnswer(nonce=issued.nonce, case=issued.case, samples=samples, expires_at=issued.expires_at)


@router.post("/me/proofs", response=ProofAnswer, auth=MachineToken(), summary="Hand in a signed proof")
def proof(request: HttpRequest, body: ProofRequest) -> ProofAnswer:
    """Judge a proof; accepted it closes the case."""
    if len(body.statement) > LONGEST_STATEMENT:
        raise Invalid("statement_too_long", _("The statement is longer than 2 MB."), {"statement": _("Too long.")})
    try:
        statement = base64.b64decode(body.statement, validate=True)
        signature = base64.b64decode(body.signature, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid(
            "not_base64", _("statement and signature are sent in base64."), {"statement": _("Not base64.")}
        ) from error
    judged = accept_proof(machine_of(request), clock.now(), statement, signature)
    return ProofAnswer(accepted=judged.accepted, reason=judged.reason, case_state=judged.case_state)
