from django.db import migrations

from guardia.kernel.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("contracts", "0001_plans_contracts_and_quota")]
    operations = [
        append_only("contracts_quotaentry"),
        # An exclusion constraint over a company's UUID needs btree_gist, which the embedded PostgreSQL lacks; a range
        # of one UUID does the same with what every PostgreSQL has.
        migrations.RunSQL(
            sql="""
                CREATE TYPE uuid_range AS RANGE (subtype = uuid);
                ALTER TABLE contracts_contract ADD CONSTRAINT contracts_of_a_company_do_not_overlap EXCLUDE USING gist (
                    uuid_range(company_id, company_id, '[]') WITH &&, daterange(starts_on, ends_on) WITH &&);
            """,
            reverse_sql="""
                ALTER TABLE contracts_contract DROP CONSTRAINT contracts_of_a_company_do_not_overlap;
                DROP TYPE uuid_range;
            """,
        ),
    ]
