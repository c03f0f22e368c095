from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("releases", "0002_three_people_passed_gates_and_lanes_that_only_go_on")]
    operations = [
        # An emptied table would let a lane begin again at an older release.
        migrations.RunSQL(
            sql="""
                CREATE FUNCTION releases_lanes_stay() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    RAISE EXCEPTION 'a lane is never without a release' USING ERRCODE = 'restrict_violation';
                END $$;
                CREATE TRIGGER releases_lanes_stay BEFORE TRUNCATE ON releases_lanepointer
                    FOR EACH STATEMENT EXECUTE FUNCTION releases_lanes_stay();
            """,
            reverse_sql="""
                DROP TRIGGER releases_lanes_stay ON releases_lanepointer;
                DROP FUNCTION releases_lanes_stay();
            """,
        ),
    ]
