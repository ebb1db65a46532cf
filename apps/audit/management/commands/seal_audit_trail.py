"""The sealer: one process that signs the audit trail as it grows."""

import itertools
import logging
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection

from apps.audit import sealer
from apps.audit.anchors.addresses import InvalidAddress
from apps.audit.anchors.publisher import Publisher, open_publisher
from apps.audit.inspection import inspect
from apps.audit.models import Key
from apps.audit.sealer import Sealer
from apps.audit.signing import CannotSeal, SealerFiles

SHOWN = 10  # findings; where there are more, the whole trail is in doubt

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Seal the audit trail: every event gets its place in a signed tree."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="seal what there is, inspect all, end"
        )
        parser.add_argument(
            "--seconds", type=float, default=0.5, help="pause between two passes"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            own, publisher = open_sealer()
        except (CannotSeal, InvalidAddress) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Sealing as {own.signer.vkey}")
        if options["once"]:
            self._once(own, publisher)
        else:
            publisher.start()
            self._for_ever(own, options["seconds"])

    def _once(self, own: Sealer, publisher: Publisher) -> None:
        publisher.look()
        while own.seal_and_tell():
            pass
        publisher.publish()
        found = itertools.islice(itertools.chain.from_iterable(inspect()), SHOWN)
        finding = " ".join(found)
        sealer.tell_finding(finding)
        if problem := sealer.obstacle() or finding:
            raise CommandError(problem)

    def _for_ever(self, own: Sealer, seconds: float) -> None:
        inspection = rounds()
        for _ in itertools.count():
            try:
                if own.seal_and_tell() < own.batch:
                    next(inspection)
                    time.sleep(seconds)
            except OperationalError as error:
                logger.warning("The database does not answer; trying again: %s", error)
                connection.close()
                inspection = rounds()
                time.sleep(seconds)


def open_sealer() -> tuple[Sealer, Publisher]:
    files = SealerFiles(settings.AUDIT_SIGNING_KEY_FILE)
    signer = files.signer(settings.AUDIT_ORIGIN, may_create=not Key.objects.exists())
    own = Sealer(signer, files)
    return own, open_publisher(own)


def rounds() -> Iterator[None]:
    """Inspect the trail round after round; a finding stays until a round without."""
    while True:
        found: list[str] = []
        for findings in inspect():
            if findings and len(found) < SHOWN:
                found += findings[: SHOWN - len(found)]
                sealer.tell_finding(" ".join(found))
            yield
        sealer.tell_finding(" ".join(found))
        yield
