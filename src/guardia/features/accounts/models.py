"""Companies, people, API tokens and agent machines.

A person either works for the vendor (`roles`, no company) or belongs to one company. Tokens and codes are kept as
SHA-256 only; they carry 256 random bits, so a slow hash would add nothing.
"""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, Value

from guardia.kernel.ids import uuid7
from guardia.kernel.tenancy import CompanyRow
from guardia.kernel.vocabulary import Lane, Role


class Company(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=200, unique=True)
    is_vendor = models.BooleanField(default=False)
    created_at = models.DateTimeField()


class PersonManager(BaseUserManager["Person"]):
    """People are found by email, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> "Person":
        return self.get(email__iexact=username)


class Person(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    language = models.CharField(max_length=5, default="en")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, null=True, related_name="+")
    roles = ArrayField(
        models.CharField(max_length=20, choices=[(role.value, role.value) for role in Role]), default=list
    )
    languages = ArrayField(models.CharField(max_length=5), db_default=Value("{es,en}"))
    """What a member of staff answers customers in."""
    phone = models.CharField(max_length=120, db_default="", default="")
    """Where the line calls a member of staff on duty: a number, or a SIP address; empty for customers."""
    is_company_admin = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    objects = PersonManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="person_is_staff_or_customer",
                condition=(Q(company=None) & Q(roles__len__gt=0)) | (Q(company__isnull=False) & Q(roles__len=0)),
            ),
        ]

    @property
    def is_staff(self) -> bool:
        """Whether the person works for the vendor (Django's word for it)."""
        return bool(self.roles)


class ApiToken(CompanyRow):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)


class EnrolmentCode(CompanyRow):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    machine_name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Machine(CompanyRow):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80)
    public_key = models.BinaryField(max_length=32)
    digest = models.CharField(max_length=64, unique=True)
    lane = models.CharField(max_length=12, choices=[(lane.value, lane.value) for lane in Lane])
    enrolled_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    release_number = models.PositiveIntegerField(null=True)
    revoked_at = models.DateTimeField(null=True)


class PhonePin(CompanyRow):
    """The PIN by which a company's person is known on the phone: six digits, made up by the server, shown once.

    `digest` is keyed with the server's secret (`rules/phone_pin.py`): a million PINs are soon tried by whoever has the
    database, but not without the key. A new one replaces the old row.
    """

    person = models.OneToOneField(Person, on_delete=models.PROTECT, primary_key=True, related_name="+")
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField()


class WrongPin(models.Model):
    """A wrong try on the phone; append-only. `what` is the digits of the contract that was given, or `case:` and the
    number of the case; `caller` the number that the caller showed. By these the next tries are counted.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    what = models.CharField(max_length=40)
    caller = models.CharField(max_length=80)
    tried_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["what", "tried_at"], name="wrong_pin_of_contract"),
            models.Index(fields=["caller", "tried_at"], name="wrong_pin_of_caller"),
        ]
