import random
from functools import partial

import pytest

from apps.audit.transparency import tiles, tree
from tests.audit.transparency import reference


@pytest.mark.parametrize(
    ("coordinates", "path"),
    [
        ((0, 0), "tile/0/000"),
        ((0, 999), "tile/0/999"),
        ((1, 1234067), "tile/1/x001/x234/067"),
        ((2, 1000), "tile/2/x001/000"),
        ((0, 7, 112), "tile/0/007.p/112"),
        (("entries", 1000, 1), "tile/entries/x001/000.p/1"),
    ],
)
def test_tile_path_is_that_of_the_specification(coordinates, path):
    assert tiles.tile_path(*coordinates) == path


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("000", (0, 256)),
        ("999.p/1", (999, 1)),
        ("x001/x234/067.p/255", (1234067, 255)),
    ],
)
def test_the_path_of_a_tile_is_read_back(path, place):
    assert tiles.parse_tile_path(path) == place
    assert tiles.tile_path(0, *place) == f"tile/0/{path}"


@pytest.mark.parametrize(
    "path",
    [
        *("", "0", "0000", "x000/001", "x1/234", "001/234", "x001/x234", "../001"),
        *("001.p/0", "001.p/05", "001.p/256", "001.p/999", "001.p/", "001.p/1.p/2"),
        *("\N{ARABIC-INDIC DIGIT ZERO}01", "001 ", "001\n", "x001/" * 9 + "001"),
    ],
)
def test_any_other_path_is_no_tile(path):
    with pytest.raises(ValueError, match="No name of a tile"):
        tiles.parse_tile_path(path)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, {}),
        (1, {(0, 0): 1}),
        (256, {(0, 0): 256, (1, 0): 1}),
        (70_000, {(0, 273): 112, (1, 0): 256, (1, 1): 17, (2, 0): 1}),
    ],
)
def test_tiles_of_a_size_have_the_specified_widths(size, expected):
    found = {one: tiles.tile_width(*one, size) for one in tiles.tile_coordinates(size)}

    assert expected.items() <= found.items()
    assert all(0 < width <= 256 for width in found.values())
    assert sum(width for (level, _), width in found.items() if level == 0) == size
    assert tiles.tile_width(0, 500, size) == 0


def read_from(stored, level, index):
    return stored[level, index]


def grow(batches):
    """Tiles after leaves came in batches; leaf hashes of all."""
    stored, hashes, size = {}, [], 0
    for batch in batches:
        added = [tree.leaf_hash(b"%d" % (size + step)) for step in range(batch)]
        stored.update(tiles.new_tiles(size, added, partial(read_from, stored)))
        hashes, size = hashes + added, size + batch
    return stored, hashes


def test_tiles_do_not_depend_on_the_batches():
    for _ in range(5):
        batches = random.choices([0, 1, 2, 255, 256, 257, 700, 5000], k=6)

        stored, hashes = grow(batches)
        whole, _ = grow([len(hashes)])

        size = len(hashes)
        widths = {one: len(tile) // 32 for one, tile in stored.items()}
        assert stored == whole
        assert widths == {
            one: tiles.tile_width(*one, size) for one in tiles.tile_coordinates(size)
        }


def test_three_levels_of_tiles_give_root_and_proofs():
    stored, hashes = grow([65_000, 5_000])
    size, edge = len(hashes), tree.Edge()
    for one in hashes:
        edge.append(one)
    get_hash = tiles.hashes_in(partial(read_from, stored))

    assert tree.root_at(size, get_hash) == edge.root()
    for index in [0, 255, 65_535, 65_536, size - 1, *random.choices(range(size), k=30)]:
        proof = tree.inclusion_proof(index, size, get_hash)
        tree.verify_inclusion(hashes[index], index, size, proof, edge.root())
    for old in [1, 256, 65_536, 65_537, size, *random.choices(range(1, size), k=30)]:
        proof = tree.consistency_proof(old, size, get_hash)
        begin = tree.root_at(old, get_hash)
        tree.verify_consistency(old, size, proof, begin, edge.root())


def test_a_full_tile_is_hashed_as_the_definition_says():
    leaves = [b"%d" % number for number in range(256)]
    stored, _ = grow([256])

    assert stored[1, 0] == reference.root(leaves)
    assert tiles.subtree(stored[0, 0]) == reference.root(leaves)


def test_missing_hashes_are_named():
    stored, _ = grow([300])
    stored[0, 1] = stored[0, 1][:-32]

    with pytest.raises(ValueError, match="Tile 0/1"):
        tiles.new_tiles(300, [bytes(32)], partial(read_from, stored))
    with pytest.raises(ValueError, match="Tile 0/1"):
        tiles.hashes_in(partial(read_from, stored))(0, 299)
