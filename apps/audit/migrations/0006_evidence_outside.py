"""Checkpoints owed to anchors; what anchors gave back is never changed."""

import django.utils.timezone
from django.db import migrations, models

FORBID = """
CREATE TRIGGER audit_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER audit_append_only;
"""
ALLOW = "DROP TRIGGER audit_append_only ON {table};"
TABLES = ("audit_cosignature", "audit_timestamp")


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0005_streams"),
    ]

    operations = [
        migrations.CreateModel(
            name="Cosignature",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("origin", models.CharField(max_length=255)),
                ("size", models.BigIntegerField()),
                ("key_name", models.CharField(max_length=255)),
                ("line", models.TextField()),
                ("signed_at", models.DateTimeField()),
                (
                    "received_at",
                    models.DateTimeField(default=django.utils.timezone.now),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["origin", "-size"], name="audit_cosigned_size")
                ],
            },
        ),
        migrations.CreateModel(
            name="Publication",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("target", models.CharField(max_length=400)),
                ("origin", models.CharField(max_length=255)),
                ("size", models.BigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("done", "Done")],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("attempts", models.IntegerField(default=0)),
                ("last_error", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["target", "origin", "-id"], name="audit_by_anchor"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "waiting")),
                        fields=("target", "origin"),
                        name="audit_one_publication_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("done_at__isnull", True), ("state", "waiting")),
                            models.Q(("done_at__isnull", False), ("state", "done")),
                            _connector="OR",
                        ),
                        name="audit_publication_done_at",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Timestamp",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("origin", models.CharField(max_length=255)),
                ("size", models.BigIntegerField()),
                ("target", models.CharField(max_length=400)),
                ("token", models.BinaryField()),
                (
                    "received_at",
                    models.DateTimeField(default=django.utils.timezone.now),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["origin", "-size"], name="audit_stamped_size")
                ],
            },
        ),
        *(
            migrations.RunSQL(FORBID.format(table=table), ALLOW.format(table=table))
            for table in TABLES
        ),
    ]
