"""The sealer: one process that signs the audit trail as it grows."""

import itertools
import logging
import os
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError, connection

from apps.audit import protection, sealer
from apps.audit.anchors.addresses import InvalidAddress
from apps.audit.anchors.publisher import Publisher, open_publisher
from apps.audit.inspection import inspect
from apps.audit.models import Key
from apps.audit.sealer import Sealer
from apps.audit.signing import CannotSeal, SealerFiles

SHOWN = 10  # findings; where there are more, the whole trail is in doubt
REST = 9  # times as long as the inspection took it does not go on
BUSY = 100  # events of a pass: people are at work, so the inspection rests longer
BUSY_REST = 99
# A pass waits for the disk some times, and others wait behind it. So passes rest longer
# when they have much to do, up to a time that keeps the goal of 1.5 s to a seal.
PASS_REST = 9
LONGEST_REST = 0.75  # seconds
NICE = 10  # whoever waits for a page comes first

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Seal the audit trail: every event gets its place in a signed tree."
    requires_system_checks = ()  # those load all pages, a quarter of its memory

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="seal what there is, inspect all, end"
        )
        parser.add_argument(
            "--seconds",
            type=float,
            default=0.25,
            help="pause between two passes, while these are short",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            own, publisher = open_sealer()
            self.stdout.write(f"Sealing as {own.signer.vkey}")
        except (CannotSeal, InvalidAddress) as error:
            raise CommandError(str(error)) from error
        protection.tell()
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
        os.nice(NICE)
        inspection, rested = rounds(), time.monotonic()
        for _ in itertools.count():
            try:
                began = time.monotonic()
                count = own.seal_and_tell()
                pause = pause_after(time.monotonic() - began, seconds)
                if count < own.batch:
                    rest = REST if count < BUSY else BUSY_REST
                    rested = inspect_a_piece(inspection, rested, rest=rest)
                    time.sleep(pause)
            except (InterfaceError, OperationalError) as error:
                logger.warning("The database does not answer; trying again: %s", error)
                connection.close()
                inspection = rounds()
                time.sleep(seconds)


def pause_after(spent: float, shortest: float) -> float:
    """Say how long to rest after a pass that took so long, in seconds."""
    return max(shortest, min(PASS_REST * spent, LONGEST_REST))


def open_sealer() -> tuple[Sealer, Publisher]:
    files = SealerFiles(settings.AUDIT_SIGNING_KEY_FILE)
    if not Key.objects.exists():
        files.make_key(settings.AUDIT_ORIGIN)
    own = Sealer(files)
    return own, open_publisher(own)


def inspect_a_piece(
    inspection: Iterator[None], rested: float, *, rest: float = REST
) -> float:
    """Go on with the inspection if it has rested.

    Returns:
        When it may go on next, on the clock of `time.monotonic`.
    """
    began = time.monotonic()
    if began < rested:
        return rested
    next(inspection)
    ended = time.monotonic()
    return ended + rest * (ended - began)


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
