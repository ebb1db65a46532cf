"""The database itself keeps plans and finished reports as they were."""

from django.db import migrations

STAY = """
CREATE FUNCTION validation_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'validation plans and finished reports stay: % of % refused',
        TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER validation_stays
    BEFORE UPDATE OR DELETE OR TRUNCATE ON validation_validationplan
    FOR EACH STATEMENT EXECUTE FUNCTION validation_stays();
ALTER TABLE validation_validationplan ENABLE ALWAYS TRIGGER validation_stays;

CREATE TRIGGER validation_stays
    BEFORE UPDATE ON validation_validationreport
    FOR EACH ROW WHEN (
        OLD.status = 'succeeded' AND (
            OLD.id, OLD.status, OLD.version_id, OLD.number, OLD.plan_id,
            OLD.champion_id, OLD.spec, OLD.evaluated_on, OLD.cost_unit, OLD.verdict,
            OLD.result, OLD.result_digest, OLD.requested_by_id, OLD.created_at,
            OLD.finished_at
        ) IS DISTINCT FROM (
            NEW.id, NEW.status, NEW.version_id, NEW.number, NEW.plan_id,
            NEW.champion_id, NEW.spec, NEW.evaluated_on, NEW.cost_unit, NEW.verdict,
            NEW.result, NEW.result_digest, NEW.requested_by_id, NEW.created_at,
            NEW.finished_at
        )
    ) EXECUTE FUNCTION validation_stays();
ALTER TABLE validation_validationreport ENABLE ALWAYS TRIGGER validation_stays;

CREATE TRIGGER validation_is_kept
    BEFORE DELETE ON validation_validationreport
    FOR EACH ROW WHEN (OLD.status = 'succeeded') EXECUTE FUNCTION validation_stays();
ALTER TABLE validation_validationreport ENABLE ALWAYS TRIGGER validation_is_kept;

CREATE TRIGGER validation_not_emptied
    BEFORE TRUNCATE ON validation_validationreport
    FOR EACH STATEMENT EXECUTE FUNCTION validation_stays();
ALTER TABLE validation_validationreport ENABLE ALWAYS TRIGGER validation_not_emptied;
"""
MOVE = """
DROP TRIGGER validation_not_emptied ON validation_validationreport;
DROP TRIGGER validation_is_kept ON validation_validationreport;
DROP TRIGGER validation_stays ON validation_validationreport;
DROP TRIGGER validation_stays ON validation_validationplan;
DROP FUNCTION validation_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("validation", "0004_findings")]
    operations = [migrations.RunSQL(STAY, MOVE)]
