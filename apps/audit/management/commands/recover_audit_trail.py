"""The way on when a restored database lacks events that were signed."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.audit import actions, recovery
from apps.audit.signing import CannotSeal, SealerFiles
from apps.core.errors import PortalError


class Command(BaseCommand):
    help = "Go on as another log although signed events are lost; that is an event."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--accept-loss",
            action="store_true",
            required=True,
            help="there is no newer backup",
        )
        parser.add_argument("--by", required=True, help="address of an administrator")
        parser.add_argument("--reason", required=True, help="what was found out")

    def handle(self, *args: Any, **options: Any) -> None:
        files = SealerFiles(settings.AUDIT_SIGNING_KEY_FILE)
        try:
            if not recovery.is_declared(files):
                actions.accept_loss(
                    loss=recovery.loss_of(files),
                    reason=options["reason"],
                    by=get_user_model().objects.get(email=options["by"]),
                )
            vkey = recovery.begin_next_log(files)
        except (CannotSeal, ObjectDoesNotExist, PortalError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"The trail goes on as a log of its own, signed by {vkey}\n"
            "Give this key to the auditors, on paper. The sealer goes on by itself."
        )
