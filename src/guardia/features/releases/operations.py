"""Changes to the log, the lanes and the proofs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from guardia.features.releases.models import Challenge, Evidence, LanePointer, Proof, Publication, Release
from guardia.kernel.transactions import operation
from guardia.kernel.vocabulary import Actor, Lane

_LOG_LOCK = 7_411_001
_LANE_LOCK = {Lane.ACCELERATED: 7_411_002, Lane.STANDARD: 7_411_003}


@operation
def lock_log() -> None:
    """Let releases be numbered one after the other until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOG_LOCK])


@operation
def lock_lane(lane: Lane) -> None:
    """Let a lane be moved by one at a time until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LANE_LOCK[lane]])


@operation
def append_release(
    number: int,
    label: str,
    operations: Sequence[Mapping[str, Any]],
    state_root: str,
    build_digest: str,
    now: datetime,
    *,
    draft_id: UUID | None,
    case_number: str = "",
    approvals: Sequence[Mapping[str, str]] = (),
) -> Release:
    """Append a release to the log; the database checks its gates and its three people."""
    return Release.objects.create(
        number=number,
        label=label,
        draft_id=draft_id,
        case_number=case_number,
        is_baseline=draft_id is None,
        operations=[dict(step) for step in operations],
        state_root=state_root,
        build_digest=build_digest,
        approvals=[dict(approval) for approval in approvals],
        created_at=now,
    )


@operation
def request_publication(lane: Lane, release: Release, actor: Actor, now: datetime) -> Publication:
    """Ask for a lane to show a release; asking twice is asking once."""
    return Publication.objects.get_or_create(
        lane=lane.value, release=release, defaults={"requested_by": actor.as_json(), "requested_at": now}
    )[0]


@operation
def finish_publication(publication: Publication, now: datetime) -> None:
    """Keep that the lane shows the release, and move its pointer; the database refuses to move it back."""
    publication.published_at = now
    publication.save(update_fields=["published_at"])
    LanePointer.objects.update_or_create(
        lane=publication.lane, defaults={"release_id": publication.release_id, "moved_at": now}
    )


@operation
def keep_evidence(release: Release, envelope: Mapping[str, Any], now: datetime) -> None:
    """Keep the signed evidence of a release, once."""
    Evidence.objects.get_or_create(release=release, defaults={"envelope": dict(envelope), "created_at": now})


@operation
def issue_challenge(
    company_id: UUID, case_id: UUID, case_number: str, machine_id: UUID, nonce: str, now: datetime, expires_at: datetime
) -> Challenge:
    """Issue a nonce to a machine for a case."""
    return Challenge.objects.create(
        company_id=company_id,
        case_id=case_id,
        case_number=case_number,
        machine_id=machine_id,
        nonce=nonce,
        issued_at=now,
        expires_at=expires_at,
    )


@operation
def use_challenge(challenge: Challenge, now: datetime) -> None:
    """Use up a nonce (locked by the caller)."""
    challenge.used_at = now
    challenge.save(update_fields=["used_at"])


@operation
def keep_proof(
    company_id: UUID,
    machine_id: UUID,
    statement: bytes,
    signature: bytes,
    now: datetime,
    *,
    accepted: bool,
    reason: str,
    case_id: UUID | None,
    release_number: int | None,
) -> None:
    """Keep what a machine signed, accepted or not; the same bytes sent again are kept already."""
    proof = Proof(
        company_id=company_id,
        machine_id=machine_id,
        statement=statement,
        signature=signature,
        accepted=accepted,
        reason=reason[:300],
        case_id=case_id,
        release_number=release_number,
        received_at=now,
    )
    Proof.objects.bulk_create([proof], ignore_conflicts=True)
