"""Samples, lab jobs, drafts, approvals and determinations."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from guardia.features.lab.models import Approval, CorpusSample, Determination, Draft, LabJob, Sample, Upload
from guardia.kernel.errors import NotFound, Refused
from guardia.kernel.vocabulary import Actor

ABANDONED_AFTER = 3
"""A job whose worker was lost so often is failed, for a person to look at."""
UPLOAD_LIFE = timedelta(days=7)


def uploads_for(actor: Actor, ids: Iterable[UUID], now: datetime) -> list[Upload]:
    """Return arrived files of the actor's own, in the given order; raise Refused for one that is unknown or used."""
    wanted = list(dict.fromkeys(ids))
    rows = Upload.objects.visible_to(actor).select_related("sample").select_for_update(of=("self",))
    found = {
        row.id: row
        for row in rows.filter(id__in=wanted, uploaded_by_id=actor.id, used_at=None, created_at__gte=now - UPLOAD_LIFE)
    }
    missing = [upload_id for upload_id in wanted if upload_id not in found]
    if missing:
        raise Refused(
            "upload_unknown",
            _("Upload %(id)s is unknown, already used, or older than 7 days. Send the file again.")
            % {"id": missing[0]},
        )
    return [found[upload_id] for upload_id in wanted]


def get_sample(sample_id: UUID) -> Sample:
    """Return the sample of a file that was access-checked with its case; raise Refused where it was erased."""
    sample = Sample.objects.across_companies("the case file in hand names its sample").get(id=sample_id)
    if sample.erased_at:
        raise Refused(
            "sample_erased",
            _("The file was erased on %(at)s UTC; its key is destroyed.")
            % {"at": f"{sample.erased_at:%Y-%m-%d %H:%M}"},
        )
    return sample


def samples_by_id(ids: Iterable[UUID]) -> dict[UUID, Sample]:
    """Return samples that are still there, for a lab job."""
    rows = Sample.objects.across_companies("the lab tests a release on every customer's closed cases")
    return {sample.id: sample for sample in rows.filter(id__in=list(ids), erased_at=None)}


def malware_corpus() -> list[CorpusSample]:
    """Return the malware corpus."""
    rows = CorpusSample.objects.across_companies("the corpus is the vendor's").select_related("sample")
    return list(rows.filter(sample__erased_at=None).order_by("name"))


def next_job(now: datetime, kinds: frozenset[str] = frozenset()) -> LabJob | None:
    """Return and lock the next job (of `kinds`, or any): queued, or leased by a worker not heard of in time."""
    rows = LabJob.objects.across_companies("the lab works for every company").select_for_update(
        skip_locked=True, of=("self",)
    )
    due = Q(state="queued") | Q(state="leased", leased_until__lt=now)
    rows = rows.filter(kind__in=kinds) if kinds else rows
    return rows.filter(due).order_by("priority", "created_at").first()


def find_job(job_id: UUID, *, lock: bool = False) -> LabJob | None:
    """Return a lab job for the lab gate."""
    rows = LabJob.objects.across_companies("the lab works for every company").select_related("draft")
    return (rows.select_for_update(of=("self",)) if lock else rows).filter(id=job_id).first()


def jobs_of(case_id: UUID, company_id: UUID, kind: str) -> QuerySet[LabJob]:
    """Return a case's jobs of a kind, newest first."""
    return LabJob.objects.of_company(company_id).filter(case_id=case_id, kind=kind).order_by("-created_at", "-id")


def latest_job(case_id: UUID, company_id: UUID, kind: str) -> LabJob | None:
    """Return a case's latest job of a kind."""
    return jobs_of(case_id, company_id, kind).first()


def gate_job(draft: Draft) -> LabJob | None:
    """Return a draft's latest run of the gates."""
    return (
        LabJob.objects.of_company(draft.company_id)
        .filter(draft=draft, kind="gates")
        .order_by("-created_at", "-id")
        .first()
    )


def drafts_of(case_id: UUID, company_id: UUID) -> QuerySet[Draft]:
    """Return a case's drafts, newest first."""
    return Draft.objects.of_company(company_id).filter(case_id=case_id).order_by("-number")


def get_draft(case_id: UUID, company_id: UUID, number: int, *, lock: bool = False) -> Draft:
    """Return one draft of a case; raise NotFound."""
    rows = Draft.objects.of_company(company_id).filter(case_id=case_id, number=number)
    draft = (rows.select_for_update() if lock else rows).first()
    if draft is None:
        raise NotFound("draft_unknown", _("The case has no draft %(number)s.") % {"number": number})
    return draft


def find_draft(draft_id: UUID) -> Draft | None:
    """Return the draft of a release."""
    return Draft.objects.across_companies("the release in hand names its draft").filter(id=draft_id).first()


def latest_drafts() -> dict[UUID, Draft]:
    """Return the latest draft of every case, by case."""
    rows = Draft.objects.across_companies("the lab's list shows every company's drafts").order_by("case_id", "-number")
    return {draft.case_id: draft for draft in rows.distinct("case_id")}


def approvals_of(draft: Draft) -> list[Approval]:
    """Return the names under a draft, in the order in which they were set."""
    return list(Approval.objects.of_company(draft.company_id).filter(draft=draft).order_by("approved_at"))


def determinations_of(case_id: UUID, company_id: UUID) -> list[Determination]:
    """Return the lab's judgements on a case, oldest first."""
    return list(Determination.objects.of_company(company_id).filter(case_id=case_id).order_by("determined_at"))


def last_seen_worker() -> tuple[datetime | None, list[str]]:
    """Return when a lab worker last took or reported work, and how many jobs wait (as ids)."""
    rows = LabJob.objects.across_companies("the lab's own state")
    latest = rows.filter(started_at__isnull=False).order_by(F("started_at").desc()).first()
    waiting = rows.filter(state="queued").order_by("created_at").values_list("id", flat=True)
    return (latest.started_at if latest else None), [str(job_id) for job_id in waiting[:50]]


def get_sample_of(company_id: UUID, sha256: str) -> Sample:
    """Return a sample that a company was just seen to have."""
    return Sample.objects.of_company(company_id).get(sha256=sha256)
