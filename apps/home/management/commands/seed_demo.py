"""Fill an empty portal with a demonstration on real data."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from sklearn.datasets import load_digits

from apps.home.demo import data, plot, story
from apps.home.demo.people import Access, create_people, issue_tokens
from apps.projects.models import Project


class Command(BaseCommand):
    help = "Make the demonstration's people and projects; needs a running worker."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--access",
            type=Path,
            default=settings.BASE_DIR / "var" / "demo" / "access.json",
            help="where passwords and tokens are written, for the owner's eyes",
        )

    def handle(self, *args: Any, access: Path, **options: Any) -> None:
        if settings.IS_PRODUCTION:
            raise CommandError("Demonstration people have no place in production.")
        if access.exists():
            self.stdout.write("The demonstration is there already.")
            return
        if Project.objects.exists():
            raise CommandError(
                "The demonstration was begun and not finished. Start over with: "
                "make demo-reset"
            )
        people = create_people()
        images, labels = load_digits(return_X_y=True)
        plot.tell(
            story.Story(people, self._say),
            [
                data.strikes(settings.NODE_MODULES, before=data.SECOND_DELIVERY),
                data.strikes(settings.NODE_MODULES),
            ],
            data.digits(images, labels),
        )
        write_access(access, people, issue_tokens(people))

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()


def write_access(path: Path, people: dict[str, Access], tokens: dict[str, str]) -> None:
    """Write passwords and tokens so that only the owner of the file can read them."""
    content = {
        role: {
            "email": access.user.email,
            "password": access.password,
            "token": tokens[role],
        }
        for role, access in people.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=2)
    partial.rename(path)
