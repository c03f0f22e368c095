"""Changes in the lab: uploads and samples, jobs and leases, drafts, approvals, determinations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from guardia.features.lab.models import Approval, CorpusSample, Determination, Draft, LabJob, Sample, Upload
from guardia.features.lab.queries import ABANDONED_AFTER
from guardia.kernel.errors import Refused
from guardia.kernel.transactions import operation
from guardia.kernel.vocabulary import Actor

LEASE = timedelta(seconds=30)


@dataclass(frozen=True)
class SealedObject:
    """What the quarantine took in: content digest and size, where it lies, its wrapped key and that key's id."""

    sha256: str
    size: int
    object_name: str
    wrapped_key: bytes
    key_id: str


@operation
def keep_sample(company_id: UUID, sealed: SealedObject, now: datetime) -> tuple[Sample, bool]:
    """Keep a sealed object as the company's sample; False where the company had the same bytes already."""
    rows = Sample.objects.of_company(company_id)
    return rows.get_or_create(
        company_id=company_id,
        sha256=sealed.sha256,
        defaults={
            "size": sealed.size,
            "object_name": sealed.object_name,
            "wrapped_key": sealed.wrapped_key,
            "key_id": sealed.key_id,
            "created_at": now,
        },
    )


@operation
def revive_sample(sample: Sample, sealed: SealedObject) -> None:
    """Give an erased sample, sent again, its new object and key."""
    sample.object_name, sample.wrapped_key, sample.key_id = sealed.object_name, sealed.wrapped_key, sealed.key_id
    sample.erased_at = None
    sample.save(update_fields=["object_name", "wrapped_key", "key_id", "erased_at"])


@operation
def add_upload(sample: Sample, filename: str, actor: Actor, now: datetime) -> Upload:
    """Keep that a file arrived; it waits for its case."""
    return Upload.objects.create(
        company_id=sample.company_id, sample=sample, filename=filename, uploaded_by_id=actor.id, created_at=now
    )


@operation
def use_uploads(uploads: Sequence[Upload], now: datetime) -> None:
    """Mark uploads as taken by a case."""
    for upload in uploads:
        upload.used_at = now
        upload.save(update_fields=["used_at"])


@operation
def add_to_corpus(sample: Sample, name: str, now: datetime) -> None:
    """Add a sample to the malware corpus, once."""
    CorpusSample.objects.of_company(sample.company_id).get_or_create(
        sample=sample, defaults={"company_id": sample.company_id, "name": name, "added_at": now}
    )


@operation
def queue_job(
    kind: str,
    case_id: UUID,
    company_id: UUID,
    case_number: str,
    request: Mapping[str, Any],
    now: datetime,
    *,
    priority: int,
    draft: Draft | None = None,
) -> LabJob:
    """Queue work for the lab; a second run of a draft's gates while one is under way is refused."""
    try:
        with transaction.atomic():
            return LabJob.objects.create(
                kind=kind,
                case_id=case_id,
                company_id=company_id,
                case_number=case_number,
                draft=draft,
                priority=priority,
                request=dict(request),
                state="queued",
                created_at=now,
            )
    except IntegrityError as error:
        raise Refused("gates_running", _("The gates of this draft are running already.")) from error


@operation
def lease_job(job: LabJob, worker: str, lease_digest: str, now: datetime) -> bool:
    """Lease a job (locked by the caller) to a worker; False where too many workers were lost over it: it is failed."""
    if job.attempts >= ABANDONED_AFTER:
        job.state, job.finished_at = "failed", now
        job.error = job.error or f"{job.attempts} lab workers were lost over this job; the last was {job.worker}."
        job.save(update_fields=["state", "finished_at", "error"])
        return False
    job.state, job.worker, job.lease_digest, job.leased_until = "leased", worker, lease_digest, now + LEASE
    job.attempts += 1
    job.started_at = now
    job.progress = []
    job.save(update_fields=["state", "worker", "lease_digest", "leased_until", "attempts", "started_at", "progress"])
    return True


@operation
def keep_request(job: LabJob, request: Mapping[str, Any]) -> None:
    """Keep what a leased job was asked, with the releases of that moment."""
    job.request = dict(request)
    job.save(update_fields=["request"])


@operation
def keep_error(job: LabJob, error: str) -> None:
    """Keep why a job, leased or not, does not go on."""
    job.error = error
    job.save(update_fields=["error"])


@operation
def report_progress(job: LabJob, steps: list[Any], now: datetime) -> None:
    """Keep a job's progress and extend its lease."""
    job.progress, job.leased_until = steps, now + LEASE
    job.save(update_fields=["progress", "leased_until"])


@operation
def finish_job(job: LabJob, result: Mapping[str, Any] | None, error: str, now: datetime) -> None:
    """Keep a job's findings, or the sentence that says why there are none."""
    job.state = "failed" if error else "done"
    job.result = dict(result) if result is not None else None
    job.error, job.finished_at, job.lease_digest = error, now, ""
    job.save(update_fields=["state", "result", "error", "finished_at", "lease_digest"])


def new_draft(**facts: Any) -> Draft:
    """Return a draft, unsaved."""
    return Draft(**facts)


@operation
def add_draft(draft: Draft) -> None:
    """Insert a new draft and its author's name under exactly its build."""
    draft.save(force_insert=True)
    approve(draft, "author", draft.author_id, draft.author_name, draft.created_at)


@operation
def move_draft(draft: Draft, state: str) -> None:
    """Move a draft to another state."""
    draft.state = state
    draft.save(update_fields=["state"])


@operation
def approve(draft: Draft, role: str, person_id: UUID, person_name: str, now: datetime) -> None:
    """Set a person's name under a draft's build; the database refuses the same person twice."""
    try:
        with transaction.atomic():
            Approval.objects.create(
                company_id=draft.company_id,
                draft=draft,
                role=role,
                person_id=person_id,
                person_name=person_name,
                build_digest=draft.build_digest,
                approved_at=now,
            )
    except IntegrityError as error:
        raise Refused(
            "three_people",
            _("Author, reviewer and releaser are three people; this draft has that role or that person already."),
        ) from error


@operation
def determine(case_id: UUID, company_id: UUID, verdict: str, text: str, actor: Actor, now: datetime) -> None:
    """Add a judgement to the case's history."""
    Determination.objects.create(
        case_id=case_id,
        company_id=company_id,
        verdict=verdict,
        text=text,
        author_id=UUID(actor.id),
        author_name=actor.name,
        determined_at=now,
    )
