"""The tree cut into tiles (C2SP tlog-tiles): where hashes lie and which tiles grow.

A tile of level L holds up to 256 roots of perfect subtrees of 256**L leaves each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256

from apps.audit.transparency.tree import HASH_BYTES, NODE, GetHash

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
TILE_BYTES = TILE_WIDTH * HASH_BYTES
_PATH_BASE = 1000
_INDEX_PATH = re.compile(r"((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")

Coordinates = tuple[int, int]
"""Level and index of a tile."""

ReadTile = Callable[[int, int], bytes]
"""Gives the hashes of the tile `(level, index)`, as many as are stored."""


def tile_width(level: int, index: int, size: int) -> int:
    """Count the hashes of this tile in a tree of `size` leaves; 256 is a full tile."""
    return max(0, min(TILE_WIDTH, (size >> TILE_HEIGHT * level) - index * TILE_WIDTH))


def tile_coordinates(size: int) -> Iterator[Coordinates]:
    """List all tiles of a tree of `size` leaves, level by level."""
    level, count = 0, size
    while count:
        for index in range(-(-count // TILE_WIDTH)):
            yield level, index
        level, count = level + 1, count >> TILE_HEIGHT


def tile_path(level: int | str, index: int, width: int = TILE_WIDTH) -> str:
    """Name the file of a tile; level "entries" names the bundle of its leaves."""
    digits, rest = f"{index % _PATH_BASE:03}", index // _PATH_BASE
    while rest:
        digits, rest = f"x{rest % _PATH_BASE:03}/{digits}", rest // _PATH_BASE
    partial = f".p/{width}" if width < TILE_WIDTH else ""
    return f"tile/{level}/{digits}{partial}"


def parse_tile_path(path: str) -> tuple[int, int]:
    """Read the end of a tile's name, behind the level: its index and its width.

    Raises:
        ValueError: it is not in its one allowed spelling.
    """
    found = _INDEX_PATH.fullmatch(path)
    if found is not None:
        index = int(re.sub("[x/]", "", found[1]))
        width = int(found[2] or TILE_WIDTH)
        if tile_path(0, index, width) == f"tile/0/{path}":
            return index, width
    raise ValueError(f"No name of a tile: {path[:60]!r}.")


def new_tiles(
    old_size: int, leaf_hashes: Iterable[bytes], read_tile: ReadTile
) -> dict[Coordinates, bytes]:
    """Compute every tile that changes when leaves are added.

    Args:
        old_size: number of leaves before.
        leaf_hashes: the hashes of the new leaves, in order.
        read_tile: asked only for the partial tiles at the old right edge.

    Returns:
        Hashes by coordinates; the last tile of a level may be partial.
    """
    tiles: dict[Coordinates, bytes] = {}
    level, count, added = 0, old_size, b"".join(leaf_hashes)
    while added:
        index, kept = divmod(count, TILE_WIDTH)
        hashes = read_tile(level, index)[: kept * HASH_BYTES] if kept else b""
        if len(hashes) != kept * HASH_BYTES:
            raise ValueError(f"Tile {level}/{index} holds less than {kept} hashes.")
        grown = list(_cut(hashes + added, TILE_BYTES))
        tiles |= {(level, index + step): tile for step, tile in enumerate(grown)}
        added = b"".join(subtree(tile) for tile in grown if len(tile) == TILE_BYTES)
        level, count = level + 1, count >> TILE_HEIGHT
    return tiles


def subtree(hashes: bytes) -> bytes:
    """Compute the root of a perfect subtree from its hashes, a power of two of them."""
    while len(hashes) > HASH_BYTES:
        pairs = _cut(hashes, 2 * HASH_BYTES)
        hashes = b"".join([sha256(NODE + pair).digest() for pair in pairs])
    return hashes


def hashes_in(read_tile: ReadTile) -> GetHash:
    """Answer for every perfect subtree out of the tiles, as the proofs need it."""

    def get_hash(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, TILE_HEIGHT)
        tile, position = divmod(index << height, TILE_WIDTH)
        start, length = position * HASH_BYTES, HASH_BYTES << height
        hashes = read_tile(tile_level, tile)[start : start + length]
        if len(hashes) != length:
            raise ValueError(f"Tile {tile_level}/{tile} lacks hashes.")
        return subtree(hashes)

    return get_hash


def _cut(joined: bytes, length: int) -> Iterator[bytes]:
    return (joined[start : start + length] for start in range(0, len(joined), length))
