from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "apps.core"
    label = "core"

    def ready(self) -> None:
        """Know the tasks of all apps by name, in every process that asks for work."""
        autodiscover_modules("tasks")
