"""The way on when an event was changed before it was sealed."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.audit import actions
from apps.audit.models import AuditEvent
from apps.core.errors import PortalError


class Command(BaseCommand):
    help = "Let the sealer sign a flawed event as it lies; the acceptance is an event."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("event", type=int, help="its number, as the sealer says")
        parser.add_argument("--by", required=True, help="address of an administrator")
        parser.add_argument("--reason", required=True, help="what was found out")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            actions.accept_flawed_event(
                event=AuditEvent.objects.get(pk=options["event"]),
                reason=options["reason"],
                by=get_user_model().objects.get(email=options["by"]),
            )
        except (ObjectDoesNotExist, PortalError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Accepted. The sealer goes on by itself.")
