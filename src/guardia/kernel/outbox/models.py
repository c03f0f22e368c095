"""The outbox's one table. A row is an intention; `done_at` says that it was carried out."""

from django.db import models

from guardia.kernel.ids import uuid7


class OutboxMessage(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=40)
    dedupe_key = models.CharField(max_length=200, unique=True)
    payload = models.JSONField()
    company_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    last_error = models.TextField(default="")

    class Meta:
        indexes = [models.Index(fields=["next_attempt_at"], condition=models.Q(done_at=None), name="outbox_due")]
