from django.db import migrations

from guardia.kernel.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("releases", "0001_record_log_lanes_and_proofs"),
        ("lab", "0002_approvals_are_append_only_and_drafts_keep_their_build"),
    ]
    operations = [
        append_only("releases_release"),
        append_only("releases_evidence"),
        append_only("releases_proof"),
        migrations.RunSQL(
            sql="""
                CREATE FUNCTION releases_release_is_earned() RETURNS trigger LANGUAGE plpgsql AS $$
                DECLARE newest integer;
                BEGIN
                    SELECT coalesce(max(number), 0) INTO newest FROM releases_release;
                    IF NEW.number <> newest + 1 THEN
                        RAISE EXCEPTION 'releases are one line: % follows %, not %', newest + 1, newest, NEW.number
                            USING ERRCODE = 'check_violation';
                    END IF;
                    IF NEW.is_baseline THEN RETURN NEW; END IF;
                    IF (SELECT count(DISTINCT (role)) <> 3 OR count(DISTINCT (person_id)) <> 3 FROM lab_approval
                        WHERE draft_id = NEW.draft_id AND build_digest = NEW.build_digest) THEN
                        RAISE EXCEPTION 'release % lacks one of three people on its build', NEW.number
                            USING ERRCODE = 'check_violation';
                    END IF;
                    IF NOT EXISTS (SELECT 1 FROM lab_labjob WHERE draft_id = NEW.draft_id AND kind = 'gates'
                        AND state = 'done' AND result->>'passed' = 'true'
                        AND request->>'build_digest' = NEW.build_digest) THEN
                        RAISE EXCEPTION 'release % lacks passed gates on its build', NEW.number
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                END $$;
                CREATE TRIGGER releases_release_is_earned BEFORE INSERT ON releases_release
                    FOR EACH ROW EXECUTE FUNCTION releases_release_is_earned();

                CREATE FUNCTION releases_lane_only_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF TG_OP = 'DELETE' THEN
                        RAISE EXCEPTION 'a lane is never without a release' USING ERRCODE = 'restrict_violation';
                    END IF;
                    IF TG_OP = 'UPDATE' AND NEW.release_id < OLD.release_id THEN
                        RAISE EXCEPTION 'the % lane shows % and cannot go back to %', NEW.lane, OLD.release_id, NEW.release_id
                            USING ERRCODE = 'check_violation';
                    END IF;
                    IF NEW.lane = 'standard' AND NEW.release_id > coalesce(
                        (SELECT release_id FROM releases_lanepointer WHERE lane = 'accelerated'), 0) THEN
                        RAISE EXCEPTION 'standard is never ahead of accelerated' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                END $$;
                CREATE TRIGGER releases_lane_only_goes_on BEFORE INSERT OR UPDATE OR DELETE ON releases_lanepointer
                    FOR EACH ROW EXECUTE FUNCTION releases_lane_only_goes_on();
            """,
            reverse_sql="""
                DROP TRIGGER releases_lane_only_goes_on ON releases_lanepointer;
                DROP FUNCTION releases_lane_only_goes_on();
                DROP TRIGGER releases_release_is_earned ON releases_release;
                DROP FUNCTION releases_release_is_earned();
            """,
        ),
    ]
