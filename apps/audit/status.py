"""How the sealing of the trail stands, for the audit page, /healthz and operators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection
from django.utils import timezone

from apps.audit.anchors.standing import Outside, outside
from apps.audit.models import AuditEvent, Checkpoint, Head, Key
from apps.audit.streaming.lag import StreamLag, late_streams, stream_lags

LATE: Final = timedelta(seconds=60)
SILENT_HEARTBEATS: Final = 2

_UNSEALED: Final = """
SELECT count(*) FROM audit_auditevent AS event
WHERE xid >= pg_snapshot_xmin(%s::pg_snapshot)
    AND NOT EXISTS (SELECT FROM audit_leaf WHERE event_pk = event.id)
"""


@dataclass(frozen=True)
class TrailStatus:
    """What somebody should know before they rely on the trail.

    Args:
        size: number of sealed events.
        unsealed: number of events that wait for the sealer.
        sealed_at: when the newest checkpoint was signed.
        checkpoint: the newest signed statement, to be kept elsewhere.
        vkeys: the public keys, oldest first.
        outside: how the anchors are.
        problem: what is wrong, in a sentence; empty when nothing.
        word: ok, late (sealer, anchor, stream or heartbeat is overdue) or alarm.
        streams: how far each target outside is behind.
    """

    size: int
    unsealed: int
    sealed_at: datetime | None
    checkpoint: str
    vkeys: list[str]
    outside: Outside
    problem: str
    word: str
    streams: list[StreamLag]


def trail_status() -> TrailStatus:
    """Gather how the sealing stands."""
    head = Head.objects.first()
    with connection.cursor() as cursor:
        cursor.execute(_UNSEALED, [head.previous if head else "3:3:"])
        unsealed = cursor.fetchone()[0]
    newest = Checkpoint.objects.order_by("-size").first()
    anchors = outside()
    word, problem = _judge(head, anchors)
    return TrailStatus(
        size=head.size if head else 0,
        unsealed=unsealed,
        sealed_at=newest.created_at if newest else None,
        checkpoint=newest.note if newest else "",
        vkeys=list(Key.objects.order_by("created_at").values_list("vkey", flat=True)),
        outside=anchors,
        problem=problem,
        word=word,
        streams=stream_lags(),
    )


def health() -> str:
    """Say in a word how the trail stands; the sentence is for those who may read it."""
    return _judge(Head.objects.first(), outside())[0]


def _judge(head: Head | None, anchors: Outside) -> tuple[str, str]:
    if head is None:
        return "late", "The sealer has never run: events are kept but not yet sealed."
    if problem := head.finding or head.obstacle:
        return "alarm", problem
    if timezone.now() - head.seen_at > LATE:
        return "late", (
            f"The sealer was last at work at {head.seen_at:%Y-%m-%d %H:%M:%S} UTC: "
            "newer events are kept but not yet sealed. Start it again."
        )
    problem = anchors.problem or late_streams() or _silence()
    return ("late", problem) if problem else ("ok", "")


def _silence() -> str:
    """Say that not even heartbeats are recorded; empty when they are."""
    newest = AuditEvent.objects.order_by("-event_id").first()
    patience = timedelta(seconds=SILENT_HEARTBEATS * settings.AUDIT_HEARTBEAT_SECONDS)
    if newest is None or timezone.now() - newest.at < patience:
        return ""
    return (
        f"Nothing was recorded since {newest.at:%Y-%m-%d %H:%M:%S} UTC, not even that "
        "the portal is alive. Are worker and beat at work?"
    )
