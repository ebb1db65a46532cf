"""Have a model version done again from its record, and say whether it is the same."""

import time
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import PortalError
from apps.registry.models import ModelVersion
from apps.training import actions
from apps.training.models import Regeneration, Sameness

PAUSE_SECONDS = 0.5
SAME = {Sameness.IDENTICAL, Sameness.WITHIN_TOLERANCE}


class Command(BaseCommand):
    help = (
        "Do a model version again from its record; ends with 1 unless it is the same."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", help="project/name, such as birds/damage")
        parser.add_argument("version", type=int, help="its number")
        parser.add_argument("--by", required=True, help="address of who asks")
        parser.add_argument(
            "--tolerance",
            nargs=2,
            type=float,
            metavar=("PREDICTIONS", "METRICS"),
            help="largest differences that count as the same (none)",
        )
        parser.add_argument(
            "--no-wait", action="store_true", help="only ask; a worker does the rest"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        asked = options["tolerance"]
        tolerance = asked and {"predictions": asked[0], "metrics": asked[1]}
        try:
            by = get_user_model().objects.get(email=options["by"])
            version = _version(options["model"], options["version"], by)
            if version.run is None:
                raise CommandError(f"{version} was logged outside of any run.")
            found = actions.request_regeneration(
                run=version.run, tolerance=tolerance, by=by
            )
        except (ObjectDoesNotExist, PortalError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Asked for: {found.get_absolute_url()}")
        if not options["no_wait"]:
            self._tell(_ended(found))

    def _tell(self, found: Regeneration) -> None:
        if found.verdict not in SAME:
            sentence = found.facts.get("sentence") or found.failure_message
            raise CommandError(sentence or "It was cancelled.")
        self.stdout.write(found.facts["sentence"])
        self.stdout.write(f"Certificate: SHA-256 {found.certificate_sha256}")


def _version(model: str, number: int, by: Any) -> ModelVersion:
    project, _, name = model.partition("/")
    return (
        ModelVersion.objects.visible_to(by)
        .select_related("run__experiment__project")
        .get(model__project__slug=project, model__name=name, number=number)
    )


def _ended(found: Regeneration) -> Regeneration:
    while not found.is_final:
        time.sleep(PAUSE_SECONDS)
        found.refresh_from_db()
    return found
