"""Publish what a sealer of a test signed."""

import threading
from datetime import timedelta

from apps.audit.anchors.publisher import Publisher, open_publisher
from apps.audit.models import (
    Head,
    Publication,
)
from tests.audit.sealing import tampering


def publisher_of(sealer, settings, *addresses) -> Publisher:
    settings.AUDIT_ANCHORS = list(addresses)
    return open_publisher(sealer)


def is_later(**ago) -> None:
    """Let time pass for everything that is in the outbox."""
    for row in Publication.objects.all():
        row.created_at -= timedelta(**ago)
        row.due_at -= timedelta(**ago)
        row.save()


def in_share(share) -> list[int]:
    return sorted(int(path.name) for path in share.glob("*/*"))


def cut_back_to(size: int, sealer, memory: str) -> None:
    """Restore an old backup, the sealer's own memory included."""
    with tampering() as superuser:
        superuser.execute(f"DELETE FROM audit_checkpoint WHERE size > {size}")  # noqa: S608
        superuser.execute(f"DELETE FROM audit_leaf WHERE leaf_index >= {size}")  # noqa: S608
        superuser.execute(
            "DELETE FROM audit_auditevent WHERE id NOT IN "
            "(SELECT event_pk FROM audit_leaf)"
        )
    Head.objects.all().delete()
    sealer.files.publish(memory)


def stop(publisher) -> None:
    publisher.stopped.set()
    for thread in threading.enumerate():
        if thread.name.startswith("anchor "):
            thread.join(timeout=30)
