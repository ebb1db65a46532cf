"""Create the account that creates all others."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts import actions
from apps.core.errors import PortalError


class Command(BaseCommand):
    help = "Create the first administrator of an empty portal; asks for the password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("full_name")

    def handle(self, *args: Any, **options: Any) -> None:
        password = getpass.getpass("Password (at least 15 characters): ")
        try:
            person = actions.create_first_administrator(
                email=options["email"],
                full_name=options["full_name"],
                password=password,
            )
        except PortalError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Created {person}.")
