"""Plans as data, contracts, named contacts with their history, and the append-only quota ledger."""

from django.db import models
from django.db.models import F, Q

from guardia.kernel.ids import uuid7
from guardia.kernel.tenancy import CompanyRow
from guardia.kernel.vocabulary import Lane


class Plan(models.Model):
    """`response` holds, by class and severity, target (ISO 8601 or null), coverage and phone_opens_24x7."""

    code = models.SlugField(primary_key=True, max_length=20)
    name = models.CharField(max_length=40)
    rank = models.PositiveSmallIntegerField()
    premium_incidents = models.PositiveIntegerField(null=True)
    named_contacts = models.PositiveSmallIntegerField()
    lane = models.CharField(max_length=12, choices=[(lane.value, lane.value) for lane in Lane])
    has_phone = models.BooleanField()
    response = models.JSONField()
    office = models.JSONField()


class Contract(CompanyRow):
    """One at a time for each company: the database refuses overlapping terms (in the first migration, since the
    embedded PostgreSQL has no btree_gist). `ends_on` is the first day after it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.CharField(max_length=20, unique=True)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT)
    starts_on = models.DateField()
    ends_on = models.DateField()
    calendar_version_id = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta(CompanyRow.Meta):
        constraints = [
            models.CheckConstraint(name="contract_ends_after_it_starts", condition=Q(ends_on__gt=F("starts_on"))),
        ]


class NamedContact(CompanyRow):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="+")
    person_id = models.UUIDField()
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta(CompanyRow.Meta):
        constraints = [
            models.UniqueConstraint(
                name="a_contact_is_named_once", fields=["contract", "person_id"], condition=Q(until=None)
            ),
        ]


class QuotaEntry(CompanyRow):
    """One movement of premium incidents; the balance is the sum of `amount` over a contract year. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="+")
    year_starts_on = models.DateField()
    kind = models.CharField(max_length=10)
    amount = models.IntegerField()
    case_id = models.UUIDField(null=True)
    dedupe_key = models.CharField(max_length=120, unique=True)
    actor = models.JSONField()
    reason = models.CharField(max_length=300)
    recorded_at = models.DateTimeField()

    class Meta(CompanyRow.Meta):
        indexes = [models.Index(fields=["contract", "year_starts_on"], name="quota_year")]
        constraints = [
            models.CheckConstraint(
                name="quota_amount_fits_its_kind",
                condition=Q(kind="grant", amount__gte=0)
                | Q(kind="reserve", amount=-1)
                | Q(kind="consume", amount=0)
                | Q(kind="refund", amount=1)
                | Q(kind="adjust"),
            ),
        ]
