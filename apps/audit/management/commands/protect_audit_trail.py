"""Separate the roles of the database; run as the owner of the tables, after migrate."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from apps.audit import grants, protection


class Command(BaseCommand):
    help = "Create the roles of the database and give each exactly its rights."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; fail on a gap"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["check"]:
            self._protect()
        gaps = protection.gaps_of_all_roles()
        for gap in gaps:
            self.stderr.write(gap)
        if gaps:
            raise CommandError("The trail is not fully protected.")
        self.stdout.write("The audit trail is protected in the database.")

    def _protect(self) -> None:
        try:
            for name in grants.create_roles():
                self.stdout.write(f"Created the role {name}")
            grants.grant_rights()
        except grants.UnfitRole as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(
                f"{error} Run this as the owner of the tables, with the right to make "
                "roles; or have an administrator of the database create the roles "
                f"{', '.join(grants.role_names().values())} with LOGIN first."
            ) from error
