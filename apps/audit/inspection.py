"""Look again at what is sealed: is every event still what the signed tree holds?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from django.db import DataError, connection, transaction
from django.db.models import Max, Min

from apps.audit.body import flaw_inside, hash_of
from apps.audit.models import AuditEvent, Head, Leaf
from apps.audit.pickup import begin
from apps.audit.proofreading import COLUMNS, proofread
from apps.audit.retention.queries import pruned_segments
from apps.audit.sealer import HEAD_ID, accepted_among
from apps.audit.stored_tree import reader
from apps.audit.transparency.tiles import (
    TILE_BYTES,
    TILE_WIDTH,
    ReadTile,
    subtree,
)
from apps.audit.transparency.tree import HASH_BYTES

CHUNK: Final = 16 * TILE_WIDTH  # events of a piece: some hundredths of a second

_SEALED: Final = f"""
SELECT leaf_index, event.id, {COLUMNS}
FROM audit_leaf JOIN audit_auditevent AS event ON event.id = event_pk
WHERE leaf_index >= %(start)s AND leaf_index < %(end)s ORDER BY leaf_index
"""  # noqa: S608  # own words only
# Events that the sealer has passed and yet did not see, or never could see: they were
# put in with a transaction number that is not their own.
_SLIPPED_IN: Final = """
SELECT id FROM audit_auditevent AS event
WHERE id > %(after)s AND id <= %(upto)s
    AND (pg_visible_in_snapshot(xid, %(previous)s::pg_snapshot)
        OR xid >= pg_snapshot_xmax(pg_current_snapshot()))
    AND NOT EXISTS (SELECT FROM audit_leaf WHERE event_pk = event.id)
ORDER BY id LIMIT 10
"""


def inspect() -> Iterator[list[str]]:
    """Compare the whole trail with its tree, a piece at each step.

    Yields:
        What is wrong with the piece, in sentences; none when nothing.
    """
    start = after = 0
    while start < _head().size:
        yield sealed_piece(start)
        start += CHUNK
    while after < _last_event():
        yield slipped_in(after)
        after += CHUNK


@transaction.atomic
def sealed_piece(start: int) -> list[str]:
    """Compare the events of the leaves from `start` with the tree."""
    begin()
    head = _head()
    end = min(start + CHUNK, head.size)
    read_tile = reader(head)
    tiles = range(start // TILE_WIDTH, -(-end // TILE_WIDTH))
    pruned = pruned_segments()
    gone = {index for one in pruned for index in one.tiles}
    flaws = [
        _flaw_above(head.size, index // TILE_WIDTH, read_tile, level=1)
        if index in gone
        else _flaw_above(head.size, index, read_tile)
        for index in tiles
    ]
    flaws.append(_leaf_outside(head.size))
    leaves = [i for i in range(start, end) if i // TILE_WIDTH not in gone]
    return [*filter(None, flaws), *_flaws_of_leaves(leaves, read_tile)]


@transaction.atomic
def slipped_in(after: int) -> list[str]:
    """Look for events that were put in behind the back of the sealer."""
    begin()
    with connection.cursor() as cursor:
        cursor.execute(
            _SLIPPED_IN,
            {"after": after, "upto": after + CHUNK, "previous": _head().previous},
        )
        found = cursor.fetchall()
    return [
        f"Audit event {pk} was put in by other means than the portal's."
        for (pk,) in found
    ]


def _leaf_outside(size: int) -> str:
    ends = Leaf.objects.aggregate(first=Min("leaf_index"), last=Max("leaf_index"))
    for index in (ends["first"] or 0, ends["last"] or 0):
        if index < 0 or index >= size > 0:
            return f"Leaf {index} was put in; the tree ends at {size}."
    return ""


def _flaws_of_leaves(leaves: list[int], read_tile: ReadTile) -> Iterator[str]:
    if not leaves:
        return
    start, end = leaves[0], leaves[-1] + 1
    first = start // TILE_WIDTH
    sealed = b"".join(
        read_tile(0, index).ljust(TILE_BYTES, b"\0")
        for index in range(first, -(-end // TILE_WIDTH))
    )
    sound = set()
    found = proofread(_SEALED, {"start": start, "end": end})
    for proof in chain.from_iterable(found):
        place = (proof.place - first * TILE_WIDTH) * HASH_BYTES
        if proof.is_sound and proof.leaf_hash == sealed[place : place + HASH_BYTES]:
            sound.add(proof.place)
    yield from _flaws_among([i for i in leaves if i not in sound], read_tile)


def _flaws_among(indexes: list[int], read_tile: ReadTile) -> Iterator[str]:
    """Find the words for those that are not as they were sealed."""
    leaves = Leaf.objects.filter(leaf_index__in=indexes)
    places = dict(leaves.values_list("leaf_index", "event_id"))
    try:
        events = AuditEvent.objects.in_bulk(places.values())
    except DataError as error:  # no value that the portal could have written
        yield f"Sealed event {indexes[0]}, or one of the next: {error}."
        return
    for index in indexes:
        tile, position = divmod(index, TILE_WIDTH)
        sealed = read_tile(0, tile)[position * HASH_BYTES :][:HASH_BYTES]
        if flaw := _flaw_of_leaf(events.get(places.get(index, 0)), sealed):
            place = places.get(index, "unknown")
            yield f"Sealed event {index} (audit event {place}) {flaw}."


def _flaw_of_leaf(event: AuditEvent | None, sealed: bytes) -> str:
    if event is None:
        return "was removed"
    text_is_sealed = hash_of(event.body) == sealed
    flaw = flaw_inside(event)
    if text_is_sealed and (not flaw or accepted_among([event])):
        return ""
    if bytes(event.leaf_hash) != sealed:
        return f"was exchanged: its hash is not the sealed {sealed.hex()[:16]}…"
    return f"was changed after it was sealed: {flaw}"


def _flaw_above(size: int, index: int, read_tile: ReadTile, *, level: int = 0) -> str:
    """Compare a tile with its parent, that one with its own, up to the edge."""
    while len(tile := read_tile(level, index)) == TILE_BYTES:
        parent, position = divmod(index, TILE_WIDTH)
        above = read_tile(level + 1, parent)[position * HASH_BYTES :][:HASH_BYTES]
        if subtree(tile) != above:
            return f"Tile {level}/{index} of the tree was changed."
        level, index = level + 1, parent
    is_whole = (index + 1) * TILE_WIDTH <= size >> 8 * level
    return f"Tile {level}/{index} of the tree was removed." if is_whole else ""


def _last_event() -> int:
    return AuditEvent.objects.aggregate(last=Max("pk"))["last"] or 0


def _head() -> Head:
    return Head.objects.get(pk=HEAD_ID)
