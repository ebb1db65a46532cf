import os

import pytest

from apps.audit.anchors.addresses import anchor_of
from apps.audit.anchors.anchor import Contradicts, Receipt, Unpublished
from tests.audit.anchors.logs import MemoryLog


@pytest.fixture
def share(tmp_path):
    folder = tmp_path / "share"
    folder.mkdir()
    return folder


@pytest.fixture
def anchor(share):
    return anchor_of(f"dir://{share}")


@pytest.fixture
def log():
    return MemoryLog(3)


def file_of(share, size):
    return share / "log.example%2Faudit%2F1" / str(size)


def test_publish_writes_a_file_that_nobody_may_change(anchor, share, log):
    receipt = anchor.publish(log.statement(3), log)

    written = file_of(share, 3)
    assert receipt == Receipt(3)
    assert written.read_text() == log.notes[3]
    assert written.stat().st_mode & 0o777 == 0o444


def test_publish_twice_leaves_the_file_alone(anchor, share, log):
    anchor.publish(log.statement(3), log)
    before = file_of(share, 3).stat()

    anchor.publish(log.statement(3, last=3), log)

    assert file_of(share, 3).stat() == before


def test_look_finds_the_largest_checkpoint(anchor, share, log):
    anchor.publish(log.statement(3), log)
    log.grow(9)
    anchor.publish(log.statement(12, last=3), log)
    (file_of(share, 12).parent / "notes.txt").write_text("of a person")

    assert anchor.look(log).size == 12


def test_look_passes_over_what_broke_off(anchor, share, log):
    anchor.publish(log.statement(3), log)
    file_of(share, 12).write_text("log.example/audit/1\n1")

    assert anchor.look(log).size == 3


def test_look_into_an_empty_directory_finds_nothing(anchor, log):
    assert anchor.look(log) is None


def test_publish_after_a_write_that_broke_off_goes_beside_it(anchor, share, log):
    broken = file_of(share, 3)
    broken.parent.mkdir()
    broken.write_text(log.notes[3][:20])

    anchor.publish(log.statement(3), log)

    assert broken.read_text() == log.notes[3][:20]
    assert broken.with_name("3-1").read_text() == log.notes[3]
    assert anchor.look(log).size == 3


def test_publish_notices_that_the_directory_vanished(anchor, share, log):
    share.rmdir()

    for attempt in (anchor.look, lambda log: anchor.publish(log.statement(3), log)):
        with pytest.raises(Unpublished, match=r"is gone: is the share mounted\?"):
            attempt(log)


def test_publish_notices_the_empty_folder_of_a_lost_mount(anchor, share, log):
    anchor.publish(log.statement(3), log)
    file_of(share, 3).unlink()
    log.grow(1)

    with pytest.raises(Unpublished, match="no longer holds the checkpoint of 3 events"):
        anchor.publish(log.statement(4, last=3), log)


def test_publish_contradicts_another_tree_of_the_same_size(anchor, log):
    anchor.publish(log.statement(3), log)
    other = MemoryLog(3, word=b"other")

    with pytest.raises(Contradicts, match="another tree of 3 events"):
        anchor.publish(other.statement(3), other)


def test_publish_never_touches_what_others_wrote(anchor, share, log):
    strange = file_of(share, 3)
    strange.parent.mkdir()
    strange.write_text("something else\n")

    with pytest.raises(Unpublished, match="is not what the sealer wrote"):
        anchor.publish(log.statement(3), log)

    assert strange.read_text() == "something else\n"


def test_publish_accepts_the_same_tree_under_two_signatures(anchor, share, log):
    anchor.publish(log.statement(3), log)
    twice = file_of(share, 3)
    twice.chmod(0o644)
    twice.write_text(log.notes[3] + "— other AAAAAAAA\n")

    assert anchor.publish(log.statement(3), log) == Receipt(3)


def test_publish_says_when_a_disk_is_full(share, log):
    """Any error of the share is a sentence; here, a file where the folder should be."""
    (share / "log.example%2Faudit%2F1").write_text("")

    with pytest.raises(Unpublished, match="cannot be written"):
        anchor_of(f"dir://{share}").publish(log.statement(3), log)
    with pytest.raises(Unpublished, match="cannot be read"):
        anchor_of(f"dir://{share}").look(log)


def test_logs_of_two_names_share_a_directory(anchor, share, log):
    other = MemoryLog(2, origin="log.example/audit/2")
    anchor.publish(log.statement(3), log)

    anchor.publish(other.statement(2), other)

    assert len(os.listdir(share)) == 2
    assert anchor.look(other).size == 2
