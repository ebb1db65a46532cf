"""Which keys sign: the present one, and with it the next one once it is announced."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent
from apps.audit.signing import SealerFiles
from apps.audit.transparency.note import Signer


def signers_of(files: SealerFiles) -> list[Signer]:
    """List the keys that sign the next checkpoint.

    The next key signs from the moment the old one has signed its announcement, and
    alone when the overlap is over and its signature went out at least once.
    """
    signer, following = files.signer(), files.next_signer()
    until = end_of_overlap(following.vkey) if following else None
    if following is None or until is None:
        return [signer]
    if timezone.now() < until or not files.is_published_by(following):
        return [signer, following]
    files.take_next_key()
    return [following]


def announced_key(origin: str) -> str:
    """Find the key announced last for the log of this name; empty when none was."""
    events = AuditEvent.objects.filter(type=EventType.AUDIT_KEY_ROTATED)
    keys = [event.changes["vkey"][1] for event in events.order_by("-pk")]
    return next((one for one in keys if one.partition("+")[0] == origin), "")


def end_of_overlap(vkey: str) -> datetime | None:
    """Find until when both keys sign; None while the announcement is not sealed."""
    announcements = AuditEvent.objects.filter(
        type=EventType.AUDIT_KEY_ROTATED, leaf__isnull=False
    )
    for event in announcements.order_by("-pk"):
        if event.changes["vkey"][1] == vkey:
            return datetime.fromisoformat(event.changes["until"])
    return None
