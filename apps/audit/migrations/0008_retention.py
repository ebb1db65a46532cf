"""Parts of the trail may leave it: archived, agreed to by two people, and no others.

The tables of the trail stay append-only. Rows of a segment go in one transaction only:
that in which the database itself has found that all conditions hold, and has noted so.
No setting of a session opens them.
"""

import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
from django.db import migrations, models

import apps.core.ids

NOTE = """
ALTER TABLE audit_pruning ADD COLUMN xid xid8 NOT NULL;
ALTER TABLE audit_segment ADD CONSTRAINT segment_of_whole_tiles
    CHECK ((last_leaf + 1 - first_leaf) % 256 = 0);
CREATE UNIQUE INDEX audit_pruning_xid ON audit_pruning (xid);
"""
FORGET = """
DROP INDEX audit_pruning_xid;
ALTER TABLE audit_segment DROP CONSTRAINT segment_of_whole_tiles;
ALTER TABLE audit_pruning DROP COLUMN xid;
"""

# What the sealed trail says about a segment: type of event -> place, actor and facts.
QUESTIONS = """
CREATE FUNCTION audit_fact(body text, wanted text) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT fact -> 'value' FROM jsonb_array_elements(body::jsonb -> 'changes') AS fact
    WHERE fact ->> 'name' = wanted LIMIT 1
$$;

CREATE FUNCTION audit_sealed(kind text, model text, target text)
RETURNS TABLE (place bigint, actor uuid, body text)
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT leaf.leaf_index, event.actor_id, event.body
    FROM audit_auditevent AS event
    JOIN audit_leaf AS leaf ON leaf.event_pk = event.id
    WHERE event.type = kind AND event.target_type = model AND event.target_id = target
$$;

-- A hold counts until the event that it was lifted is sealed.
CREATE FUNCTION audit_hold_on(wanted bigint) RETURNS uuid
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT hold.id
    FROM audit_legalhold AS hold CROSS JOIN audit_segment AS segment
    WHERE segment.number = wanted
        AND (hold.lifted_at IS NULL OR NOT EXISTS (
            SELECT FROM audit_sealed('audit.hold_lifted', 'audit.legalhold',
                hold.id::text)))
        AND (hold.kind = 'trail' OR EXISTS (
            SELECT FROM audit_auditevent AS event
            JOIN audit_leaf AS leaf ON leaf.event_pk = event.id
            WHERE leaf.leaf_index BETWEEN segment.first_leaf AND segment.last_leaf
                AND event.event_id BETWEEN segment.first_event AND segment.last_event
                AND (hold.kind = 'project' AND event.project_id = hold.subject_id
                    OR hold.kind = 'object' AND event.target_id = hold.object_id
                    OR hold.kind = 'person' AND (event.actor_id = hold.subject_id
                        OR event.target_id = hold.subject_id::text
                        OR EXISTS (
                            SELECT FROM audit_disclosure AS disclosure
                            WHERE disclosure.subject_id = hold.subject_id
                                AND position(disclosure.commitment
                                    IN event.body || event.payload) > 0)))))
    ORDER BY hold.id LIMIT 1
$$;
"""
NO_QUESTIONS = """
DROP FUNCTION audit_hold_on(bigint);
DROP FUNCTION audit_sealed(text, text, text);
DROP FUNCTION audit_fact(text, text);
"""

CHECK = """
CREATE FUNCTION audit_may_prune() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    part audit_segment%ROWTYPE;
    archived bigint;
    asked record;
    agreed record;
BEGIN
    SELECT * INTO STRICT part FROM audit_segment WHERE number = NEW.segment_id;
    SELECT place INTO archived
        FROM audit_sealed('audit.segment_archived', 'audit.segment', part.number::text)
        WHERE audit_fact(body, 'sha256') = to_jsonb(part.archive_sha256)
            AND audit_fact(body, 'first_leaf') = to_jsonb(part.first_leaf)
            AND audit_fact(body, 'last_leaf') = to_jsonb(part.last_leaf)
        ORDER BY place LIMIT 1;
    IF archived IS NULL THEN
        RAISE EXCEPTION 'segment % has no sealed archive', part.number
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT * INTO asked
        FROM audit_sealed('audit.prune_requested', 'audit.segment', part.number::text)
        WHERE audit_fact(body, 'request') = to_jsonb(NEW.request_id::text)
        ORDER BY place LIMIT 1;
    SELECT * INTO agreed
        FROM audit_sealed('audit.prune_approved', 'audit.segment', part.number::text)
        WHERE audit_fact(body, 'request') = to_jsonb(NEW.request_id::text)
        ORDER BY place LIMIT 1;
    IF asked.place IS NULL OR agreed.place IS NULL OR asked.actor = agreed.actor
        OR EXISTS (SELECT FROM audit_auditevent
            WHERE type = 'audit.prune_withdrawn' AND target_id = part.number::text
                AND audit_fact(body, 'request') = to_jsonb(NEW.request_id::text))
    THEN
        RAISE EXCEPTION 'two people must agree to prune segment %', part.number
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF audit_hold_on(part.number) IS NOT NULL THEN
        RAISE EXCEPTION 'a legal hold keeps segment %', part.number
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF EXISTS (SELECT FROM audit_auditevent AS event
        JOIN audit_leaf AS leaf ON leaf.event_pk = event.id
        WHERE leaf.leaf_index BETWEEN part.first_leaf AND part.last_leaf
            AND event.at > now() - interval '18 months')
    THEN
        RAISE EXCEPTION 'segment % is too young to be pruned', part.number
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    NEW.approved_leaf := agreed.place;
    NEW.pruned_at := now();
    NEW.xid := pg_current_xact_id();
    RETURN NEW;
END $$;
CREATE TRIGGER audit_may_prune BEFORE INSERT ON audit_pruning
    FOR EACH ROW EXECUTE FUNCTION audit_may_prune();
ALTER TABLE audit_pruning ENABLE ALWAYS TRIGGER audit_may_prune;

CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE'
        AND TG_TABLE_NAME IN ('audit_auditevent', 'audit_leaf', 'audit_tile')
        AND EXISTS (SELECT FROM audit_pruning WHERE xid = pg_current_xact_id())
    THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'audit events are append-only: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;

-- Of the rows that a statement removed, all must be of the segment being pruned.
CREATE FUNCTION audit_only_pruned() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    part audit_segment%ROWTYPE;
    strays boolean;
BEGIN
    SELECT segment.* INTO part FROM audit_segment AS segment
        JOIN audit_pruning AS pruning ON pruning.segment_id = segment.number
        WHERE pruning.xid = pg_current_xact_id();
    IF TG_TABLE_NAME = 'audit_auditevent' THEN
        strays := EXISTS (SELECT FROM gone WHERE NOT EXISTS (
            SELECT FROM audit_leaf WHERE event_pk = gone.id
                AND leaf_index BETWEEN part.first_leaf AND part.last_leaf));
    ELSIF TG_TABLE_NAME = 'audit_leaf' THEN
        strays := EXISTS (SELECT FROM gone
            WHERE leaf_index NOT BETWEEN part.first_leaf AND part.last_leaf);
    ELSE
        strays := EXISTS (SELECT FROM gone WHERE level <> 0
            OR index NOT BETWEEN part.first_leaf / 256 AND part.last_leaf / 256);
    END IF;
    IF part.number IS NULL OR strays THEN
        RAISE EXCEPTION 'only rows of a segment that is pruned may go'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;

-- The only way: it runs with the rights of the owner, who alone may remove rows.
CREATE FUNCTION audit_prune_segment(wanted bigint, request uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    part audit_segment%ROWTYPE;
    removed bigint;
BEGIN
    INSERT INTO audit_pruning (segment_id, request_id, approved_leaf, pruned_at, xid)
        VALUES (wanted, request, 0, now(), pg_current_xact_id());
    SELECT * INTO STRICT part FROM audit_segment WHERE number = wanted;
    DELETE FROM audit_auditevent USING audit_leaf
        WHERE audit_leaf.event_pk = audit_auditevent.id
            AND leaf_index BETWEEN part.first_leaf AND part.last_leaf;
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF removed <> part.last_leaf + 1 - part.first_leaf THEN
        RAISE EXCEPTION 'segment % is not complete: % events', wanted, removed;
    END IF;
    DELETE FROM audit_leaf WHERE leaf_index BETWEEN part.first_leaf AND part.last_leaf;
    DELETE FROM audit_tile WHERE level = 0
        AND index BETWEEN part.first_leaf / 256 AND part.last_leaf / 256;
END $$;
REVOKE ALL ON FUNCTION audit_prune_segment(bigint, uuid) FROM PUBLIC;
"""
NO_CHECK = """
DROP FUNCTION audit_prune_segment(bigint, uuid);
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are append-only: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;
DROP TRIGGER audit_may_prune ON audit_pruning;
DROP FUNCTION audit_may_prune();
"""
ONLY_PRUNED = """
CREATE TRIGGER audit_only_pruned AFTER DELETE ON {table}
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION audit_only_pruned();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER audit_only_pruned;
"""
ANY = "DROP TRIGGER audit_only_pruned ON {table};"
PRUNED_TABLES = ("audit_auditevent", "audit_leaf", "audit_tile")
FORBID = """
CREATE TRIGGER audit_append_only BEFORE {deeds} ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER audit_append_only;
"""
ALLOW = "DROP TRIGGER audit_append_only ON {table};"
FORBIDDEN = {
    "audit_segment": "UPDATE OR DELETE OR TRUNCATE",
    "audit_pruning": "UPDATE OR DELETE OR TRUNCATE",
    "audit_legalhold": "DELETE OR TRUNCATE",
    "audit_prunerequest": "DELETE OR TRUNCATE",
}


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0007_desk"),
    ]

    operations = [
        migrations.CreateModel(
            name="PruneRequest",
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
                ("reason", models.TextField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for a second person"),
                            ("approved", "Agreed, to be removed"),
                            ("done", "Removed"),
                            ("withdrawn", "Stopped"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("requested_by_id", models.UUIDField()),
                (
                    "requested_at",
                    models.DateTimeField(default=django.utils.timezone.now),
                ),
                ("decided_by_id", models.UUIDField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Segment",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("first_leaf", models.BigIntegerField(unique=True)),
                ("last_leaf", models.BigIntegerField()),
                ("root", models.BinaryField(max_length=32)),
                ("first_event", models.UUIDField()),
                ("last_event", models.UUIDField()),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("archive_sha256", models.CharField(max_length=64)),
                ("archive_bytes", models.BigIntegerField()),
                (
                    "archived_at",
                    models.DateTimeField(default=django.utils.timezone.now),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LegalHold",
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
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("trail", "The whole trail"),
                            ("project", "A project"),
                            ("person", "A person"),
                            ("object", "An object"),
                        ],
                        max_length=16,
                    ),
                ),
                ("subject_id", models.UUIDField(null=True)),
                ("object_id", models.CharField(blank=True, max_length=64)),
                ("reason", models.TextField()),
                ("placed_by_id", models.UUIDField()),
                ("placed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("lifted_by_id", models.UUIDField(null=True)),
                ("lifted_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind", "trail"),
                                ("object_id", ""),
                                ("subject_id__isnull", True),
                            ),
                            models.Q(
                                ("kind__in", ["project", "person"]),
                                ("object_id", ""),
                                ("subject_id__isnull", False),
                            ),
                            models.Q(
                                ("kind", "object"),
                                ("subject_id__isnull", True),
                                models.Q(("object_id", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="hold_says_what_it_covers",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("lifted_at__isnull", True),
                                ("lifted_by_id__isnull", True),
                            ),
                            models.Q(
                                ("lifted_at__isnull", False),
                                ("lifted_by_id__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="hold_lifted_with_a_name",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Pruning",
            fields=[
                (
                    "segment",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="pruning",
                        serialize=False,
                        to="audit.segment",
                    ),
                ),
                ("approved_leaf", models.BigIntegerField()),
                ("pruned_at", models.DateTimeField()),
            ],
        ),
        migrations.AddConstraint(
            model_name="segment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("last_leaf__gt", models.F("first_leaf")),
                    (
                        "first_leaf",
                        django.db.models.expressions.CombinedExpression(
                            models.F("number"),
                            "*",
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("last_leaf"), "+", models.Value(1)
                                ),
                                "-",
                                models.F("first_leaf"),
                            ),
                        ),
                    ),
                ),
                name="segment_fills_tiles",
            ),
        ),
        migrations.AddField(
            model_name="prunerequest",
            name="segment",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="prune_requests",
                to="audit.segment",
            ),
        ),
        migrations.AddField(
            model_name="pruning",
            name="request",
            field=models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="pruning",
                to="audit.prunerequest",
            ),
        ),
        migrations.AddConstraint(
            model_name="prunerequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "withdrawn"), _negated=True),
                fields=("segment",),
                name="one_prune_per_segment",
            ),
        ),
        migrations.AddConstraint(
            model_name="prunerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_by_id__isnull", True), ("status", "waiting")),
                    models.Q(("decided_by_id__isnull", False), ("status", "withdrawn")),
                    models.Q(
                        ("decided_by_id__isnull", False),
                        ("status__in", ["approved", "done"]),
                        models.Q(
                            ("decided_by_id", models.F("requested_by_id")),
                            _negated=True,
                        ),
                    ),
                    _connector="OR",
                ),
                name="prune_takes_two_people",
            ),
        ),
        migrations.RunSQL(NOTE, FORGET),
        migrations.RunSQL(QUESTIONS, NO_QUESTIONS),
        migrations.RunSQL(CHECK, NO_CHECK),
        migrations.RunSQL(migrations.RunSQL.noop, "DROP FUNCTION audit_only_pruned();"),
        *(
            migrations.RunSQL(ONLY_PRUNED.format(table=table), ANY.format(table=table))
            for table in PRUNED_TABLES
        ),
        *(
            migrations.RunSQL(
                FORBID.format(table=table, deeds=deeds), ALLOW.format(table=table)
            )
            for table, deeds in FORBIDDEN.items()
        ),
    ]
