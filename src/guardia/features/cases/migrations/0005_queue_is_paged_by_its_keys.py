import datetime as dt

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models.fields.json import KT

QUEUE_KEYS = ("tier", "severity", "queue_due_at", "queue_rank", "submitted_at", "id")
NEVER_DUE = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
INDEXES = [
    models.Index(
        *map(models.F, QUEUE_KEYS),
        *map(models.F, ("group", "language", "kind", "state", "case_class", "holder_id", "company_id")),
        KT("terms__plan"),
        name="case_queue_open",
        condition=models.Q(closed_at=None),
    ),
    models.Index(
        *map(models.F, (*QUEUE_KEYS, "group", "language")),
        name="case_unheld",
        condition=models.Q(closed_at=None, holder_id=None),
    ),
    models.Index(
        fields=["queue_due_at"], name="case_due", condition=models.Q(closed_at=None, queue_due_at__lt=NEVER_DUE)
    ),
    models.Index(
        fields=["holder_id", "queue_due_at"],
        name="case_of_holder",
        condition=models.Q(closed_at=None, holder_id__isnull=False),
    ),
    models.Index(fields=["closed_at", "id"], name="case_closed", condition=models.Q(closed_at__isnull=False)),
    models.Index(fields=["submitted_at", "id"], name="case_arrival"),
    GinIndex(fields=["words"], name="case_words", fastupdate=False),
]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("accounts", "0002_languages_of_staff_and_account_managers"),
        ("cases", "0004_saved_views_stand_in_an_order"),
    ]
    operations = [
        *(AddIndexConcurrently("case", index) for index in INDEXES),
        RemoveIndexConcurrently("case", "case_queue"),
    ]
