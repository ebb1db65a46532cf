"""The service account that background work acts as."""

from django.apps.registry import Apps
from django.contrib.auth.hashers import make_password
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

EMAIL = "worker@service.invalid"


def create_worker(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("accounts", "User").objects.create(
        email=EMAIL,
        full_name="Worker",
        kind="service",
        agency_roles=["worker"],
        password=make_password(None),
    )


def remove_worker(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("accounts", "User").objects.filter(email=EMAIL).delete()


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(create_worker, remove_worker)]
