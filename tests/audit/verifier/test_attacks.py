"""Every attack, by every attacker, against every level of evidence.

Written as one who distrusts the verifier: it is told nothing but what an auditor tells
it, and each answer was written down before it was asked.
"""

import random
import time
import zipfile

import pytest

from tests.audit.transparency.exports import (
    Log,
    bodies,
    body,
    command,
    restate,
    rules,
    verify,
)
from tests.audit.verifier.sizes import often

VERIFIED, TAMPERED, USAGE, INCOMPLETE, UNSUPPORTED = range(5)
COUNT, RETAINED, BACKUP = 2_000, 1_500, 1_200


# The table. Columns are the levels of evidence: 0 the key of the export itself, 1 the
# key pinned on paper, 2 also a checkpoint of 1,500 events kept outside, 3 also the
# newest one. D: detected.


def swap(events, one, other):
    events[one], events[other] = events[other], events[one]


def edit(events):
    events[700] = body(700, reason="other")


def delete_one(events):
    del events[700]


def reorder(events):
    swap(events, 700, 1_300)


def insert_backdated(events):
    events.insert(700, body(5_000, time="2025-01-01T00:00:00.000000Z"))


def swap_actor(events):
    events[700] = body(700, actor={"id": "somebody else"})


def flip_time(events):
    events[700] = body(700, time="2026-01-01T00:00:00.000701Z")


def duplicate(events):
    events.insert(700, events[699])


def edit_late(events):
    events[1_800] = body(1_800, reason="other")


def delete_last(events):
    del events[-1]


def truncate(events):
    del events[1_600:]


def restore_backup(events):
    del events[BACKUP:]


def fork(events):
    events[1_700:] = [body(number, reason="fork") for number in range(1_700, COUNT)]


TABLE = {
    # attack: without the key, with the key
    edit: ("DDDD", "..DD"),
    delete_one: ("DDDD", "..DD"),
    reorder: ("DDDD", "..DD"),
    insert_backdated: ("DDDD", "..DD"),
    swap_actor: ("DDDD", "..DD"),
    flip_time: ("DDDD", "..DD"),
    duplicate: ("DDDD", "..DD"),
    edit_late: ("DDDD", "...D"),
    delete_last: ("...D", "...D"),
    truncate: ("...D", "...D"),
    restore_backup: ("..DD", "..DD"),
    fork: ("DDDD", "...D"),  # without the key it is another edit
}
GENUINE = {delete_last, truncate, restore_backup}  # the log signed that state once


@pytest.fixture(scope="module")
def log():
    return Log(bodies(COUNT))


@pytest.fixture(scope="module")
def outside(log, tmp_path_factory):
    """What the auditor adds at each level, the key apart."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "older").write_text(log.checkpoint(RETAINED))
    (folder / "newest").write_text(log.checkpoint())
    older = ("--kept", folder / "older")
    return [(), (), older, (*older, "--kept", folder / "newest")]


def forged(log, attack, folder, *, with_key):
    """Make the export of an attacker, who rewrites all that no signature covers."""
    events = list(log.events)
    attack(events)
    export = Log(events).exported(folder)
    if not with_key:
        genuine = log.checkpoint(len(events)) if attack in GENUINE else log.checkpoint()
        (export / "checkpoint").write_text(genuine)
        restate(export)
    return export


def asked(export, log, level, outside):
    pinned = (export / "keys" / "0.vkey").read_text().strip() if level == 0 else None
    key = pinned or log.signer.vkey
    return command("bundle", export, "--log-key", key, *outside[level])


def expected(mark, level):
    if mark == "D":
        return TAMPERED
    return VERIFIED if level > 1 else UNSUPPORTED


@pytest.mark.parametrize("with_key", [False, True], ids=["database", "host"])
@pytest.mark.parametrize("attack", TABLE, ids=lambda attack: attack.__name__)
def test_attack_is_answered_as_predicted(log, outside, tmp_path, attack, with_key):
    export = forged(log, attack, tmp_path / "export", with_key=with_key)
    marks = TABLE[attack][with_key]

    answers = [asked(export, log, level, outside) for level in range(4)]

    codes = [code for code, _ in answers]
    assert codes == [expected(mark, level) for level, mark in enumerate(marks)]
    for code, answer in answers:
        assert bool(answer["findings"]) == (code == TAMPERED)
        for finding in answer["findings"]:
            assert all(finding[name] for name in finding if name not in {"index"})


def test_replacing_the_log_under_another_key_is_found_by_a_pinned_key(
    log, outside, tmp_path
):
    export = Log([*log.events[:-1], body(0)], seed=66).exported(tmp_path / "export")

    codes = [asked(export, log, level, outside)[0] for level in range(2)]

    assert codes == [UNSUPPORTED, TAMPERED]
    for level in (2, 3):
        assert asked(export, log, level, outside)[0] == TAMPERED


@pytest.mark.parametrize("with_key", [False, True], ids=["database", "host"])
def test_a_modified_checkpoint_is_always_found(log, outside, tmp_path, with_key):
    export = log.exported(tmp_path / "export")
    note = log.checkpoint(root=bytes(32)) if with_key else log.checkpoint()
    text, _, signature = note.rpartition("\n\n")
    (export / "checkpoint").write_text(
        note if with_key else text.replace("2000", "1999") + "\n\n" + signature
    )
    restate(export)

    for level in range(4):
        code, answer = asked(export, log, level, outside)

        assert code == TAMPERED
        assert rules(answer) & {"root", "signature"}


def test_two_views_are_told_apart_by_either_newest_copy(log, tmp_path):
    other = list(log.events)
    fork(other)
    forked = Log(other)
    copies = {}
    for name, one in (("ours", log), ("theirs", forked)):
        copies[name] = tmp_path / name
        copies[name].write_text(one.checkpoint())
    export = forked.exported(tmp_path / "export")

    ours, _ = verify(export, log, "--kept", copies["ours"])
    theirs, _ = verify(export, log, "--kept", copies["theirs"])

    assert (ours, theirs) == (TAMPERED, VERIFIED)


def test_an_untouched_log_is_verified_at_every_level(log, outside, tmp_path):
    export = log.exported(tmp_path / "export", earlier=[BACKUP, RETAINED])

    codes = [asked(export, log, level, outside)[0] for level in range(4)]

    assert codes == [UNSUPPORTED, UNSUPPORTED, VERIFIED, VERIFIED]


# What no table names


def test_random_untouched_logs_have_no_finding(tmp_path):
    path, kept = tmp_path / "export.zip", tmp_path / "kept"
    sizes = [0, 1, 2, 255, 256, 257, 511, 512, 513]
    for turn in range(often(60, full=1_000)):
        size = sizes[turn] if turn < len(sizes) else random.randrange(700)
        log = Log([body(random.randrange(10**6)) for _ in range(size)], seed=turn % 255)
        earlier = random.sample(range(size), min(size, random.randrange(3)))
        path.write_bytes(log.zipped(earlier=earlier))
        kept.write_text(log.checkpoint(random.randrange(size + 1)))

        code, answer = verify(path, log, "--kept", kept)

        assert answer["findings"] == [], size
        assert code == (VERIFIED if answer["confirmed"] else UNSUPPORTED), size


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537])
def test_logs_around_the_end_of_a_segment_have_no_finding(tmp_path, size):
    log = Log([f'{{"n":{number}}}' for number in range(size)])
    kept = tmp_path / "kept"
    kept.write_text(log.checkpoint())
    export = log.exported(tmp_path / "export", earlier=[1, 65_535])

    assert verify(export, log, "--kept", kept)[0] == VERIFIED


@pytest.fixture
def small(tmp_path):
    """An unpacked export of 300 events, and an option with its newest checkpoint."""
    log = Log(bodies(300))
    (tmp_path / "kept").write_text(log.checkpoint())
    export = log.exported(tmp_path / "export", earlier=[10, 256])
    return log, export, ("--kept", tmp_path / "kept")


def test_every_mutation_of_a_byte_is_found(small):
    log, export, kept = small
    files = sorted(path for path in export.rglob("*") if path.is_file())
    weights = [path.stat().st_size ** 0.5 for path in files]
    slowest = 0.0
    for _ in range(often(400, full=10_000)):
        path = random.choices(files, weights)[0]
        content = bytearray(path.read_bytes())
        place = random.randrange(len(content))
        content[place] ^= random.randrange(1, 256)
        untouched = path.read_bytes()
        path.write_bytes(content)
        began = time.monotonic()

        code, answer = verify(export, log, *kept)

        slowest = max(slowest, time.monotonic() - began)
        assert code in {TAMPERED, INCOMPLETE}, (path, place)
        assert answer["findings"], (path, place)
        path.write_bytes(untouched)
    assert slowest < 5


def test_a_mutated_archive_never_passes_for_another_trail(tmp_path):
    log = Log(bodies(40))
    path, kept = tmp_path / "export.zip", tmp_path / "kept"
    kept.write_text(log.checkpoint())
    whole = log.zipped(earlier=[10])
    for _ in range(often(400, full=10_000)):
        content = bytearray(whole)
        place = random.randrange(len(content))
        content[place] ^= random.randrange(1, 256)
        path.write_bytes(content)

        code, answer = verify(path, log, "--kept", kept)

        assert code in {VERIFIED, TAMPERED, INCOMPLETE}
        assert bool(answer["findings"]) == (code != VERIFIED)
        if code == VERIFIED:  # such as another date in the directory
            with zipfile.ZipFile(path) as archive:
                lines = archive.read("segments/000000.jsonl").decode().splitlines()
            assert lines == log.events


def test_an_archive_cut_anywhere_is_found(tmp_path):
    log = Log(bodies(40))
    path, whole = tmp_path / "export.zip", log.zipped()
    for _ in range(often(60, full=1_000)):
        path.write_bytes(whole[: random.randrange(len(whole))])

        code, answer = verify(path, log)

        assert code in {TAMPERED, INCOMPLETE}
        assert answer["findings"]


def test_every_file_removed_doubled_emptied_or_exchanged_is_found(small):
    log, export, kept = small
    files = sorted(path for path in export.rglob("*") if path.is_file())
    for path in files:
        genuine = path.read_bytes()
        other = random.choice([one for one in files if one.read_bytes() != genuine])
        for content in (None, b"", genuine * 2, genuine[:-1], other.read_bytes()):
            path.unlink()
            if content is not None:
                path.write_bytes(content)

            code, answer = verify(export, log, *kept)

            assert code in {TAMPERED, INCOMPLETE}, path
            assert answer["findings"], path
            path.write_bytes(genuine)
    assert verify(export, log, *kept)[0] == VERIFIED


def test_every_file_exchanged_under_a_fitting_manifest_is_found(small):
    """The attacker restates the manifest: only signatures and hashes are left."""
    log, export, kept = small
    free = {"VERIFY.md", "0.vkey", "MANIFEST.json"}  # no evidence, and said so
    for path in sorted(one for one in export.rglob("*") if one.is_file()):
        genuine = path.read_bytes()
        if path.name in free:
            continue
        for content in (b"", genuine * 2, genuine[:-1], genuine[::-1]):
            path.write_bytes(content)
            restate(export)

            assert verify(export, log, *kept)[0] in {TAMPERED, INCOMPLETE}, path
        path.write_bytes(genuine)
        restate(export)
