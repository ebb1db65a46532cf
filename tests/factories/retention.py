"""An archived segment, where no sealer can run: inside the transaction of a test."""

import io

from django.db import transaction
from django.utils import timezone

from apps.accounts.actions import service_account
from apps.audit.event_types import EventType
from apps.audit.models import Leaf
from apps.audit.record import record
from apps.audit.retention import actions
from apps.audit.retention.models import LegalHold, PruneRequest, Segment
from apps.core import blobs
from apps.core.ids import new_id


def segment() -> Segment:
    """A segment of events that nobody else needs, its archive sealed."""
    blob = blobs.store(io.BytesIO(b"an archive"))
    made = Segment.objects.create(
        number=0,
        first_leaf=0,
        last_leaf=255,
        root=bytes(32),
        first_event=new_id(),
        last_event=new_id(),
        first_at=timezone.now(),
        last_at=timezone.now(),
        archive_sha256=blob.sha256,
        archive_bytes=blob.size_bytes,
    )
    with transaction.atomic():
        event = record(
            EventType.AUDIT_SEGMENT_ARCHIVED,
            target=made,
            project=None,
            by=service_account(),
        )
    Leaf.objects.create(leaf_index=999, event=event)
    return made


def prune_request(world) -> PruneRequest:
    """A request that waits for an auditor."""
    return actions.request_prune(
        segment=segment(), reason="Schedule 3.2", by=world.administrator
    )


def hold(world) -> LegalHold:
    """A hold on the whole trail."""
    return actions.place_hold(kind="trail", reason="Case 7", by=world.auditor)
