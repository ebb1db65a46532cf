"""Exports of a trail of which old segments were pruned, untouched and tampered with."""

import contextlib
import os
import shutil
import signal
from pathlib import Path

import pytest

from apps.audit.transparency.pruning import SEGMENT_LEAVES
from apps.audit.transparency.tree import leaf_hash
from tests.audit.transparency.exports import (
    Log,
    bodies,
    body,
    canonical,
    command,
    disclosure,
    restate,
    rules,
    verify,
)
from tests.audit.verifier.pruned import (
    PrunedTrail,
    agreement,
    numbered,
    read_json,
    segment_facts,
    stated,
    told,
)
from tests.audit.verifier.test_resources import finished, started, wait_for_workers

VERIFIED, TAMPERED, USAGE, INCOMPLETE, UNSUPPORTED = range(5)
AGREED = SEGMENT_LEAVES + 2  # the place of the event, in the small trail


@pytest.fixture(scope="module")
def trail():
    """One segment that is archived, and a few events that tell of it."""
    return PrunedTrail(numbered(SEGMENT_LEAVES), [0])


@pytest.fixture(scope="module")
def untouched(trail, tmp_path_factory):
    folder = tmp_path_factory.mktemp("small") / "export"
    return trail.exported(folder, [0], earlier=[300, 512])


@pytest.fixture
def export(untouched, tmp_path):
    return Path(shutil.copytree(untouched, tmp_path / "export"))


@pytest.fixture
def kept(trail, tmp_path):
    def at(size, note=None):
        path = tmp_path / f"kept-{size}"
        path.write_text(note or trail.log.checkpoint(size))
        return "--kept", path

    return at


@pytest.fixture
def archive(trail, tmp_path):
    path = tmp_path / "archive.zip"
    path.write_bytes(trail.archives[0])
    return path


# Untouched


def test_a_pruned_export_is_verified(trail, export, kept):
    size = len(trail.log.events)

    code, answer = verify(export, trail.log, *kept(size))

    assert (code, answer["findings"], answer["notes"]) == (VERIFIED, [], [])
    assert (answer["events"], answer["confirmed"]) == (size, size)
    assert answer["pruned"] == [
        segment_facts(0, trail.pruned(0).archive_sha256)
        | {"agreed_by": AGREED, "is_verified": False}
    ]
    assert "Events 0 to 65535 are not in this export" in answer["lines"][0]
    assert f"agreed by event {AGREED}" in answer["lines"][0]
    assert trail.pruned(0).archive_sha256 in answer["lines"][0]


@pytest.mark.parametrize(
    ("size", "code"),
    [
        (300, UNSUPPORTED),
        (512, VERIFIED),  # the end of a tile, whose hash is still there
        (SEGMENT_LEAVES - 1, UNSUPPORTED),
        (SEGMENT_LEAVES, VERIFIED),
        (SEGMENT_LEAVES + 1, VERIFIED),
    ],
)
def test_a_copy_from_within_pruned_events_vouches_no_more(
    trail, export, kept, size, code
):
    found, answer = verify(export, trail.log, *kept(size))

    assert (found, answer["findings"]) == (code, [])
    assert answer["confirmed"] == (size if code == VERIFIED else 0)
    assert ("kept-" in answer["lines"][-1]) == (code == UNSUPPORTED)
    assert "checkpoints/300" in answer["lines"][-1]


def test_the_archive_makes_the_trail_whole(trail, export, kept, archive):
    code, answer = verify(export, trail.log, *kept(300), "--archive", archive)

    assert (code, answer["findings"], answer["confirmed"]) == (VERIFIED, [], 300)
    assert answer["pruned"][0]["is_verified"] is True
    assert "read from" in answer["lines"][0]


# Tampered with


@pytest.mark.parametrize("size", [300, 512])
def test_two_signed_states_of_pruned_events_are_found_out(trail, export, kept, size):
    forged = trail.log.checkpoint(size, root=b"\1" * 32)

    code, answer = verify(export, trail.log, *kept(size, forged))

    assert (code, rules(answer)) == (TAMPERED, {"root.kept"})


def test_a_changed_tile_is_found_out(trail, export):
    path = export / "tile" / "1" / "000"
    path.write_bytes(b"\1" + path.read_bytes()[1:])
    restate(export)

    code, answer = verify(export, trail.log)

    assert code == TAMPERED
    assert rules(answer) >= {"tile.hash", "root", "pruned.told"}


@pytest.mark.parametrize(("length", "code"), [(100, TAMPERED), (None, INCOMPLETE)])
def test_a_tile_that_is_not_whole_proves_nothing(trail, export, length, code):
    path = export / "tile" / "1" / "000"
    if length is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:length])
    restate(export)

    assert verify(export, trail.log)[0] == code


def test_a_segment_that_nothing_names_is_missing(trail, export):
    (export / "pruned.json").unlink()
    restate(export)

    code, answer = verify(export, trail.log)

    assert (code, rules(answer)) == (INCOMPLETE, {"file.missing"})


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (stated(segment_facts(0, "a" * 64), least=SEGMENT_LEAVES), "pruned.told"),
        (stated(segment_facts(0, "a" * 64), least=0), "pruned.form"),
        (stated(segment_facts(0, "a") | {"last_leaf": 255}, least=256), "pruned.form"),
        (stated(segment_facts(0, "a") | {"first_leaf": "0"}, least=0), "pruned.form"),
        ("{}\n", "pruned.form"),
        ("[]", "pruned.form"),
    ],
)
def test_a_list_that_says_something_else_is_found_out(trail, export, text, rule):
    (export / "pruned.json").write_text(text)
    restate(export)

    code, answer = verify(export, trail.log)

    assert code == TAMPERED
    assert rule in rules(answer)


def test_a_telling_event_that_is_removed_is_found_out(trail, export, kept):
    path = export / "segments" / "000001.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2] + lines[4:]))
    restate(export)

    code, answer = verify(export, trail.log, *kept(SEGMENT_LEAVES + 3))

    assert code == TAMPERED
    assert "root.kept" in rules(answer)


@pytest.mark.parametrize(
    ("steps", "code", "rule"),
    [
        ([], INCOMPLETE, "pruned.untold"),
        (["segment_archived", "prune_requested"], INCOMPLETE, "pruned.untold"),
        (["prune_approved", "prune_withdrawn"], INCOMPLETE, "pruned.untold"),
        (["segment_pruned"], UNSUPPORTED, None),
    ],
)
def test_only_an_agreement_explains_what_is_missing(tmp_path, steps, code, rule):
    events = numbered(SEGMENT_LEAVES)
    trail = PrunedTrail(
        events, [0], lambda facts: [told(step, facts) for step in steps]
    )

    found, answer = verify(trail.exported(tmp_path / "export", [0]), trail.log)

    assert (found, rules(answer)) == (code, {rule} if rule else set())


@pytest.mark.parametrize("name", ["root", "sha256"])
def test_events_that_contradict_are_found_out(tmp_path, name):
    def tell(facts):
        return [*agreement(facts), told("segment_archived", facts | {name: "a" * 64})]

    trail = PrunedTrail(numbered(SEGMENT_LEAVES), [0], tell)

    code, answer = verify(trail.exported(tmp_path / "export", [0]), trail.log)

    assert (code, answer["counts"]) == (TAMPERED, {"pruned.told": 1})


def test_events_of_another_form_tell_nothing(tmp_path):
    strange = [body(0, action="audit.prune_approved", changes=5)]
    events = numbered(SEGMENT_LEAVES)
    trail = PrunedTrail(events, [0], lambda facts: strange + agreement(facts))

    code, _ = verify(trail.exported(tmp_path / "export", [0]), trail.log)

    assert code == UNSUPPORTED


# Archives


def test_an_archive_with_one_byte_changed_is_found_out(trail, export, kept, archive):
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)

    trust = kept(len(trail.log.events))
    code, answer = verify(export, trail.log, *trust, "--archive", archive)

    assert (code, rules(answer)) == (TAMPERED, {"archive"})
    assert answer["pruned"][0]["is_verified"] is False


@pytest.mark.parametrize("kind", ["of another log", "none at all"])
def test_a_wrong_archive_is_not_used(trail, export, kept, archive, kind):
    other = PrunedTrail(bodies(SEGMENT_LEAVES), [0]) if "log" in kind else None
    archive.write_bytes(other.archives[0] if other else b"no archive")

    trust = kept(len(trail.log.events))
    code, answer = verify(export, trail.log, *trust, "--archive", archive)

    assert (code, rules(answer)) == (INCOMPLETE, {"archive.other"})


@pytest.mark.parametrize(
    ("content", "rule"), [(b"no zip", "file.unreadable"), (None, "tile.hash")]
)
def test_a_list_that_fits_a_forged_archive_is_found_out(
    trail, export, archive, content, rule
):
    forged = PrunedTrail([*numbered(SEGMENT_LEAVES - 1), body(9)], [0])
    archive.write_bytes(content or forged.archives[0])
    trail_of_it = PrunedTrail.__new__(PrunedTrail)
    trail_of_it.archives = {0: archive.read_bytes()}
    digest = trail_of_it.pruned(0).archive_sha256
    (export / "pruned.json").write_text(
        stated(segment_facts(0, digest), least=SEGMENT_LEAVES)
    )
    restate(export)

    code, answer = verify(export, trail.log, "--archive", archive)

    assert code == TAMPERED
    assert rules(answer) >= {rule, "pruned.told"}


def test_an_archive_that_is_not_there_is_wrong_usage(trail, export, tmp_path):
    with pytest.raises(SystemExit) as ended:
        verify(export, trail.log, "--archive", tmp_path / "nothing")

    assert ended.value.code == USAGE


# Lists


def compared(trail, export, indexes, *options):
    rows = ["leaf_index,event_id,leaf_hash"]
    for index in indexes:
        event = trail.log.events[index]
        name = "event-0" if index > SEGMENT_LEAVES else "None"
        rows.append(f"{index},{name},{leaf_hash(event.encode()).hex()}")
    path = export.parent / "rows.csv"
    path.write_text("\n".join(rows) + "\n")
    return command("csv", path, "--bundle", export, *options)


def test_csv_says_which_rows_cannot_be_checked(trail, export, archive):
    code, answer = compared(trail, export, [5, AGREED])
    also, found = compared(trail, export, [5, AGREED], "--archive", archive)

    assert (code, answer["counts"]) == (INCOMPLETE, {"row.pruned": 1})
    assert answer["findings"][0]["index"] == 5
    assert (also, found["findings"], found["rows"]) == (UNSUPPORTED, [], 2)


def listing(rows, size):
    lines = [
        canonical({"event_id": event, "leaf_index": index}) for event, index in rows
    ]
    last = {"count": len(rows), "filter": {"action": "run.launched"}, "size": size}
    return "\n".join([*lines, canonical(last)]) + "\n"


@pytest.mark.parametrize(
    ("rows", "code", "found"),
    [
        ([], VERIFIED, set()),
        ([("event-7", 7)], INCOMPLETE, {"row.pruned"}),
        ([("event-7", SEGMENT_LEAVES)], TAMPERED, {"filter.added"}),
    ],
)
def test_a_filtered_list_may_have_pruned_events(
    trail, export, kept, tmp_path, rows, code, found
):
    size = len(trail.log.events)
    mine = [("event-1", size - 2), ("event-2", size - 1)]
    (tmp_path / "list.jsonl").write_text(listing([*rows, *mine], size))
    options = ("--recheck-filter", tmp_path / "list.jsonl")

    given, answer = verify(export, trail.log, *kept(size), *options)

    assert (given, rules(answer)) == (code, found)
    assert "pruned events" in answer["lines"][-1]


# Several segments, of which not only the oldest are pruned

ADA, BEN, CLEO = (disclosure(name) for name in ("Ada", "Ben", "Cleo"))


def about(number, pair):
    return body(number, actor={"id": "1", "name": {"commitment": pair[1]}})


def redacted(*pairs):
    value = [commitment for _, commitment in pairs]
    return body(
        0, action="audit.redacted", changes=[{"name": "commitments", "value": value}]
    )


@pytest.fixture(scope="module")
def large():
    """Three segments; people are named in the first and last, one erased between."""
    events = numbered(3 * SEGMENT_LEAVES)
    events[10], events[11] = about(10, ADA), about(11, BEN)
    events[SEGMENT_LEAVES + 5] = redacted(BEN)
    events[2 * SEGMENT_LEAVES + 5] = about(12, CLEO)
    return PrunedTrail(events, [0, 1])


@pytest.mark.parametrize(
    ("gone", "people", "archives", "code", "found"),
    [
        ([0, 1], [CLEO], [], VERIFIED, set()),
        ([0, 1], [CLEO], [0, 1], VERIFIED, set()),
        ([0, 1], [], [], TAMPERED, {"private.unexplained"}),
        ([0, 1], [ADA, CLEO], [], TAMPERED, {"private.unnamed"}),
        ([1], [ADA, CLEO], [], INCOMPLETE, {"private.pruned"}),
        ([1], [ADA, CLEO], [1], VERIFIED, set()),
    ],
)
def test_personal_data_of_what_is_left_is_checked(
    large, tmp_path, gone, people, archives, code, found
):
    people = sorted(people, key=lambda pair: pair[1])
    texts = [text for text, _ in people]
    folder = large.exported(tmp_path / "export", gone, disclosures=texts)
    (tmp_path / "kept").write_text(large.log.checkpoint())
    options = ["--kept", tmp_path / "kept", "--private", "--jobs", "1"]
    for number in archives:
        (tmp_path / f"{number}.zip").write_bytes(large.archives[number])
        options += ["--archive", tmp_path / f"{number}.zip"]

    given, answer = verify(folder, large.log, *options)

    assert (given, rules(answer)) == (code, found)


@pytest.mark.parametrize("are_left", [True, False])
def test_a_list_that_names_one_more_is_found_out(large, tmp_path, are_left):
    folder = large.exported(tmp_path / "export", [0, 1])
    more = segment_facts(2, "a" * 64)
    named = read_json(folder / "pruned.json")["segments"]
    (folder / "pruned.json").write_text(stated(*named, more, least=3 * SEGMENT_LEAVES))
    if not are_left:
        (folder / "segments" / "000002.jsonl").unlink()
        for number in range(512, 768):
            (folder / "tile" / "0" / f"{number:03}").unlink()
    restate(folder)

    code, answer = verify(folder, large.log)

    assert code == (TAMPERED if are_left else INCOMPLETE)
    assert "pruned.untold" in rules(answer)
    assert ("file.unknown" in rules(answer)) == are_left


def test_an_agreement_that_was_pruned_is_in_its_archive(tmp_path):
    events = numbered(SEGMENT_LEAVES)
    first = PrunedTrail(events, [0])
    more = [body(number) for number in range(SEGMENT_LEAVES - 6)]
    trail = PrunedTrail([*first.log.events, *more], [1])
    trail.archives[0] = first.archives[0]
    folder = trail.exported(tmp_path / "export", [0, 1])
    (tmp_path / "1.zip").write_bytes(trail.archives[1])

    code, answer = verify(folder, trail.log)
    with_it, found = verify(folder, trail.log, "--archive", tmp_path / "1.zip")

    assert (code, answer["counts"]) == (INCOMPLETE, {"pruned.untold": 1})
    assert (with_it, found["findings"]) == (UNSUPPORTED, [])


def test_another_log_may_be_joined_by_a_pruned_event(trail, export, tmp_path):
    other = Log(bodies(5), origin="old.example/audit/1")
    (tmp_path / "kept").write_text(other.checkpoint())
    keys = ("--log-key", other.signer.vkey)

    code, answer = verify(export, trail.log, *keys, "--kept", tmp_path / "kept")

    assert (code, rules(answer)) == (INCOMPLETE, {"origin.pruned"})


def test_one_process_and_two_agree_about_pruned_segments(large, tmp_path):
    folder = large.exported(tmp_path / "export", [0, 1], earlier=[300])
    (tmp_path / "1.zip").write_bytes(large.archives[1])
    options = ("--archive", tmp_path / "1.zip")

    code, alone = finished(started(large.log, folder, "--jobs", "1", *options))
    _, together = finished(started(large.log, folder, "--jobs", "2", *options))

    assert (code, alone["findings"]) == (UNSUPPORTED, [])
    assert together == alone


def test_a_worker_that_is_killed_tells_nothing_of_pruned_segments(large, tmp_path):
    folder = large.exported(tmp_path / "export", [0, 1])
    process = started(large.log, folder, "--jobs", "2")
    first = wait_for_workers(process)[0]

    with contextlib.suppress(ProcessLookupError):
        os.kill(first, signal.SIGKILL)

    code, answer = finished(process)
    assert (code, set(answer["counts"])) == (INCOMPLETE, {"process"})
