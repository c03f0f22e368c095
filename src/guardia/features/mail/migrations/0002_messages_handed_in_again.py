from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mail", "0001_what_arrived_and_what_is_sent")]
    operations = [
        AddIndexConcurrently(
            "inboundmail",
            models.Index(
                fields=["message_id"], name="mail_taken", condition=models.Q(("outcome__in", ["case", "reply"]))
            ),
        )
    ]
