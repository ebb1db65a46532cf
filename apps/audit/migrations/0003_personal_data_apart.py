"""Names of people leave the event for a table of their own, from which they can go.

What an event says is kept in its text alone; the columns beside it are those that lists
are narrowed by. The text of an event is never rewritten, so a trail of the preview,
which named people in clear, cannot be carried over.
"""

import django.utils.timezone
from django.db import migrations, models

PREVIEW = (
    "This database holds audit events of a preview of the portal, whose text names "
    "people in clear and is never rewritten. Keep it as it is, and begin with an empty "
    "database; for the demo: make demo-reset."
)


def refuse_a_trail_of_the_preview(apps, schema_editor):
    if apps.get_model("audit", "AuditEvent").objects.exists():
        raise RuntimeError(PREVIEW)


# The words by which events are searched. Whatever is no JSON has none.
WORDS = """
CREATE FUNCTION audit_words(body text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    facts jsonb;
BEGIN
    IF body IS JSON OBJECT THEN
        facts := body::jsonb;
    END IF;
    RETURN to_tsvector('simple', concat_ws(' ', facts -> 'object' ->> 'name',
        facts ->> 'reason', facts -> 'scope' ->> 'name', facts ->> 'changes'));
END $$;
CREATE INDEX audit_by_words ON audit_auditevent USING gin (audit_words(body));
"""
NO_WORDS = "DROP INDEX audit_by_words; DROP FUNCTION audit_words(text);"
# A disclosure may be erased, never changed.
FORBID = """
CREATE TRIGGER audit_append_only BEFORE UPDATE OR TRUNCATE ON audit_disclosure
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
ALTER TABLE audit_disclosure ENABLE ALWAYS TRIGGER audit_append_only;
"""
ALLOW = "DROP TRIGGER audit_append_only ON audit_disclosure;"

GONE = (
    "actor_label",
    "actor_kind",
    "actor_roles",
    "target_label",
    "target_path",
    "project_label",
    "changes",
    "reason",
    "channel",
)
INDEXES = {
    "audit_by_project": "project_id",
    "audit_by_actor": "actor_id",
    "audit_by_type": "type",
    "audit_by_outcome": "outcome",
    "audit_by_target": "target_id",
    "audit_by_request": "request_id",
}
OLD_INDEXES = [name for name in INDEXES if name != "audit_by_outcome"]


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]
    operations = [
        migrations.RunPython(
            refuse_a_trail_of_the_preview, refuse_a_trail_of_the_preview
        ),
        migrations.RemoveIndex("auditevent", "audit_by_time"),
        *(migrations.RemoveIndex("auditevent", name) for name in OLD_INDEXES),
        *(migrations.RemoveField("auditevent", name) for name in GONE),
        migrations.AddField(
            "auditevent",
            "outcome",
            models.CharField(max_length=8, default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            "auditevent",
            "payload",
            models.TextField(editable=False, default=""),
            preserve_default=False,
        ),
        migrations.AlterField("auditevent", "at", models.DateTimeField()),
        migrations.AlterField(
            "auditevent", "request_id", models.CharField(max_length=64)
        ),
        migrations.AlterField(
            "auditevent", "event_id", models.UUIDField(editable=False, unique=True)
        ),
        *(
            migrations.AddIndex(
                "auditevent", models.Index(fields=[field, "-event_id"], name=name)
            )
            for name, field in INDEXES.items()
        ),
        migrations.RunSQL(WORDS, NO_WORDS),
        migrations.CreateModel(
            name="Disclosure",
            fields=[
                (
                    "commitment",
                    models.CharField(max_length=43, primary_key=True, serialize=False),
                ),
                ("subject_id", models.UUIDField(db_index=True)),
                ("salt", models.CharField(max_length=22)),
                ("value", models.TextField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.RunSQL(FORBID, ALLOW),
    ]
