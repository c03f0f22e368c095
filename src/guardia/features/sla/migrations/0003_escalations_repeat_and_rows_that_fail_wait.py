"""Policies have versions, steps keep their repeats, poisoned rows wait, and tickers are heard of."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sla", "0002_watched_clocks_escalations_and_moves")]

    operations = [
        migrations.CreateModel(
            name="TickerBeat",
            fields=[
                ("name", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("started_at", models.DateTimeField()),
                ("ticked_at", models.DateTimeField()),
                ("tick_s", models.FloatField()),
                ("fired", models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.AddField("clockwatch", "failures", models.PositiveSmallIntegerField(db_default=0)),
        migrations.AddField("clockwatch", "last_error", models.CharField(db_default="", max_length=300)),
        migrations.AddField("escalationpolicy", "changed_by", models.JSONField(null=True)),
        migrations.AddField("escalationpolicy", "version", models.PositiveIntegerField(db_default=1)),
        migrations.AddField("escalationstep", "at_most", models.PositiveSmallIntegerField(db_default=1)),
        migrations.AddField("escalationstep", "failures", models.PositiveSmallIntegerField(db_default=0)),
        migrations.AddField("escalationstep", "last_error", models.CharField(db_default="", max_length=300)),
        migrations.AddField("escalationstep", "repeat", models.DurationField(null=True)),
    ]
