import random

import pytest

from apps.audit.transparency import tree
from apps.audit.transparency.tree import Edge, InvalidProof
from tests.audit.transparency import reference

SMALL = 34

# The leaves and roots that the first implementation of RFC 6962 is tested with.
KNOWN_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
KNOWN_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

# Proofs that the same tests know, from the eight leaves above; leaves count from 0.
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
KNOWN_INCLUSION = [
    (0, 1, []),
    (0, 8, [A, B, C]),
    (5, 8, [D, E, KNOWN_ROOTS[4]]),
    (2, 3, [KNOWN_ROOTS[2]]),
    (1, 5, [KNOWN_ROOTS[1], B, D]),
]
KNOWN_CONSISTENCY = [
    (1, 1, []),
    (1, 8, [A, B, C]),
    (6, 8, [F, E, KNOWN_ROOTS[4]]),
    (2, 5, [B, D]),
]


def bodies(count):
    return [b"event %d" % number for number in range(count)]


def edge_of(leaves):
    edge = Edge()
    for leaf in leaves:
        edge.append(tree.leaf_hash(leaf))
    return edge


def nodes_of(leaves):
    """Answers for perfect subtrees by hashing their leaves."""

    def get_hash(level, index):
        start = index << level
        assert start + (1 << level) <= len(leaves), "no perfect subtree"
        return reference.root(leaves[start : start + (1 << level)])

    return get_hash


@pytest.mark.parametrize("size", range(len(KNOWN_ROOTS)))
def test_root_is_the_published_one(size):
    assert edge_of(KNOWN_LEAVES[:size]).root().hex() == KNOWN_ROOTS[size]


@pytest.mark.parametrize(("index", "size", "expected"), KNOWN_INCLUSION)
def test_inclusion_proof_is_the_published_one(index, size, expected):
    proof = tree.inclusion_proof(index, size, nodes_of(KNOWN_LEAVES))

    assert [one.hex() for one in proof] == expected


@pytest.mark.parametrize(("old", "new", "expected"), KNOWN_CONSISTENCY)
def test_consistency_proof_is_the_published_one(old, new, expected):
    proof = tree.consistency_proof(old, new, nodes_of(KNOWN_LEAVES))

    assert [one.hex() for one in proof] == expected


def test_root_of_random_sizes_is_the_defined_one():
    for size in [*range(SMALL), *random.choices(range(2000), k=10)]:
        leaves = bodies(size)

        assert edge_of(leaves).root() == reference.root(leaves)
        assert tree.root_at(size, nodes_of(leaves)) == reference.root(leaves)


def test_edge_survives_being_stored_between_any_two_leaves():
    edge, leaves = Edge(), bodies(300)
    for leaf in leaves:
        edge = Edge.from_bytes(edge.to_bytes())
        edge.append(tree.leaf_hash(leaf))

    assert edge.size == len(leaves)
    assert edge.root() == reference.root(leaves)


@pytest.mark.parametrize("stored", [b"", b"\x00" * 7, b"\x00" * 40, b"\xff" * 8])
def test_edge_of_another_length_is_refused(stored):
    with pytest.raises(ValueError, match="No edge"):
        Edge.from_bytes(stored)


def test_every_inclusion_proof_is_the_defined_one_and_holds():
    for size in range(1, SMALL):
        leaves = bodies(size)
        root = reference.root(leaves)
        for index, leaf in enumerate(leaves):
            proof = tree.inclusion_proof(index, size, nodes_of(leaves))

            assert proof == reference.path(index, leaves)
            tree.verify_inclusion(tree.leaf_hash(leaf), index, size, proof, root)


def test_every_consistency_proof_is_the_defined_one_and_holds():
    for new in range(SMALL):
        leaves = bodies(new)
        root = reference.root(leaves)
        for old in range(new + 1):
            proof = tree.consistency_proof(old, new, nodes_of(leaves))

            if old:
                assert proof == reference.proof(old, leaves)
            begin = reference.root(leaves[:old])
            tree.verify_consistency(old, new, proof, begin, root)


def test_large_proofs_are_the_defined_ones():
    leaves = bodies(1500)
    for _ in range(5):
        index, old = random.randrange(1500), random.randrange(1, 1500)
        nodes = nodes_of(leaves)

        inclusion = tree.inclusion_proof(index, 1500, nodes)
        consistency = tree.consistency_proof(old, 1500, nodes)

        assert inclusion == reference.path(index, leaves)
        assert consistency == reference.proof(old, leaves)


def spoiled(proof):
    """Every way to lose, double, add or change one hash of a proof."""
    for place in range(len(proof)):
        changed = bytes([proof[place][0] ^ 1]) + proof[place][1:]
        yield [*proof[:place], *proof[place + 1 :]]
        yield [*proof[:place], proof[place], *proof[place:]]
        yield [*proof[:place], changed, *proof[place + 1 :]]
    yield [*proof, bytes(32)]


def test_a_spoiled_inclusion_proof_never_holds():
    for size in range(1, 18):
        leaves = bodies(size)
        root = reference.root(leaves)
        for index, leaf in enumerate(leaves):
            hashed = tree.leaf_hash(leaf)
            proof = reference.path(index, leaves)
            for wrong in spoiled(proof):
                with pytest.raises(InvalidProof):
                    tree.verify_inclusion(hashed, index, size, wrong, root)
            for other in {*range(-1, size + 1)} - {index}:
                with pytest.raises(InvalidProof):
                    tree.verify_inclusion(hashed, other, size, proof, root)


def test_a_spoiled_consistency_proof_never_holds():
    for new in range(18):
        leaves = bodies(new)
        root = reference.root(leaves)
        for old in range(new + 1):
            begin = reference.root(leaves[:old])
            proof = tree.consistency_proof(old, new, nodes_of(leaves))
            for wrong in spoiled(proof):
                with pytest.raises(InvalidProof):
                    tree.verify_consistency(old, new, wrong, begin, root)
            with pytest.raises(InvalidProof):
                tree.verify_consistency(old, new, proof, bytes(32), root)
            if old:  # an empty tree is the beginning of every tree
                with pytest.raises(InvalidProof):
                    tree.verify_consistency(old, new, proof, begin, bytes(32))


def test_an_empty_proof_of_growth_never_holds():
    with pytest.raises(InvalidProof, match="too short"):
        tree.verify_consistency(3, 5, [], bytes(32), bytes(32))


def test_proofs_outside_the_tree_are_refused():
    with pytest.raises(ValueError, match="No leaf 3"):
        tree.inclusion_proof(3, 3, nodes_of(bodies(3)))
    with pytest.raises(ValueError, match="cannot continue"):
        tree.consistency_proof(4, 3, nodes_of(bodies(3)))
    with pytest.raises(InvalidProof):
        tree.verify_consistency(4, 3, [], bytes(32), bytes(32))
