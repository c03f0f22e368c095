"""The ticker looks for what is due by severity, then tier; and those rows that failed are found."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("sla", "0003_escalations_repeat_and_rows_that_fail_wait")]

    operations = [
        AddIndexConcurrently(
            "clockwatch",
            models.Index(
                condition=Q(next_at__isnull=False), fields=["severity", "tier", "next_at"], name="clock_due_first"
            ),
        ),
        RemoveIndexConcurrently("clockwatch", "clock_next"),
        AddIndexConcurrently(
            "clockwatch", models.Index(condition=Q(failures__gt=0), fields=["id"], name="clock_poisoned")
        ),
    ]
