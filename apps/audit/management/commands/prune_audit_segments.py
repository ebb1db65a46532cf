"""Carry out the removals that two people agreed to, once it is time."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.audit.retention import actions, queries
from apps.core.errors import PortalError


class Command(BaseCommand):
    help = "Remove the segments of the audit trail whose removal is agreed and due."

    def handle(self, *args: Any, **options: Any) -> None:
        worker, refused = queries.service_account(), False
        for prune in queries.agreed_prunes():
            try:
                segment = actions.prune_segment(prune=prune, by=worker)
                self.stdout.write(f"Removed {segment}.")
            except PortalError as error:
                refused = True
                self.stderr.write(f"{prune.segment} stays: {error}")
        if refused:
            raise CommandError("Something agreed was not removed; see above.")
