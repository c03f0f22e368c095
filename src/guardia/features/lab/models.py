"""Samples under quarantine, lab jobs, drafts with their gates and approvals, determinations.

Drafts are never edited: a change makes the next draft. Approvals and determinations are append-only. Three different
people: `Approval` allows one row for each role and one for each person of a draft, and the database refuses a release
whose draft lacks passed gates or one of the three on the same build.
"""

from django.db import models
from django.db.models import Q

from guardia.kernel.ids import uuid7
from guardia.kernel.tenancy import CompanyRow


class Sample(CompanyRow):
    """One object for each (company, sha256), sealed with its own key, which is wrapped by the lab key `key_id`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    object_name = models.CharField(max_length=80)
    wrapped_key = models.BinaryField()
    key_id = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    class Meta(CompanyRow.Meta):
        constraints = [models.UniqueConstraint(name="a_sample_is_kept_once_a_company", fields=["company", "sha256"])]


class Upload(CompanyRow):
    """A file that has arrived and waits for its case; `used_at` once a case took it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="+")
    filename = models.CharField(max_length=255)
    uploaded_by_id = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class CorpusSample(CompanyRow):
    """A member of the malware corpus: every later release must detect it as before."""

    sample = models.OneToOneField(Sample, on_delete=models.PROTECT, primary_key=True, related_name="+")
    name = models.CharField(max_length=120)
    added_at = models.DateTimeField()


class Draft(CompanyRow):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case_id = models.UUIDField()
    case_number = models.CharField(max_length=8)
    number = models.PositiveIntegerField()
    author_id = models.UUIDField()
    author_name = models.CharField(max_length=120)
    title = models.CharField(max_length=200)
    reason = models.TextField(default="")
    operations = models.JSONField()
    base_number = models.PositiveIntegerField()
    build_number = models.PositiveIntegerField()
    build_label = models.CharField(max_length=20)
    build_digest = models.CharField(max_length=64)
    state_root = models.CharField(max_length=64)
    state = models.CharField(max_length=12)
    created_at = models.DateTimeField()

    class Meta(CompanyRow.Meta):
        constraints = [
            models.UniqueConstraint(name="draft_number_is_unique_in_its_case", fields=["case_id", "number"]),
            models.CheckConstraint(
                name="draft_state_is_known",
                condition=Q(
                    state__in=["saved", "gating", "gate_failed", "gated", "reviewed", "approved", "superseded"]
                ),
            ),
        ]


class LabJob(CompanyRow):
    """Work for a lab worker. A lease that runs out makes the job available again; results are data."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=10)
    case_id = models.UUIDField()
    case_number = models.CharField(max_length=8)
    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, null=True, related_name="+")
    priority = models.PositiveSmallIntegerField()
    request = models.JSONField()
    state = models.CharField(max_length=10)
    lease_digest = models.CharField(max_length=64, default="")
    leased_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=80, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    progress = models.JSONField(default=list)
    result = models.JSONField(null=True)
    error = models.TextField(default="")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta(CompanyRow.Meta):
        indexes = [
            models.Index(
                fields=["priority", "created_at"], condition=Q(state__in=["queued", "leased"]), name="lab_job_due"
            )
        ]
        constraints = [
            models.CheckConstraint(
                name="lab_job_state_is_known", condition=Q(state__in=["queued", "leased", "done", "failed"])
            ),
            models.UniqueConstraint(
                name="one_gate_run_of_a_draft_at_a_time",
                fields=["draft"],
                condition=Q(kind="gates", state__in=["queued", "leased"]),
            ),
        ]


class Approval(CompanyRow):
    """One of the three people's names under exactly one build. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=10)
    person_id = models.UUIDField()
    person_name = models.CharField(max_length=120)
    build_digest = models.CharField(max_length=64)
    approved_at = models.DateTimeField()

    class Meta(CompanyRow.Meta):
        constraints = [
            models.UniqueConstraint(name="one_person_for_each_role", fields=["draft", "role"]),
            models.UniqueConstraint(name="three_different_people", fields=["draft", "person_id"]),
            models.CheckConstraint(
                name="approval_role_is_known", condition=Q(role__in=["author", "reviewer", "releaser"])
            ),
        ]


class Determination(CompanyRow):
    """The lab's judgement on a case: a history, never overwritten."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case_id = models.UUIDField()
    verdict = models.CharField(max_length=20)
    text = models.TextField()
    author_id = models.UUIDField()
    author_name = models.CharField(max_length=120)
    determined_at = models.DateTimeField()
