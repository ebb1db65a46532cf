"""Bring over what a server of MLflow or a folder mlruns keeps."""

import os
from contextlib import closing
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import PortalError
from apps.experiments import actions
from apps.experiments.import_reports import import_counts
from apps.experiments.importing.mlruns import MlrunsFolder
from apps.experiments.importing.records import Unreadable
from apps.experiments.importing.server_connection import ServerConnection
from apps.experiments.importing.servers import MlflowServer
from apps.projects.models import Project
from apps.registry.importing.folders import FolderRegistry
from apps.registry.importing.servers import ServerRegistry
from apps.registry.importing.transfer import Places, bring_all_over

GOES_ON = "Give the same command again; it goes on where it stopped."


class Command(BaseCommand):
    help = (
        "Bring experiments, runs and registered models over from MLflow; a second "
        "time, only the rest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "source",
            help="a folder mlruns, or the address of a server, for which "
            "MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and _PASSWORD, count",
        )
        parser.add_argument("--project", required=True, help="its short name")
        parser.add_argument("--by", required=True, help="e-mail address of who asks")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            by = get_user_model().objects.get(email=options["by"])
            visible = Project.objects.visible_to(by)
            project = visible.get(slug=options["project"])
            places = _places(options["source"])
            started = actions.start_import(
                project=project, source=places.source.label, by=by
            )
        except (ObjectDoesNotExist, PortalError, Unreadable) as error:
            raise CommandError(str(error)) from error
        try:
            with closing(places.source):
                bring_all_over(
                    run_import=started, places=places, by=by, tell=self._tell
                )
        except (PortalError, Unreadable) as error:
            raise CommandError(f"{error} {GOES_ON}") from error
        for name, count in import_counts(started).items():
            self._tell(f"{name.replace('_', ' ')}: {count}")
        self._tell(f"The report: {started.get_absolute_url()}")

    def _tell(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()


def _places(given: str) -> Places:
    if given.startswith(("http://", "https://")):
        connection = ServerConnection(given, os.environ)
        server = MlflowServer(connection)
        return Places(server, ServerRegistry(connection, server))
    folder = MlrunsFolder(Path(given.removeprefix("file://")))
    return Places(folder, FolderRegistry(folder))
