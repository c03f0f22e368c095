"""The record log, the lanes' pointers, publications, evidence and proofs.

One linear log with one global number. `LanePointer` says which number a lane shows; the database refuses a standard
lane ahead of the accelerated one, and a lane that goes back. Releases and proofs are append-only.
"""

from django.db import models
from django.db.models import Q

from guardia.kernel.ids import uuid7
from guardia.kernel.tenancy import CompanyRow
from guardia.kernel.vocabulary import Lane

_LANES = [(lane.value, lane.value) for lane in Lane]


class Release(models.Model):
    number = models.PositiveIntegerField(primary_key=True)
    label = models.CharField(max_length=20, unique=True)
    draft_id = models.UUIDField(null=True, unique=True)
    case_number = models.CharField(max_length=8, default="")
    is_baseline = models.BooleanField(default=False)
    operations = models.JSONField()
    state_root = models.CharField(max_length=64)
    build_digest = models.CharField(max_length=64)
    approvals = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="only_the_baseline_has_no_draft",
                condition=Q(is_baseline=True, draft_id=None, number=1) | Q(is_baseline=False, draft_id__isnull=False),
            ),
        ]


class LanePointer(models.Model):
    lane = models.CharField(primary_key=True, max_length=12, choices=_LANES)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="+")
    moved_at = models.DateTimeField()


class Publication(models.Model):
    """That a lane shall show a release (`requested_at`), and that it does (`published_at`)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    lane = models.CharField(max_length=12, choices=_LANES)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="+")
    requested_by = models.JSONField()
    requested_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="a_release_is_published_once_a_lane", fields=["lane", "release"])]


class Evidence(models.Model):
    """The signed in-toto statement of a release (DSSE envelope)."""

    release = models.OneToOneField(Release, on_delete=models.PROTECT, primary_key=True, related_name="+")
    envelope = models.JSONField()
    created_at = models.DateTimeField()


class Challenge(CompanyRow):
    """A nonce for one machine and one case; a proof uses it up."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    nonce = models.CharField(max_length=64, unique=True)
    case_id = models.UUIDField()
    case_number = models.CharField(max_length=8)
    machine_id = models.UUIDField()
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Proof(CompanyRow):
    """What a customer's machine signed, accepted or not; kept either way. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case_id = models.UUIDField(null=True)
    machine_id = models.UUIDField()
    release_number = models.PositiveIntegerField(null=True)
    statement = models.BinaryField()
    signature = models.BinaryField()
    accepted = models.BooleanField()
    reason = models.CharField(max_length=300)
    received_at = models.DateTimeField()

    class Meta(CompanyRow.Meta):
        constraints = [
            models.UniqueConstraint(
                "machine_id",
                "signature",
                models.Func("statement", function="sha256"),
                name="a_proof_is_kept_once",
            )
        ]
