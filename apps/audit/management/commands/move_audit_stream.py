"""Let a stream of the trail go on from another leaf."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.audit import actions
from apps.core.errors import PortalError


class Command(BaseCommand):
    help = "Let a stream go on from another leaf of the trail; the move is an event."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="of the target, as --status says it")
        parser.add_argument(
            "--from", type=int, required=True, dest="next_index", help="leaf index"
        )
        parser.add_argument("--by", required=True, help="address of an administrator")
        parser.add_argument("--reason", required=True, help="why")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            actions.move_stream(
                name=options["name"],
                next_index=options["next_index"],
                reason=options["reason"],
                by=get_user_model().objects.get(email=options["by"]),
            )
        except (ObjectDoesNotExist, PortalError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Moved. The streamer goes on by itself.")
