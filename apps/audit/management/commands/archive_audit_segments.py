"""Write what is older than the retention time into archives; run it now and then."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.audit.retention import actions, queries, rules
from apps.core.errors import PortalError


class Command(BaseCommand):
    help = "Archive each segment of the audit trail that is older than must be kept."

    def handle(self, *args: Any, **options: Any) -> None:
        worker = queries.service_account()
        for number in queries.numbers_without_archive():
            decision = rules.can_archive_segment(worker, number)
            if not decision:  # those after it are younger still
                self.stdout.write(decision.reason)
                return
            try:
                segment = actions.archive_segment(number=number, by=worker)
            except PortalError as error:
                raise CommandError(str(error)) from error
            self.stdout.write(f"Archived {segment} as {segment.archive_sha256}.")
