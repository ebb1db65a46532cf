"""What is due to each anchor: kept in the database, so that no crash forgets it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from apps.audit.anchors.anchor import Anchor, Receipt
from apps.audit.models import (
    Checkpoint,
    Cosignature,
    Publication,
    PublicationState,
    Timestamp,
)

LEASE: Final = timedelta(seconds=60)  # longer than an attempt takes
FIRST_PAUSE_SECONDS: Final = 5
LONGEST_PAUSE_SECONDS: Final = 300
DOUBLINGS: Final = 6
ERROR_CHARACTERS: Final = 500


def idle_pace(anchor: Anchor) -> int:
    """Give the seconds after which an anchor is asked although nothing is new."""
    heartbeat: int = settings.AUDIT_HEARTBEAT_SECONDS
    return max(anchor.every, heartbeat)


def put_newest(anchor: Anchor, origin: str) -> None:
    """Note that the newest checkpoint is due, when it is time for one.

    The pace is counted from checkpoint to checkpoint, not from delivery to delivery,
    so that an anchor that was away is given the newest one right after it is back.
    """
    newest = Checkpoint.objects.order_by("-size").first()
    last = _of(anchor, origin).order_by("-id").first()
    if newest is None or not newest.note.startswith(f"{origin}\n"):
        return
    if last and last.state == PublicationState.WAITING:
        return
    if last is not None:
        is_new = newest.size > last.size
        pace = anchor.every if is_new else idle_pace(anchor)
        if timezone.now() - last.created_at < timedelta(seconds=pace):
            return
    row = Publication(target=anchor.address, origin=origin, size=newest.size)
    Publication.objects.bulk_create([row], ignore_conflicts=True)


def claim(anchor: Anchor, origin: str) -> Publication | None:
    """Take what is due, so that no other process takes it as well.

    Whoever dies while it publishes loses the claim after the lease.
    """
    now = timezone.now()
    waiting = (
        _of(anchor, origin)
        .filter(state=PublicationState.WAITING, due_at__lte=now)
        .first()
    )
    if waiting is None:
        return None
    claimed = Publication.objects.filter(pk=waiting.pk, due_at=waiting.due_at).update(
        due_at=now + LEASE, attempts=F("attempts") + 1
    )
    waiting.attempts += 1
    return waiting if claimed else None


def last_taken(anchor: Anchor, origin: str) -> int:
    """Give the size of the checkpoint that the anchor took last; 0 for none."""
    taken = _of(anchor, origin).filter(state=PublicationState.DONE)
    last = taken.order_by("-id").first()
    return last.size if last else 0


@transaction.atomic
def settle(publication: Publication, receipt: Receipt) -> None:
    """Keep what the anchor gave back, and that it took the checkpoint."""
    Cosignature.objects.bulk_create(
        Cosignature(
            origin=publication.origin,
            size=receipt.size,
            key_name=one.witness,
            line=one.line,
            signed_at=datetime.fromtimestamp(one.at, UTC),
        )
        for one in receipt.cosignatures
    )
    if receipt.token:
        Timestamp.objects.create(
            origin=publication.origin,
            size=receipt.size,
            target=publication.target,
            token=receipt.token,
        )
    Publication.objects.filter(pk=publication.pk).update(
        size=receipt.size,
        state=PublicationState.DONE,
        done_at=timezone.now(),
        last_error="",
    )


def postpone(publication: Publication, reason: str, *, is_failure: bool) -> None:
    """Try again later, ever more seldom up to five minutes, and never give up."""
    doublings = min(publication.attempts - 1, DOUBLINGS) if is_failure else 0
    pause = min(FIRST_PAUSE_SECONDS << doublings, LONGEST_PAUSE_SECONDS)
    Publication.objects.filter(pk=publication.pk).update(
        last_error=reason[:ERROR_CHARACTERS],
        due_at=timezone.now() + timedelta(seconds=pause),
    )


def _of(anchor: Anchor, origin: str) -> QuerySet[Publication]:
    return Publication.objects.filter(target=anchor.address, origin=origin)
