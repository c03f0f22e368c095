"""Calendar versions: made once, never changed; a case keeps the one of its submission (RC-12)."""

from django.db import models

from guardia.kernel.ids import uuid7


class CalendarVersion(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80)
    version = models.PositiveIntegerField()
    rules = models.JSONField()
    tzdata = models.CharField(max_length=10)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="calendar_version_is_unique", fields=["name", "version"])]
