"""A tree of which old parts were removed: what stays, and what it still proves.

A segment is a perfect subtree that fills whole tiles. When its leaves and its tiles of
level 0 are gone, its hash stays in the tiles above, so that the root and every proof
about other leaves are what they were. C2SP tlog-tiles calls the first leaf that is
still there the minimum index; here later segments may be missing too, or held back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from apps.audit.transparency.tiles import TILE_WIDTH, ReadTile
from apps.audit.transparency.tree import GetHash, inclusion_proof, verify_inclusion

SEGMENT_LEAVES = 65_536  # one full tile of level 1


@dataclass(frozen=True, order=True)
class Pruned:
    """A segment that is no longer there.

    Attributes:
        first_leaf: its first leaf.
        last_leaf: its last leaf.
        archive_sha256: digest of the file that has it, in hexadecimal.
    """

    first_leaf: int
    last_leaf: int
    archive_sha256: str = ""

    def __contains__(self, leaf: int) -> bool:
        return self.first_leaf <= leaf <= self.last_leaf

    @property
    def tiles(self) -> range:
        """The indexes of its tiles of level 0."""
        return range(self.first_leaf // TILE_WIDTH, self.last_leaf // TILE_WIDTH + 1)


def segment_count(size: int, *, leaves: int = SEGMENT_LEAVES) -> int:
    """Count the complete segments of a tree."""
    return size // leaves


def segment_leaves(number: int, *, leaves: int = SEGMENT_LEAVES) -> range:
    """Give the leaves of a segment.

    Raises:
        ValueError: a segment of so many leaves is no subtree of whole tiles.
    """
    if leaves < TILE_WIDTH or leaves & (leaves - 1):
        raise ValueError(f"{leaves} leaves are no subtree of whole tiles.")
    return range(number * leaves, (number + 1) * leaves)


def segment_root(span: range, get_hash: GetHash) -> bytes:
    """Give the hash of a segment, which stays when it is removed."""
    height = _height(span)
    return get_hash(height, span.start >> height)


def segment_proof(span: range, size: int, get_hash: GetHash) -> list[bytes]:
    """Prove that a segment is in the tree of `size` leaves, while it is still there."""
    return inclusion_proof(span.start, size, get_hash)[_height(span) :]


def verify_segment(
    root_of_segment: bytes, span: range, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that the segment with this hash is in the tree.

    Above the segment its hash is like that of a leaf, of a tree as many times smaller.

    Raises:
        InvalidProof: it is not, or the proof does not show it.
    """
    height = _height(span)
    count = ((size - 1) >> height) + 1
    verify_inclusion(root_of_segment, span.start >> height, count, proof, root)


def minimum_index(pruned: Iterable[Pruned]) -> int:
    """Give the first leaf before which nothing is left (C2SP tlog-tiles)."""
    least = 0
    for one in sorted(pruned):
        if least in one:
            least = one.last_leaf + 1
    return least


def kept_ranges(size: int, pruned: Iterable[Pruned]) -> Iterator[range]:
    """List the runs of leaves that are still there, in order."""
    gone = [
        (0, 0),
        *((one.first_leaf, one.last_leaf + 1) for one in sorted(pruned)),
        (size, size),
    ]
    for (_, end), (start, _) in pairwise(gone):
        if end < min(start, size):
            yield range(end, min(start, size))


def without(read_tile: ReadTile, pruned: Sequence[Pruned]) -> ReadTile:
    """Read a tree as it is once these segments are removed."""
    gone = {index for one in pruned for index in one.tiles}

    def read_what_is_left(level: int, index: int) -> bytes:
        return b"" if level == 0 and index in gone else read_tile(level, index)

    return read_what_is_left


def _height(span: range) -> int:
    return len(span).bit_length() - 1
