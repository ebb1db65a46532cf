"""Random trees of which random complete segments are removed."""

import io
import json
import zipfile
from hashlib import sha256
from random import Random

import pytest

from apps.audit.transparency import bundle
from apps.audit.transparency.archive import (
    Archive,
    DamagedArchive,
    verify_archive,
    write_archive,
)
from apps.audit.transparency.bundle import Contents, write_bundle
from apps.audit.transparency.checkpoint import Checkpoint, format_checkpoint
from apps.audit.transparency.note import Signer, sign_note
from apps.audit.transparency.pruning import (
    Pruned,
    kept_ranges,
    minimum_index,
    segment_count,
    segment_leaves,
    segment_proof,
    segment_root,
    verify_segment,
    without,
)
from apps.audit.transparency.tiles import hashes_in, new_tiles
from apps.audit.transparency.tree import (
    InvalidProof,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_at,
    verify_consistency,
    verify_inclusion,
)

SIGNER = Signer(Signer.generate("test.example/audit/1", b"\7" * 32))
SEEDS = range(25)


def tree_of(bodies: list[str]):
    tiles = new_tiles(0, [leaf_hash(body.encode()) for body in bodies], lambda *_: b"")
    return lambda level, index: tiles.get((level, index), b"")


def random_tree(random: Random) -> tuple[list[str], int, list[Pruned]]:
    """Make a tree, the size of its segments, and some complete ones to remove."""
    leaves = random.choice((256, 512, 1024))
    bodies = [f'{{"n":{n}}}' for n in range(random.randrange(leaves, 5 * leaves))]
    count = segment_count(len(bodies), leaves=leaves)
    gone = random.sample(range(count), random.randint(1, count))
    spans = [segment_leaves(number, leaves=leaves) for number in gone]
    return bodies, leaves, [Pruned(span.start, span.stop - 1) for span in spans]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_root_and_every_proof_of_what_is_left_hold(seed):
    random = Random(seed)
    bodies, _, pruned = random_tree(random)
    whole, size = tree_of(bodies), len(bodies)
    get_hash = hashes_in(without(whole, pruned))

    root = root_at(size, get_hash)

    assert root == root_at(size, hashes_in(whole))
    kept = [leaf for span in kept_ranges(size, pruned) for leaf in span]
    for leaf in random.sample(kept, min(20, len(kept))):
        proof = inclusion_proof(leaf, size, get_hash)
        verify_inclusion(leaf_hash(bodies[leaf].encode()), leaf, size, proof, root)


@pytest.mark.parametrize("seed", SEEDS)
def test_later_and_whole_states_stay_consistent(seed):
    """A proof needs what lies below an old size, unless that ends with a tile."""
    random = Random(seed)
    bodies, _, pruned = random_tree(random)
    whole, size = tree_of(bodies), len(bodies)
    get_hash, root = hashes_in(without(whole, pruned)), root_at(size, hashes_in(whole))

    for old in random.sample(range(1, size + 1), 30):
        is_inside = any(old - 1 in one and old - 1 != one.last_leaf for one in pruned)
        if is_inside and old % 256:
            with pytest.raises(ValueError, match="lacks hashes"):
                consistency_proof(old, size, get_hash)
            continue
        proof = consistency_proof(old, size, get_hash)
        old_root = root_at(old, hashes_in(whole))
        assert root_at(old, get_hash) == old_root
        verify_consistency(old, size, proof, old_root, root)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tree_grows_on_after_it_was_pruned(seed):
    random = Random(seed)
    bodies, _, pruned = random_tree(random)
    more = [f'{{"later":{n}}}' for n in range(random.randrange(1, 600))]
    hashes = [leaf_hash(body.encode()) for body in more]
    left = without(tree_of(bodies), pruned)

    grown = new_tiles(len(bodies), hashes, left)

    both = len(bodies) + len(more)
    get_hash = hashes_in(lambda *where: grown.get(where) or left(*where))
    assert root_at(both, get_hash) == root_at(both, hashes_in(tree_of(bodies + more)))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_segment_leads_to_the_root_by_its_one_hash(seed):
    random = Random(seed)
    bodies, leaves, _ = random_tree(random)
    size, get_hash = len(bodies), hashes_in(tree_of(bodies))
    root = root_at(size, get_hash)

    for number in range(segment_count(size, leaves=leaves)):
        span = segment_leaves(number, leaves=leaves)
        own = segment_root(span, get_hash)
        proof = segment_proof(span, size, get_hash)

        verify_segment(own, span, size, proof, root)
        with pytest.raises(InvalidProof):
            verify_segment(sha256(own).digest(), span, size, proof, root)


@pytest.mark.parametrize(
    ("gone", "least"),
    [([], 0), ([0], 256), ([1], 0), ([1, 0], 512), ([0, 2], 256), ([2, 1, 0], 768)],
)
def test_the_minimum_index_ends_at_the_first_segment_that_is_there(gone, least):
    pruned = [Pruned(256 * n, 256 * n + 255) for n in gone]

    assert minimum_index(pruned) == least


def test_what_is_kept_is_all_that_is_not_pruned():
    pruned = [Pruned(512, 767), Pruned(0, 255)]

    assert list(kept_ranges(1000, pruned)) == [range(256, 512), range(768, 1000)]
    assert list(kept_ranges(768, pruned)) == [range(256, 512)]
    assert list(kept_ranges(9, [])) == [range(9)]
    assert list(kept_ranges(0, [])) == []


@pytest.mark.parametrize("leaves", [0, 1, 128, 255, 300, 768])
def test_a_segment_is_a_subtree_of_whole_tiles(leaves):
    with pytest.raises(ValueError, match="whole tiles"):
        segment_leaves(0, leaves=leaves)


def archive_of(trail: list[str], **changes) -> bytes:
    """Archive the second segment of a trail, with something of it changed."""
    read_tile, span = tree_of(trail), segment_leaves(1, leaves=256)
    get_hash, size = hashes_in(read_tile), len(trail)
    root = root_at(size, get_hash)
    text = format_checkpoint(Checkpoint("test.example/audit/1", size, root))
    facts = {
        "span": span,
        "bodies": trail[span.start : span.stop],
        "payloads": [],
        "read_tile": read_tile,
        "root": segment_root(span, get_hash),
        "note": sign_note(text, [SIGNER]),
        "proof": segment_proof(span, size, get_hash),
        "vkeys": [SIGNER.vkey],
    }
    target = io.BytesIO()
    write_archive(target, Archive(**facts | changes))
    return target.getvalue()


BODIES = [f'{{"n":{n}}}' for n in range(900)]
SPAN = segment_leaves(1, leaves=256)
ROOT = segment_root(SPAN, hashes_in(tree_of(BODIES)))


def test_an_archive_proves_where_it_belongs():
    note = verify_archive(io.BytesIO(archive_of(BODIES)), span=SPAN, root=ROOT)

    assert note.startswith("test.example/audit/1\n900\n")
    assert archive_of(BODIES) == archive_of(BODIES)


def test_an_archive_is_readable_by_tools_of_every_day():
    with zipfile.ZipFile(io.BytesIO(archive_of(BODIES))) as file:
        lines = file.read("segments/000001.jsonl").decode().splitlines()

    assert lines == BODIES[256:512]
    assert [json.loads(line)["n"] for line in lines] == list(range(256, 512))


@pytest.mark.parametrize(
    "changes",
    [
        {"bodies": BODIES[256:511]},
        {"bodies": BODIES[256:513]},
        {"bodies": [*BODIES[256:511], '{"n":0}']},
        {"bodies": ["x" * 70_000, *BODIES[257:512]]},
        {"root": ROOT[::-1]},
        {"proof": []},
        {"note": "nothing\n\n"},
        {"read_tile": lambda level, index: b"\0" * 8192},
        {"bodies": ['{"changes_sha256":"%s"}' % ("0" * 64), *BODIES[257:512]]},
    ],
)
def test_a_damaged_archive_is_found_out(changes):
    with pytest.raises(DamagedArchive):
        verify_archive(io.BytesIO(archive_of(BODIES, **changes)), span=SPAN, root=ROOT)


@pytest.mark.parametrize("seed", range(60))
def test_any_byte_of_an_archive_that_is_not_what_it_was_is_found_or_harmless(seed):
    """A changed byte leads to the same verified content, or to a finding, no error."""
    random, whole = Random(seed), archive_of(BODIES)
    place = random.randrange(len(whole))
    changed = bytearray(whole)
    changed[place] ^= 1 << random.randrange(8)

    try:
        verify_archive(io.BytesIO(bytes(changed)), span=SPAN, root=ROOT)
    except DamagedArchive:
        return
    with zipfile.ZipFile(io.BytesIO(bytes(changed))) as file:
        assert (
            file.read("segments/000001.jsonl").decode().splitlines() == BODIES[256:512]
        )


def test_large_changes_lie_beside_the_entry_that_names_them():
    text = '[{"name":"long","value":"x"}]'
    digest = sha256(text.encode()).hexdigest()
    bodies = [*BODIES[:256], f'{{"changes_sha256":"{digest}"}}', *BODIES[257:]]
    root = segment_root(SPAN, hashes_in(tree_of(bodies)))
    archive = archive_of(bodies, payloads=[text])

    verify_archive(io.BytesIO(archive), span=SPAN, root=root)

    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        assert file.read(f"payloads/{digest}").decode() == text


def test_large_changes_that_are_not_those_named_are_found_out():
    text = '[{"name":"long","value":"x"}]'
    digest = sha256(text.encode()).hexdigest()
    bodies = [*BODIES[:256], f'{{"changes_sha256":"{digest}"}}', *BODIES[257:]]
    root = segment_root(SPAN, hashes_in(tree_of(bodies)))
    archive = io.BytesIO()
    whole = zipfile.ZipFile(io.BytesIO(archive_of(bodies)))
    with zipfile.ZipFile(archive, "w") as forged:
        for name in whole.namelist():
            forged.writestr(name, whole.read(name))
        forged.writestr(f"payloads/{digest}", text.replace("x", "y"))

    with pytest.raises(DamagedArchive, match="not those that it names"):
        verify_archive(archive, span=SPAN, root=root)


def test_a_bundle_leaves_out_what_is_pruned_and_says_so(monkeypatch):
    monkeypatch.setattr(bundle, "SEGMENT_LEAVES", 256)
    whole, size, pruned = tree_of(BODIES), 900, [Pruned(256, 511, "a" * 64)]
    left = without(whole, pruned)
    text = format_checkpoint(
        Checkpoint("test.example/audit/1", size, root_at(size, hashes_in(left)))
    )
    kept = (BODIES[leaf] for span in kept_ranges(size, pruned) for leaf in span)
    contents = Contents(sign_note(text, [SIGNER]), kept, left, pruned=pruned)
    target = io.BytesIO()

    write_bundle(target, contents)

    with zipfile.ZipFile(target) as file:
        names, told = set(file.namelist()), json.loads(file.read("pruned.json"))
        assert "pruned.json" in json.loads(file.read("MANIFEST.json"))["files"]
        assert (
            file.read("segments/000002.jsonl").decode().splitlines() == BODIES[512:768]
        )
    assert "segments/000001.jsonl" not in names
    assert "tile/0/001" not in names
    assert {"tile/0/000", "tile/0/002", "tile/1/000.p/3"} <= names
    assert told["minimum_index"] == 0
    assert told["segments"] == [
        {"first_leaf": 256, "last_leaf": 511, "archive_sha256": "a" * 64}
    ]


def test_a_bundle_of_a_whole_trail_has_nothing_to_say_of_it():
    whole = tree_of(BODIES)
    text = format_checkpoint(
        Checkpoint("test.example/audit/1", 900, root_at(900, hashes_in(whole)))
    )
    target = io.BytesIO()

    write_bundle(target, Contents(sign_note(text, [SIGNER]), BODIES, whole))

    with zipfile.ZipFile(target) as file:
        assert "pruned.json" not in file.namelist()
