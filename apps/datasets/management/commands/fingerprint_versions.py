"""Compute fingerprints that versions lack, each in the sandbox."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.actions import service_account
from apps.core import sandbox
from apps.datasets import actions, queries
from apps.datasets.models import DatasetVersion
from apps.jobs.models import JobStatus


class Command(BaseCommand):
    help = "Compute the fingerprint of each dataset version that has none yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--unordered",
            action="store_true",
            help="also the digest that does not depend on the order of rows, which "
            "takes about 2 µs for each row",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        unordered, worker = options["unordered"], service_account()
        for version in queries.without_fingerprint(unordered=unordered):
            found = self._compute(version, unordered=unordered)
            actions.keep_fingerprint(version=version, fingerprint=found, by=worker)
            self.stdout.write(f"{version}: {found['digest']}")

    def _compute(self, version: DatasetVersion, *, unordered: bool) -> dict[str, Any]:
        with sandbox.job_folder(f"fingerprint-{version.pk}") as folder:
            spec = queries.prepare_fingerprint(version, folder, unordered=unordered)
            (folder / "spec.json").write_text(json.dumps(spec))
            outcome = sandbox.run(
                folder,
                "fingerprint",
                wall_seconds=settings.JOB_WALL_SECONDS,
                watch=lambda _: "go on",
            )
            if outcome.status != JobStatus.SUCCEEDED:
                raise CommandError(f"{version}: {outcome.message}")
            found: dict[str, Any] = outcome.result["fingerprint"]
            return found
