"""Models and versions from before changed last when they were made."""

from django.db import migrations
from django.db.models import F


def carry_times(apps, schema_editor):
    for name in ("RegisteredModel", "ModelVersion"):
        rows = apps.get_model("registry", name).objects.all()
        rows.update(updated_at=F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("registry", "0003_names_stages_and_tags")]
    operations = [migrations.RunPython(carry_times, migrations.RunPython.noop)]
