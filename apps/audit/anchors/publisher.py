"""Brings checkpoints to the anchors, one thread each, beside the sealer.

A thread has its own session of the database and its own time-outs: neither sealing nor
another anchor waits for a share that hangs or a host that is silent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Thread
from time import monotonic
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import connection

from apps.audit.anchors import outbox
from apps.audit.anchors.addresses import anchors_of
from apps.audit.anchors.anchor import (
    Anchor,
    Contradicts,
    Log,
    Receipt,
    Statement,
    Unpublished,
    Waits,
)
from apps.audit.anchors.guard import Guard
from apps.audit.anchors.trail import SealedTrail
from apps.audit.sealer import Sealer
from apps.audit.transparency.note import InvalidNote

PAUSE_SECONDS: Final = 1.0
FIRST_LOOK_SECONDS: Final = 8.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Publisher:
    """Everything that goes out.

    Attributes:
        anchors: where to.
        log: what.
        guard: is told what the anchors hold.
        stopped: ends the threads, when they are not at work.
    """

    anchors: Sequence[Anchor]
    log: Log
    guard: Guard
    stopped: Event = field(default_factory=Event)

    def start(self) -> None:
        """Look at all anchors, then publish for as long as the process lives.

        Returns when each anchor was looked at, or did not answer in time.
        """
        deadline = monotonic() + FIRST_LOOK_SECONDS
        looks = [Event() for _ in self.anchors]
        for anchor, looked in zip(self.anchors, looks, strict=True):
            Thread(
                target=self._work,
                args=(anchor, looked),
                name=f"anchor {anchor.address}",
                daemon=True,
            ).start()
        for anchor, looked in zip(self.anchors, looks, strict=True):
            if not looked.wait(max(0.0, deadline - monotonic())):
                logger.warning("%s does not answer yet", anchor.address)

    def look(self, anchors: Iterable[Anchor] | None = None) -> None:
        """See what the anchors hold."""
        for anchor in self.anchors if anchors is None else anchors:
            try:
                if found := anchor.look(self.log):
                    self.guard.saw(anchor.address, found)
            except Contradicts as error:
                self._tell_contradiction(anchor, error)
            except Unpublished as error:
                logger.warning("%s cannot be asked: %s", anchor.address, error)

    def publish(self) -> None:
        """Try once what is due to each anchor."""
        for anchor in self.anchors:
            self._step(anchor)

    def _work(self, anchor: Anchor, looked: Event) -> None:
        self._survive(anchor, partial(self.look, [anchor]))
        looked.set()
        while not self.stopped.wait(PAUSE_SECONDS):
            self._survive(anchor, partial(self._step, anchor))
        connection.close()

    def _survive(self, anchor: Anchor, deed: Callable[[], None]) -> None:
        """Do something at the edge of the thread, which goes on for ever."""
        try:
            deed()
        except DatabaseFault as error:
            logger.warning("The database does not answer: %s", error)
            connection.close()
        except Exception:  # reported; the next attempt may do better
            logger.exception("%s failed", anchor.address)

    def _step(self, anchor: Anchor) -> None:
        origin = self.log.origin
        outbox.put_newest(anchor, origin)
        publication = outbox.claim(anchor, origin)
        if publication is None:
            return
        try:
            receipt = self._hand_over(anchor, publication.size)
        except Contradicts as error:
            self._tell_contradiction(anchor, error)
            outbox.postpone(publication, str(error), is_failure=True)
        except Waits as error:
            outbox.postpone(publication, str(error), is_failure=False)
        except Unpublished as error:
            logger.warning("%s: %s", anchor.address, error)
            outbox.postpone(publication, str(error), is_failure=True)
        else:
            outbox.settle(publication, receipt)

    def _hand_over(self, anchor: Anchor, size: int) -> Receipt:
        if anchor.is_carried:
            size = max(size, self.log.newest_size())
        last = outbox.last_taken(anchor, self.log.origin)
        statement = Statement(size, self.log.note(size), last)
        try:
            self.log.opened(statement.note)
            receipt = anchor.publish(statement, self.log)
            taken = self.log.opened(self.log.note(receipt.size))
        except InvalidNote as error:
            raise Unpublished(
                f"A checkpoint in the database is not what was signed: {error}"
            ) from error
        self.guard.saw(anchor.address, taken)
        return receipt

    def _tell_contradiction(self, anchor: Anchor, error: Contradicts) -> None:
        logger.error("%s contradicts the database: %s", anchor.address, error)
        self.guard.saw_contradiction(anchor.address, self.log.origin, str(error))


def open_publisher(sealer: Sealer) -> Publisher:
    """Make the publisher of the setting AUDIT_ANCHORS for what this sealer signs.

    Raises:
        InvalidAddress: the setting is malformed.
    """
    anchors = anchors_of(settings.AUDIT_ANCHORS)
    return Publisher(anchors, SealedTrail(sealer), sealer.guard)
