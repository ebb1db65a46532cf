"""What stands against removing a part of the trail, or against erasing a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from apps.audit.retention.models import HoldKind, LegalHold

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.audit.retention.models import Segment

# The same question that the database asks before it lets rows go.
_HOLD: Final = "SELECT audit_hold_on(%s)"
_PROJECT: Final = """
SELECT event.project_id
FROM audit_auditevent AS event JOIN audit_leaf AS leaf ON leaf.event_pk = event.id
WHERE event.project_id = ANY(%s) AND event.event_id BETWEEN %s AND %s
    AND leaf.leaf_index BETWEEN %s AND %s
LIMIT 1
"""


def hold_on_segment(segment: Segment) -> str:
    """Say which legal hold covers something in a segment; empty when none does."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [segment.number])
        (found,) = cursor.fetchone()
    return LegalHold.objects.get(pk=found).sentence if found else ""


def hold_on_person(person_id: UUID) -> str:
    """Say which legal hold covers a person; empty when none does."""
    for hold in LegalHold.objects.active().order_by("pk"):
        if hold.kind == HoldKind.TRAIL or hold.subject_id == person_id:
            return hold.sentence
        if hold.object_id == str(person_id):
            return hold.sentence
    return ""


def keeper_of(segment: Segment) -> str:
    """Say why something alive still needs a segment; empty when nothing does."""
    kept: dict[UUID, str] = {}
    for path in settings.AUDIT_KEEPERS:
        ask: Callable[[], dict[UUID, str]] = import_string(path)
        kept |= ask()
    where = [segment.first_event, segment.last_event]
    leaves = [segment.first_leaf, segment.last_leaf]
    with connection.cursor() as cursor:
        cursor.execute(_PROJECT, [list(kept), *where, *leaves])
        found = cursor.fetchone()
    return kept[found[0]] if found else ""


def obstacle_to_pruning(segment: Segment) -> str:
    """Say what keeps a segment, be it law or use; empty when nothing does."""
    return hold_on_segment(segment) or keeper_of(segment)
