from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("contracts", "0003_terms_products_and_renewals")]
    operations = [
        migrations.RunSQL(
            sql="ALTER TABLE contracts_quotaentry VALIDATE CONSTRAINT quota_amount_fits_its_kind",
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
