"""Replace the key that signs the audit trail, on the sealer's machine."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.audit import actions
from apps.audit.signing import CannotSeal, SealerFiles
from apps.core.errors import PortalError


class Command(BaseCommand):
    help = "Make another signing key; both sign for a while, then the new one alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--by", required=True, help="address of an administrator")
        parser.add_argument("--reason", required=True, help="why it is replaced")
        parser.add_argument(
            "--overlap",
            type=float,
            default=30,
            help="days in which both sign, so that auditors learn the new key (30)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            files = SealerFiles(settings.AUDIT_SIGNING_KEY_FILE)
            vkey = files.make_next_key().vkey
            actions.rotate_signing_key(
                vkey=vkey,
                until=timezone.now() + timedelta(days=options["overlap"]),
                reason=options["reason"],
                by=get_user_model().objects.get(email=options["by"]),
            )
        except (CannotSeal, ObjectDoesNotExist, PortalError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The next key is {vkey}\nGive it to the auditors, on paper.")
