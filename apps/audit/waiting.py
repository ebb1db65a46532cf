"""Wait a moment until what was just done is sealed, and say so."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic, sleep
from typing import Final
from uuid import UUID

from django.utils import timezone

from apps.audit.models import AuditEvent, Head, Leaf
from apps.core.context import current

PATIENCE_SECONDS: Final = 2.0
PAUSE_SECONDS: Final = 0.05
AT_WORK: Final = timedelta(seconds=30)  # a sealer gives a sign of life every 10


def await_sealed(event_id: UUID, timeout: float = PATIENCE_SECONDS) -> int | None:
    """Wait until a checkpoint covers a committed event.

    Args:
        event_id: of the event.
        timeout: seconds to wait; without a sealer at work nobody waits.

    Returns:
        The place of the event in the tree, counted from 0; None when it is not sealed
        yet. It will be: recording does not depend on the answer.
    """
    deadline = monotonic() + timeout
    while (place := _place_of(event_id)) is None:
        if monotonic() >= deadline or not _is_sealer_at_work():
            return None
        sleep(PAUSE_SECONDS)
    return place


def seal_sentence() -> str:
    """Say for a page how the last event of its request is sealed; empty without one."""
    event_id = _last_of_this_request()
    if event_id is None:
        return ""
    if (place := await_sealed(event_id)) is None:
        return "Recorded; the seal follows."
    return f"Sealed as event {place} of the trail."


def seal_header() -> dict[str, str]:
    """Say the same to a program: no header while the seal has yet to follow."""
    event_id = _last_of_this_request()
    place = await_sealed(event_id) if event_id else None
    return {} if place is None else {"X-Audit-Sealed-As": str(place)}


def _last_of_this_request() -> UUID | None:
    if not (request_id := current().request_id):
        return None
    events = AuditEvent.objects.filter(request_id=request_id).order_by("-event_id")
    newest: UUID | None = events.values_list("event_id", flat=True).first()
    return newest


def _place_of(event_id: UUID) -> int | None:
    # A leaf is committed together with the checkpoint that covers it.
    places = Leaf.objects.filter(event__event_id=event_id)
    return places.values_list("leaf_index", flat=True).first()


def _is_sealer_at_work() -> bool:
    since = timezone.now() - AT_WORK
    return Head.objects.filter(seen_at__gte=since, obstacle="").exists()
