"""Plans and products as data, contracts, licences, named contacts with their history, and two append-only books: what
was changed in a contract, and the ledger of premium incidents.
"""

from django.db import models
from django.db.models import F, Q

from guardia.features.contracts.rules.entitlement import Phase
from guardia.kernel.ids import uuid7
from guardia.kernel.tenancy import CompanyRow
from guardia.kernel.vocabulary import Lane


class Plan(models.Model):
    """`response` holds, by class and severity, target (ISO 8601 or null), coverage and phone_opens_24x7; `objectives`,
    by class and severity, the internal targets next_answer, resolution and assignment. `version` counts the edits. A
    retired plan serves the contracts that have it, and is offered to no other.
    """

    code = models.SlugField(primary_key=True, max_length=20)
    name = models.CharField(max_length=40)
    rank = models.PositiveSmallIntegerField()
    premium_incidents = models.PositiveIntegerField(null=True)
    named_contacts = models.PositiveSmallIntegerField()
    lane = models.CharField(max_length=12, choices=[(lane.value, lane.value) for lane in Lane])
    has_phone = models.BooleanField()
    response = models.JSONField()
    office = models.JSONField()
    objectives = models.JSONField(db_default={})
    escalation = models.CharField(max_length=20, db_default="default")
    version = models.PositiveIntegerField(db_default=1)
    is_retired = models.BooleanField(db_default=False)


class Contract(CompanyRow):
    """One at a time for each company: the database refuses overlapping terms (in the first migration, since the
    embedded PostgreSQL has no btree_gist). `ends_on` is the first day after it; its days are those of `zone`.
    `overrides` changes what the plan says: premium_incidents (null: unlimited), named_contacts, carry_over (at most so
    many left over go into the next year), response (as in the plan, only what differs).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.CharField(max_length=20, unique=True)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT)
    starts_on = models.DateField()
    ends_on = models.DateField()
    calendar_version_id = models.UUIDField()
    created_at = models.DateTimeField()
    region = models.CharField(max_length=12, db_default="ES-MD")
    zone = models.CharField(max_length=40, db_default="Europe/Madrid")
    overrides = models.JSONField(db_default={})
    account_manager_id = models.UUIDField(null=True)
    renews = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

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


class ContractChange(CompanyRow):
    """One act on a contract: what it was before and after, who and why. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20)
    before = models.JSONField()
    after = models.JSONField()
    actor = models.JSONField()
    reason = models.CharField(max_length=300)
    recorded_at = models.DateTimeField()


class Product(models.Model):
    """A product of the vendor with its support phase: full, limited (until `phase_ends_on`), ended (since then)."""

    code = models.CharField(primary_key=True, max_length=40)
    name = models.CharField(max_length=120, unique=True)
    line = models.CharField(max_length=80)
    phase = models.CharField(max_length=8, choices=[(phase.value, phase.value) for phase in Phase])
    phase_ends_on = models.DateField(null=True)


class Licence(CompanyRow):
    """So many seats of a product under a contract; `ends_on` is the first day after it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    seats = models.PositiveIntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField()

    class Meta(CompanyRow.Meta):
        constraints = [
            models.CheckConstraint(name="licence_ends_after_it_starts", condition=Q(ends_on__gt=F("starts_on"))),
        ]


class QuotaEntry(CompanyRow):
    """One movement of premium incidents; the balance is the sum of `amount` over a contract year. Append-only.

    `grant` opens a contract's first year and `renew` each later one, once; `reserve`, `consume` and `refund` are of a
    case; `adjust` is a change of plan or overrides, or a supervisor's act.
    """

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
                condition=Q(kind__in=["grant", "renew"], amount__gte=0)
                | Q(kind="reserve", amount=-1)
                | Q(kind="consume", amount=0)
                | Q(kind="refund", amount=1)
                | Q(kind="adjust"),
            ),
        ]
