"""Find what was committed since the last pass, and give each event its leaf.

An event is new when the snapshot `previous` did not show it: its transaction was still
open then, or began later. Both are ranges of one index, so that neither what is sealed
nor an old open transaction makes a pass longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from psycopg import Cursor

from apps.audit.models import Head
from apps.audit.proofreading import COLUMNS, Proof, proofread, session

# Whatever the planner believes of a table that grew since it was counted: the ranges of
# the index are short, and the rest of the table is long.
_BEGIN: Final = """
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SET LOCAL work_mem = '32MB';
"""
_LOCK_HEAD: Final = """
SELECT id, pg_current_snapshot()::text,
    (SELECT system_identifier FROM pg_control_system())
FROM audit_head WHERE id = %s FOR UPDATE SKIP LOCKED
"""
_HAS_NEWS: Final = """
SELECT size, target <> ''
    OR system_id IS DISTINCT FROM (SELECT system_identifier FROM pg_control_system())
    OR pg_snapshot_xmax(previous::pg_snapshot)
        <= (SELECT xid FROM audit_auditevent ORDER BY xid DESC, id DESC LIMIT 1)
    OR EXISTS (SELECT FROM pg_snapshot_xip(previous::pg_snapshot) AS late, LATERAL (
        SELECT FROM audit_auditevent WHERE xid = late ORDER BY id LIMIT 1) AS event)
FROM audit_head WHERE id = %s
"""
_RANGE: Final = f"""
(SELECT xid, id, {COLUMNS} FROM audit_auditevent AS event
WHERE (xid, id) > (%(xid)s::text::xid8, %(id)s) AND {{range}}
ORDER BY xid, id LIMIT %(batch)s)
"""  # noqa: S608  # own words only
_IS_SEEN: Final = "pg_visible_in_snapshot(xid, %(target)s::pg_snapshot)"
_SINCE: Final = _RANGE.format(range=f"{_IS_SEEN} AND xid >= %(since)s::text::xid8")
_LATE: Final = _RANGE.format(
    range=f"{_IS_SEEN} AND xid = ANY(%(late)s::text[]::xid8[])"
)
# After a restore on another server its numbers mean nothing; what is sealed does.
_FOREIGN: Final = _RANGE.format(
    range="NOT EXISTS (SELECT FROM audit_leaf WHERE event_pk = event.id)"
)
_FIND: Final = "SELECT * FROM ({found}) AS event ORDER BY xid, id LIMIT %(batch)s"
_NUMBER: Final = """
INSERT INTO audit_leaf (leaf_index, event_pk)
SELECT %s - 1 + place, pk FROM unnest(%s::bigint[]) WITH ORDINALITY AS new (pk, place)
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


def begin() -> None:
    """Set up a transaction that sees one snapshot and walks along indexes only."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN)


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
    begin()
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_HEAD, [head_id])
        found = cursor.fetchone()
    if found is None:
        return None
    return Head.objects.get(pk=found[0]), Moment(*found[1:])


def take(head: Head, moment: Moment, batch: int) -> Iterator[list[Proof]]:
    """Read the next new events, some hundred at a time, and give them their leaves.

    Yields:
        What was read of each; its place is the transaction that wrote it, in bytes.
    """
    leaf = head.size
    for proofs in proofread(*statement(head, moment, batch)):
        numbers = [proof.pk for proof in proofs]
        Cursor(session()).execute(_NUMBER, [leaf, numbers], prepare=True)
        leaf += len(proofs)
        yield proofs


def statement(head: Head, moment: Moment, batch: int) -> tuple[str, dict[str, Any]]:
    """Write the statement that finds the next new events, in the order of leaves."""
    _, since, running = head.previous.split(":")
    ranges = [_SINCE, _LATE] if running else [_SINCE]
    if head.system_id not in {None, moment.system_id}:
        ranges = [_FOREIGN]
    return _FIND.format(found=" UNION ALL ".join(ranges)), {
        "since": since,
        "late": running.split(","),
        "target": head.target or moment.now,
        "xid": str(head.cursor_xid),
        "id": head.cursor_id,
        "batch": batch,
    }
