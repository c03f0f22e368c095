from django.db import migrations

from guardia.kernel.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_cases_and_events")]
    operations = [
        append_only("cases_caseevent"),
        migrations.RunSQL(
            sql="CREATE SEQUENCE case_number_serial START 4071001 MINVALUE 1000000 MAXVALUE 9999999",
            reverse_sql="DROP SEQUENCE case_number_serial",
        ),
    ]
