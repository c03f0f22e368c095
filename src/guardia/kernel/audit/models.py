"""The audit trail's one table: append-only."""

from django.db import models

from guardia.kernel.ids import uuid7


class AuditEntry(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    recorded_at = models.DateTimeField()
    actor = models.JSONField()
    act = models.CharField(max_length=80)
    thing = models.CharField(max_length=120)
    company_id = models.UUIDField(null=True)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["thing", "recorded_at"], name="audit_thing")]
