"""The sealed events in the order of the tree, as they leave the portal."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import connection

from apps.audit.models import Checkpoint
from apps.audit.renderings.entry import Entry

# What is gone comes as an empty text: a stream says so instead of leaving it out.
_SEALED: Final = """
SELECT place, body FROM (
    SELECT place, coalesce(event.body, '') AS body,
        sum(octet_length(coalesce(event.body, ''))) OVER (ORDER BY place)
            - octet_length(coalesce(event.body, '')) AS bytes_before
    FROM generate_series(%(start)s, %(end)s) AS place
    LEFT JOIN audit_leaf AS leaf ON leaf.leaf_index = place
    LEFT JOIN audit_auditevent AS event ON event.id = leaf.event_pk
) AS sealed
WHERE bytes_before < %(max_bytes)s ORDER BY place
"""


def covered_size() -> int:
    """Count the leaves that the newest checkpoint covers."""
    newest = Checkpoint.objects.order_by("-size").values_list("size", flat=True)
    return newest.first() or 0


def sealed_entries(start: int, *, count: int, max_bytes: int) -> list[Entry]:
    """Read what a checkpoint covers from one leaf on.

    Args:
        start: index of the first leaf.
        count: events at most.
        max_bytes: no further event once their bodies have so many bytes.
    """
    end = min(start + count, covered_size()) - 1
    if end < start:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_SEALED, {"start": start, "end": end, "max_bytes": max_bytes})
        rows = cursor.fetchall()
    return [Entry(place, body, settings.AUDIT_ORIGIN) for place, body in rows]
