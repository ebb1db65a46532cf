from django.apps import AppConfig
from django.db.models.signals import post_migrate

from apps.audit.grants import renew_rights


class AuditConfig(AppConfig):
    name = "apps.audit"
    label = "audit"

    def ready(self) -> None:
        post_migrate.connect(renew_rights, sender=self)
