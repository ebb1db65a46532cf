"""Find what was committed since the last pass, and give each event its leaf.

An event is new when the snapshot `previous` did not show it: its transaction was still
open then, or began later. Both are ranges of one index, so that neither what is sealed
nor an old open transaction makes a pass longer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from psycopg import Cursor

from apps.audit.models import Head
from apps.audit.proofreading import COLUMNS

CHUNK: Final = 250  # rows that are read while the database looks for the next

_LOCK_HEAD: Final = """
SELECT id, pg_current_snapshot()::text,
    (SELECT system_identifier FROM pg_control_system())
FROM audit_head WHERE id = %s FOR UPDATE SKIP LOCKED
"""
_HAS_NEWS: Final = """
SELECT size, target <> ''
    OR system_id IS DISTINCT FROM (SELECT system_identifier FROM pg_control_system())
    OR EXISTS (SELECT FROM audit_auditevent
        WHERE xid >= pg_snapshot_xmax(previous::pg_snapshot))
    OR EXISTS (SELECT FROM audit_auditevent
        WHERE xid = ANY(ARRAY(SELECT pg_snapshot_xip(previous::pg_snapshot))))
FROM audit_head WHERE id = %s
"""
_FOUND: Final = f"""
SELECT xid, id, {COLUMNS} FROM audit_auditevent AS event
WHERE (xid, id) > (%(xid)s::text::xid8, %(id)s) AND
"""  # noqa: S608  # own words only
_SEEN: Final = "pg_visible_in_snapshot(xid, %(target)s::pg_snapshot)"
_SINCE: Final = f"{_FOUND} {_SEEN} AND xid >= %(since)s::text::xid8"
_LATE: Final = f"{_FOUND} {_SEEN} AND xid = ANY(%(late)s::text[]::xid8[])"
# After a restore on another server its numbers mean nothing; what is sealed does.
_FOREIGN: Final = f"""
{_FOUND} NOT EXISTS (SELECT FROM audit_leaf WHERE event_pk = event.id)
"""
_TAKE: Final = """
WITH found AS MATERIALIZED (
    {found} ORDER BY xid, id LIMIT %(batch)s
), numbered AS (
    INSERT INTO audit_leaf (leaf_index, event_pk)
    SELECT %(size)s - 1 + row_number() OVER (ORDER BY xid, id), id FROM found
)
SELECT * FROM found ORDER BY xid, id
"""


@dataclass(frozen=True)
class Moment:
    """What a pass sees.

    Attributes:
        now: the snapshot of the database.
        system_id: which server this is; transaction numbers of others mean nothing.
    """

    now: str
    system_id: int


def has_news(head_id: int) -> tuple[int, bool]:
    """Look in one cheap query whether there is something to do.

    Returns:
        The number of sealed events, -1 before the first pass, and the answer.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HAS_NEWS, [head_id])
        return cursor.fetchone() or (-1, True)


def lock_head(head_id: int) -> tuple[Head, Moment] | None:
    """Take the lock of the head and the snapshot of this pass, in this order of words.

    Should another sealer commit between the two, the database refuses this pass.

    Returns:
        None while another sealer is at work.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute(_LOCK_HEAD, [head_id])
        found = cursor.fetchone()
    if found is None:
        return None
    return Head.objects.get(pk=found[0]), Moment(*found[1:])


def take(head: Head, moment: Moment, batch: int) -> Iterator[Sequence[Any]]:
    """Give the next new events their leaves and read them.

    Yields:
        The transaction of each, in eight bytes, and what `proofread` reads.
    """
    statement, values = _statement(head, moment, batch)
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        yield from cursor.stream(statement, values, binary=True, size=CHUNK)


def _statement(head: Head, moment: Moment, batch: int) -> tuple[str, dict[str, Any]]:
    _, since, running = head.previous.split(":")
    late = running.split(",") if running else []
    is_foreign = head.system_id not in {None, moment.system_id}
    news = f"{_SINCE} UNION ALL {_LATE}" if late else _SINCE
    return _TAKE.format(found=_FOREIGN if is_foreign else news), {
        "since": since,
        "late": late,
        "target": head.target or moment.now,
        "xid": str(head.cursor_xid),
        "id": head.cursor_id,
        "size": head.size,
        "batch": batch,
    }
