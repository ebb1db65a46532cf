"""One target after its own pace: deliver, note how far, and try again what failed."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Final

from django.db import DatabaseError, InterfaceError, connection

from apps.audit.models import StreamPosition
from apps.audit.streaming.senders import NotDelivered, deliver
from apps.audit.streaming.source import sealed_entries
from apps.audit.streaming.targets import Target

logger = logging.getLogger(__name__)

MAX_BATCH_BYTES: Final = 1024 * 1024  # of the bodies; a rendering may be thrice as long
FIRST_PAUSE_SECONDS: Final = 1.0
MAX_DOUBLINGS: Final = 30
MAX_ERROR: Final = 500  # characters that are kept


@dataclass(frozen=True)
class Pace:
    """How often a target is asked.

    Args:
        seconds: pause when there is nothing to send.
        longest_pause: between two tries after failures, in seconds.
    """

    seconds: float = 1.0
    longest_pause: float = 300.0

    def after(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row, each time twice as long."""
        doublings = min(failures - 1, MAX_DOUBLINGS)
        return float(min(FIRST_PAUSE_SECONDS * 2**doublings, self.longest_pause))


def deliver_next(target: Target) -> int:
    """Deliver the next batch and note it.

    Whoever is stopped between the two delivers the batch again: it comes twice, and
    each event has the same leaf index and id as before.

    Returns:
        The number of events delivered; 0 when there is nothing to send.

    Raises:
        NotDelivered: the target did not confirm; the position stays.
    """
    position = StreamPosition.objects.of(target.name)
    entries = sealed_entries(
        position.next_index, count=target.batch, max_bytes=MAX_BATCH_BYTES
    )
    if not entries:
        return 0
    deliver(target, entries)
    StreamPosition.objects.note_delivery(position, entries[-1].leaf_index + 1)
    if position.failures:
        logger.info("Stream to %s goes on.", target.name)
    return len(entries)


def follow(target: Target, pace: Pace) -> None:
    """Deliver to one target for ever; what fails waits, and is never left out."""
    failures = 0
    while True:
        try:
            failures, seconds = _step(target, pace, failures)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("The database does not answer; trying again: %s", error)
            connection.close()
            seconds = pace.seconds
        time.sleep(seconds)


def _step(target: Target, pace: Pace, failures: int) -> tuple[int, float]:
    """Try one delivery.

    Returns:
        The failures in a row, and the seconds until the next try.
    """
    try:
        return 0, 0.0 if deliver_next(target) else pace.seconds
    except (DatabaseError, InterfaceError):
        raise
    except NotDelivered as error:
        reason = str(error)
    except Exception as error:  # one of ours must not end a stream silently
        logger.exception("Stream to %s", target.name)
        reason = f"An error of the portal itself: {type(error).__name__}"
    tell_failure(target, reason, failures + 1)
    return failures + 1, pace.after(failures + 1)


def tell_failure(target: Target, error: str, failures: int = 1) -> None:
    """Keep a failure for the audit page, and log the first of a row."""
    if failures == 1:
        logger.error("Stream to %s does not get on: %s", target.name, error)
    StreamPosition.objects.note_failure(target.name, error[:MAX_ERROR])
