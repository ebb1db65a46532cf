"""Say how the sealing stands, for monitoring."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.audit.protection import protection_status
from apps.audit.status import trail_status


class Command(BaseCommand):
    help = "Say how the sealing of the audit trail stands; fails when all is not well."

    def handle(self, *args: Any, **options: Any) -> None:
        status, guarded = trail_status(), protection_status()
        if status.problem:
            raise CommandError(f"{status.word}: {status.problem}")
        if guarded.word == "alarm":
            raise CommandError(f"alarm: {guarded.missing[0].gap}")
        self.stdout.write(f"ok: {status.size} sealed, {status.unsealed} waiting")
