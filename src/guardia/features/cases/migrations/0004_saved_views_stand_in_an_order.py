from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0003_keys_of_the_queue_and_facts_of_the_promise")]
    operations = [
        migrations.AddField(
            model_name="savedview", name="position", field=models.PositiveSmallIntegerField(db_default=0)
        ),
    ]
