"""The tree in the database: full tiles in rows, the unfinished ones in the head."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from django.db import connection

from apps.audit.models import Head, Tile
from apps.audit.signing import CannotSeal
from apps.audit.transparency.tiles import (
    TILE_BYTES,
    TILE_HEIGHT,
    Coordinates,
    ReadTile,
    hashes_in,
    new_tiles,
)
from apps.audit.transparency.tree import root_at

REMEMBERED_TILES: Final = 64

_KEEP_TILES: Final = """
INSERT INTO audit_tile (level, index, hashes)
SELECT * FROM unnest(%s::smallint[], %s::bigint[], %s::bytea[])
"""


def reader(head: Head) -> ReadTile:
    """Read the tiles of the tree, the unfinished ones out of its head."""
    unfinished = _unfinished(head)

    @lru_cache(maxsize=REMEMBERED_TILES)
    def read_tile(level: int, index: int) -> bytes:
        if (level, index) in unfinished:
            return unfinished[level, index]
        tile = Tile.objects.filter(level=level, index=index).first()
        return bytes(tile.hashes) if tile else b""

    return read_tile


def root_of(head: Head, size: int) -> bytes:
    """Compute the root that the tree had when it held `size` leaves.

    Raises:
        CannotSeal: parts of the tree are missing.
    """
    try:
        return root_at(size, hashes_in(reader(head)))
    except ValueError as error:
        raise CannotSeal(f"The tree in the database was rewritten: {error}") from error


def grow(head: Head, hashes: list[bytes]) -> None:
    """Add leaves to the tree; the head is changed but not saved."""
    tiles = _unfinished(head) | new_tiles(head.size, hashes, reader(head))
    head.size += len(hashes)
    head.edge = _edge(head.size, tiles)
    full = {place: tile for place, tile in tiles.items() if len(tile) == TILE_BYTES}
    if full:
        levels, indexes = zip(*full, strict=True)
        with connection.cursor() as cursor:
            cursor.execute(
                _KEEP_TILES, [list(levels), list(indexes), list(full.values())]
            )


def _unfinished(head: Head) -> dict[Coordinates, bytes]:
    return {
        (level, head.size >> TILE_HEIGHT * (level + 1)): bytes(hashes)
        for level, hashes in enumerate(head.edge)
    }


def _edge(size: int, tiles: dict[Coordinates, bytes]) -> list[bytes]:
    """List the unfinished tile of each level, empty where a level is just full."""
    edge, level = [], 0
    while size >> TILE_HEIGHT * level:
        edge.append(tiles.get((level, size >> TILE_HEIGHT * (level + 1)), b""))
        level += 1
    return edge
