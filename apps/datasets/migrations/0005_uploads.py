# Uploads in chunks, and files brought in from sources.

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import apps.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("datasets", "0004_formats_and_hints"),
        ("projects", "0002_own_code"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Upload",
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
                ("name", models.SlugField(blank=True, max_length=60)),
                ("title", models.CharField(blank=True, max_length=120)),
                ("description", models.TextField(blank=True)),
                ("file_name", models.CharField(max_length=255)),
                ("file_modified_ms", models.BigIntegerField(blank=True, null=True)),
                ("size_bytes", models.BigIntegerField()),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("received_bytes", models.BigIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("complete", "Complete"),
                            ("cancelled", "Cancelled"),
                            ("expired", "Expired"),
                        ],
                        default="open",
                        max_length=16,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="datasetversion",
            name="source_name",
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name="datasetversion",
            name="source_path",
            field=models.CharField(blank=True, max_length=1000),
        ),
        migrations.AlterField(
            model_name="datasetversion",
            name="original_sha256",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddConstraint(
            model_name="datasetversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("original_sha256", ""), _negated=True),
                    models.Q(
                        models.Q(("source_name", ""), _negated=True),
                        models.Q(("source_path", ""), _negated=True),
                        models.Q(("status", "succeeded"), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="dataset_version_has_file_or_source",
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="dataset",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="datasets.dataset",
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="project",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="projects.project",
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="version",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="upload",
                to="datasets.datasetversion",
            ),
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(fields=["owner", "-id"], name="upload_by_owner"),
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(
                condition=models.Q(("state", "open")),
                fields=["expires_at"],
                name="upload_open_by_expiry",
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("received_bytes__gte", 0),
                    ("received_bytes__lte", models.F("size_bytes")),
                ),
                name="upload_received_within_size",
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "complete"), ("version__isnull", False)),
                    models.Q(
                        models.Q(("state", "complete"), _negated=True),
                        ("version__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="upload_complete_has_version",
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("dataset__isnull", False),
                    models.Q(("name", ""), _negated=True),
                    _connector="OR",
                ),
                name="upload_says_where_to",
            ),
        ),
    ]
