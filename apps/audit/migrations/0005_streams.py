from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0004_keys_end"),
    ]

    operations = [
        migrations.CreateModel(
            name="StreamPosition",
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
                ("name", models.CharField(max_length=200, unique=True)),
                ("next_index", models.BigIntegerField(default=0)),
                ("delivered_at", models.DateTimeField(null=True)),
                ("failures", models.IntegerField(default=0)),
                ("last_error", models.TextField(blank=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("next_index__gte", 0)),
                        name="audit_stream_from_a_leaf",
                    )
                ],
            },
        ),
    ]
