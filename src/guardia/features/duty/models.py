"""Duty rosters, versioned, and the overrides that people make; who is on duty follows from them by a pure rule."""

from django.db import models
from django.db.models import F, Q

from guardia.kernel.ids import uuid7


class Roster(models.Model):
    """A duty that somebody always has; `code` is what escalations name: on_duty, duty_manager."""

    code = models.SlugField(primary_key=True, max_length=20)
    name = models.CharField(max_length=60)


class RosterVersion(models.Model):
    """The rotation that holds from an instant on, until the next version's; made once, never changed.

    `rules` as `rules/rotation.py` reads them.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    roster = models.ForeignKey(Roster, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField()
    holds_from = models.DateTimeField()
    rules = models.JSONField()
    reason = models.CharField(max_length=300)
    made_by = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="roster_version_is_unique", fields=["roster", "version"])]


class DutyOverride(models.Model):
    """Somebody else has the duty for a while; the latest one made wins. Taking one back keeps its row."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    roster = models.ForeignKey(Roster, on_delete=models.PROTECT, related_name="+")
    person_id = models.UUIDField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=300)
    made_by = models.JSONField()
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="duty_override_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))),
        ]
        indexes = [models.Index(fields=["roster", "ends_at"], name="duty_override_at", condition=Q(revoked_at=None))]
