"""The Merkle tree of RFC 6962: hashes, the growing edge, and both kinds of proof."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_BYTES = 32
SIZE_BYTES = 8
LEAF, NODE = b"\x00", b"\x01"  # first byte of what is hashed
EMPTY_ROOT = sha256(b"").digest()

GetHash = Callable[[int, int], bytes]
"""Asks for the root of the perfect subtree `(level, index)`, which covers the leaves
from `index * 2**level` up to `(index + 1) * 2**level`."""


class InvalidProof(ValueError):
    """The proof does not show what it is said to show."""


def leaf_hash(body: bytes) -> bytes:
    """Hash one leaf; no leaf can be passed off as an inner node."""
    return sha256(LEAF + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbouring subtrees into their parent."""
    return sha256(NODE + left + right).digest()


def fold(roots: Sequence[bytes]) -> bytes:
    """Join the roots of perfect subtrees, largest first, into one root."""
    if not roots:
        return EMPTY_ROOT
    joined = roots[-1]
    for left in reversed(roots[:-1]):
        joined = node_hash(left, joined)
    return joined


class Edge:
    """All that a tree must remember to grow: one root for each perfect subtree.

    Attributes:
        size: number of leaves.
    """

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        joined, carry = leaf, self.size
        while carry & 1:
            joined = node_hash(self._roots.pop(), joined)
            carry >>= 1
        self._roots.append(joined)
        self.size += 1

    def root(self) -> bytes:
        """Compute the root of the whole tree."""
        return fold(self._roots)

    def to_bytes(self) -> bytes:
        """Write size and roots, 8 + 32 × (ones in the size) bytes."""
        return self.size.to_bytes(SIZE_BYTES, "big") + b"".join(self._roots)

    @classmethod
    def from_bytes(cls, stored: bytes) -> Edge:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: the length does not fit the size.
        """
        edge = cls()
        edge.size = int.from_bytes(stored[:SIZE_BYTES], "big")
        if len(stored) != SIZE_BYTES + HASH_BYTES * edge.size.bit_count():
            raise ValueError(f"No edge of a tree: {len(stored)} bytes.")
        edge._roots = [
            stored[start : start + HASH_BYTES]
            for start in range(SIZE_BYTES, len(stored), HASH_BYTES)
        ]
        return edge


def root_at(size: int, get_hash: GetHash) -> bytes:
    """Compute the root that the tree had when it held `size` leaves."""
    return _root_of(0, size, get_hash)


def inclusion_proof(index: int, size: int, get_hash: GetHash) -> list[bytes]:
    """Prove that leaf `index` is in the tree of `size` leaves.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"No leaf {index} in a tree of {size}.")
    start, end, proof = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_root_of(middle, end, get_hash))
            end = middle
        else:
            proof.append(_root_of(start, middle, get_hash))
            start = middle
    return proof[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that the leaf with this hash is leaf `index` of the tree.

    Raises:
        InvalidProof: it is not, or the proof does not show it.
    """
    if not 0 <= index < size:
        raise InvalidProof(f"No leaf {index} in a tree of {size}.")
    position, last, joined = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise InvalidProof("The proof is too long.")
        if position & 1 or position == last:
            joined = node_hash(sibling, joined)
            position, last = _climb(position, last)
        else:
            joined = node_hash(joined, sibling)
        position, last = position >> 1, last >> 1
    if last != 0 or joined != root:
        raise InvalidProof("The proof leads to another root.")


def consistency_proof(old: int, new: int, get_hash: GetHash) -> list[bytes]:
    """Prove that the tree of `new` leaves begins with the tree of `old` leaves.

    Raises:
        ValueError: the old tree is the larger one.
    """
    if not 0 <= old <= new:
        raise ValueError(f"A tree of {new} cannot continue a tree of {old}.")
    start, end, proof = 0, new, []
    while old not in (0, end):
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(_root_of(middle, end, get_hash))
            end = middle
        else:
            proof.append(_root_of(start, middle, get_hash))
            start = middle
    if start:
        proof.append(_root_of(start, end, get_hash))
    return proof[::-1]


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that the new tree continues the old one.

    Raises:
        InvalidProof: it does not, or the proof does not show it.
    """
    if not 0 <= old <= new:
        raise InvalidProof(f"A tree of {new} cannot continue a tree of {old}.")
    if old in (0, new):
        begin = EMPTY_ROOT if old == 0 else new_root
        if proof or old_root != begin:
            raise InvalidProof("The roots of the two trees contradict each other.")
        return
    if (old_root, new_root) != _roots_from(old, new, proof, old_root):
        raise InvalidProof("The proof leads to another root.")


def _roots_from(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes
) -> tuple[bytes, bytes]:
    """Compute the old and the new root from a consistency proof (RFC 9162, 2.1.4.2)."""
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        raise InvalidProof("The proof is too short.")
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    older = newer = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise InvalidProof("The proof is too long.")
        if position & 1 or position == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            position, last = _climb(position, last)
        else:
            newer = node_hash(newer, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise InvalidProof("The proof is too short.")
    return older, newer


def _climb(position: int, last: int) -> tuple[int, int]:
    """Skip the levels at which a last node without sibling is passed up unchanged."""
    while position and not position & 1:
        position, last = position >> 1, last >> 1
    return position, last


def _split(count: int) -> int:
    """Find the largest power of two below `count`, where RFC 6962 parts a subtree."""
    return 1 << ((count - 1).bit_length() - 1)


def _root_of(start: int, end: int, get_hash: GetHash) -> bytes:
    """Hash the leaves from `start` up to `end`, a subtree as RFC 6962 parts them."""
    roots = []
    while start < end:
        level = (end - start).bit_length() - 1
        roots.append(get_hash(level, start >> level))
        start += 1 << level
    return fold(roots)
