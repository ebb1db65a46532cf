"""A key of the sealer ends; nothing else of it ever changes."""

from django.db import migrations, models

END_ONCE = """
DROP TRIGGER audit_append_only ON audit_key;
CREATE TRIGGER audit_append_only
    BEFORE UPDATE OF vkey, from_size, created_at OR DELETE OR TRUNCATE ON audit_key
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
ALTER TABLE audit_key ENABLE ALWAYS TRIGGER audit_append_only;
CREATE TRIGGER audit_ends_once
    BEFORE UPDATE OF to_size ON audit_key
    FOR EACH ROW WHEN (OLD.to_size IS NOT NULL)
    EXECUTE FUNCTION audit_is_append_only();
ALTER TABLE audit_key ENABLE ALWAYS TRIGGER audit_ends_once;
"""
NEVER_END = """
DROP TRIGGER audit_ends_once ON audit_key;
DROP TRIGGER audit_append_only ON audit_key;
CREATE TRIGGER audit_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_key
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
ALTER TABLE audit_key ENABLE ALWAYS TRIGGER audit_append_only;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_personal_data_apart")]
    operations = [
        migrations.AddField("key", "to_size", models.BigIntegerField(null=True)),
        migrations.RunSQL(END_ONCE, NEVER_END),
    ]
