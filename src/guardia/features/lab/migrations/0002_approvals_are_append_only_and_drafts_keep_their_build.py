from django.db import migrations

from guardia.kernel.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("lab", "0001_samples_jobs_drafts_and_approvals")]
    operations = [
        append_only("lab_approval"),
        append_only("lab_determination"),
        migrations.RunSQL(
            sql="""
                CREATE FUNCTION lab_draft_keeps_its_build() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - 'state') <> (to_jsonb(NEW) - 'state') THEN
                        RAISE EXCEPTION 'a draft is never edited: a change makes the next draft'
                            USING ERRCODE = 'restrict_violation';
                    END IF;
                    RETURN NEW;
                END $$;
                CREATE TRIGGER lab_draft_keeps_its_build BEFORE UPDATE OR DELETE ON lab_draft
                    FOR EACH ROW EXECUTE FUNCTION lab_draft_keeps_its_build();
            """,
            reverse_sql="DROP TRIGGER lab_draft_keeps_its_build ON lab_draft; DROP FUNCTION lab_draft_keeps_its_build();",
        ),
    ]
