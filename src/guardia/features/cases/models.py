"""Cases and what happened to them.

`CaseEvent` is the truth: append-only, `seq` unique for each case. Everything in `Case` below the line is a projection
of its events, written in the same transaction; `guardia rebuild` computes it again and shows no difference.
"""

from datetime import UTC, datetime

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KT

from guardia.features.cases.rules.queue_order import QUEUE_KEYS
from guardia.kernel.ids import uuid7
from guardia.kernel.tenancy import CompanyRow

NEVER_DUE = datetime(9999, 1, 1, tzinfo=UTC)
"""What `queue_due_at` holds where nothing is due: none stands last, and the key can be compared and paged."""


class Case(CompanyRow):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.CharField(max_length=8, unique=True)
    kind = models.CharField(max_length=20)
    channel = models.CharField(max_length=10)
    subject = models.CharField(max_length=200)
    opened_by_id = models.UUIDField()
    opened_by_name = models.CharField(max_length=120)
    contract_id = models.UUIDField()
    calendar_version_id = models.UUIDField()
    terms = models.JSONField()
    submitted_at = models.DateTimeField()
    language = models.CharField(max_length=5, db_default="es")
    product_code = models.CharField(max_length=40, db_default="")
    # -- projections of the events --
    case_class = models.CharField(max_length=10)
    severity = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=20)
    state_reason = models.CharField(max_length=300, default="")
    state_since = models.DateTimeField()
    holder_id = models.UUIDField(null=True)
    holder_name = models.CharField(max_length=120, default="")
    holder_since = models.DateTimeField(null=True)
    clock_state = models.CharField(max_length=12)
    due_at = models.DateTimeField(null=True)
    breached_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    tier = models.PositiveSmallIntegerField()
    plan_rank = models.PositiveSmallIntegerField()
    closed_at = models.DateTimeField(null=True)
    closed_how = models.CharField(max_length=30, default="")
    fixed_in = models.PositiveIntegerField(null=True)
    last_seq = models.PositiveIntegerField(default=0)
    group = models.CharField(max_length=12, db_default="first_line")
    acknowledged_at = models.DateTimeField(null=True)
    called_at = models.DateTimeField(null=True)
    answer_s = models.PositiveBigIntegerField(null=True)
    merged_into_id = models.UUIDField(null=True)
    queue_due_at = models.DateTimeField(db_default=NEVER_DUE)
    queue_rank = models.SmallIntegerField(db_default=0)
    words = SearchVectorField(null=True)

    class Meta(CompanyRow.Meta):
        indexes = [
            # The queue: its six keys in their order, then what it is filtered by, so that a filter that fits few cases
            # is answered from the index without reading the others.
            models.Index(
                *QUEUE_KEYS,
                "group",
                "language",
                "kind",
                "state",
                "case_class",
                "holder_id",
                "company_id",
                KT("terms__plan"),
                name="case_queue_open",
                condition=Q(closed_at=None),
            ),
            models.Index(
                *QUEUE_KEYS, "group", "language", name="case_unheld", condition=Q(closed_at=None, holder_id=None)
            ),
            models.Index(
                fields=["queue_due_at"], name="case_due", condition=Q(closed_at=None, queue_due_at__lt=NEVER_DUE)
            ),
            models.Index(
                fields=["holder_id", "queue_due_at"],
                name="case_of_holder",
                condition=Q(closed_at=None, holder_id__isnull=False),
            ),
            models.Index(fields=["closed_at", "id"], name="case_closed", condition=Q(closed_at__isnull=False)),
            models.Index(fields=["submitted_at", "id"], name="case_arrival"),
            models.Index(fields=["company", "-submitted_at"], name="case_of_company"),
            GinIndex(fields=["words"], name="case_words", fastupdate=False),
        ]


class SavedView(models.Model):
    """A person's own view of the queue: its filters, as the query string's names and values."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person_id = models.UUIDField()
    name = models.CharField(max_length=60)
    filters = models.JSONField()
    position = models.PositiveSmallIntegerField(db_default=0)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="saved_view_is_named_once", fields=["person_id", "name"])]


class CaseEvent(CompanyRow):
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    seq = models.PositiveIntegerField()
    type = models.CharField(max_length=40)
    schema_version = models.PositiveSmallIntegerField(default=1)
    actor = models.JSONField()
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    payload = models.JSONField(default=dict)

    class Meta(CompanyRow.Meta):
        constraints = [models.UniqueConstraint(name="event_seq_is_unique_in_its_case", fields=["case", "seq"])]


class Report(CompanyRow):
    """What a signature change request says of the database."""

    case = models.OneToOneField(Case, on_delete=models.PROTECT, primary_key=True, related_name="report")
    claim = models.CharField(max_length=2)
    product = models.CharField(max_length=120)
    engine = models.CharField(max_length=40)
    database_version = models.CharField(max_length=40)
    detection_name = models.CharField(max_length=200, default="")


class CaseFile(CompanyRow):
    """A file that came with a case: the sample of a report, or an attachment of a message."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    sample_id = models.UUIDField()
    role = models.CharField(max_length=12)
    filename = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    event_seq = models.PositiveIntegerField()
    added_at = models.DateTimeField()


class IdempotencyKey(models.Model):
    """The answer that a repeated request gets again. `request_digest` tells a retry from a key used twice."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.CharField(max_length=80)
    key = models.CharField(max_length=120)
    request_digest = models.CharField(max_length=64)
    answer = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="idempotency_key_is_unique", fields=["owner", "key"])]
