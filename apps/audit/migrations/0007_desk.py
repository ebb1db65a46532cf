"""Words of an event are kept beside it, so that looking through them is cheap.

Each newer event is looked at first when words are searched; read from the text anew,
they cost twenty times as much.
"""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.utils.timezone
from django.db import migrations, models

import apps.core.ids

FORMER_WORDS = """
CREATE OR REPLACE FUNCTION audit_words(body text) RETURNS tsvector
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
"""
# Those of the object's name bear the weight A.
# A stroke parts words; Postgres would take what it joins for the name of a file.
# Looks at the trail have none: who looks for a word would find that somebody did.
WORDS = """
CREATE OR REPLACE FUNCTION audit_words(body text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    facts jsonb;
BEGIN
    IF body IS JSON OBJECT THEN
        facts := body::jsonb;
    END IF;
    IF facts ->> 'action' = 'audit.viewed' THEN
        RETURN '';
    END IF;
    RETURN
        setweight(to_tsvector('simple',
            translate(coalesce(facts #>> '{object,name}', ''), '/', ' ')), 'A')
        || to_tsvector('simple', translate(
            concat_ws(' ', facts ->> 'reason', facts #>> '{scope,name}'), '/', ' '))
        || jsonb_to_tsvector('simple',
            translate(coalesce(facts ->> 'changes', '[]'), '/', ' ')::jsonb,
            '["string", "numeric"]');
END $$;
"""
FORMER_INDEX = (
    "CREATE INDEX audit_by_words ON audit_auditevent USING gin (audit_words(body));"
)
NO_FORMER_INDEX = "DROP INDEX audit_by_words;"
# People are found by the beginnings of the words of their names and addresses.
NAMES = """
CREATE INDEX audit_disclosure_by_words ON audit_disclosure
    USING gin (to_tsvector('simple', translate(value, '<>@._-', '      ')));
"""
NO_NAMES = "DROP INDEX audit_disclosure_by_words;"


class Migration(migrations.Migration):
    dependencies = [("audit", "0006_evidence_outside")]
    operations = [
        migrations.RunSQL(NO_FORMER_INDEX, FORMER_INDEX),
        migrations.RunSQL(WORDS, FORMER_WORDS),
        migrations.AddField(
            "auditevent",
            "words",
            models.GeneratedField(
                db_persist=True,
                expression=models.Func("body", function="audit_words"),
                output_field=django.contrib.postgres.search.SearchVectorField(),
            ),
        ),
        migrations.AddIndex(
            "auditevent",
            django.contrib.postgres.indexes.GinIndex(
                fields=["words"], name="audit_by_words"
            ),
        ),
        migrations.AddIndex(
            "auditevent",
            django.contrib.postgres.indexes.BrinIndex(
                fields=["event_id"], name="audit_by_range"
            ),
        ),
        migrations.RunSQL(NAMES, NO_NAMES),
        migrations.AddIndex(
            "disclosure",
            django.contrib.postgres.indexes.HashIndex(
                fields=["value"], name="audit_disclosure_by_value"
            ),
        ),
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("owner_id", models.UUIDField(editable=False)),
                ("name", models.CharField(max_length=80)),
                ("query", models.CharField(editable=False, max_length=2000)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.AddConstraint(
            "savedfilter",
            models.UniqueConstraint(
                fields=("owner_id", "name"), name="one_saved_filter_per_name"
            ),
        ),
    ]
