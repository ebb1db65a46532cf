import os
import time

import pytest

from apps.audit.anchors.addresses import anchor_of
from apps.audit.anchors.anchor import Contradicts, Unpublished, Waits
from apps.audit.transparency.tree import EMPTY_ROOT, verify_consistency
from apps.audit.transparency.witness import parse_submission
from tests.audit.anchors.logs import MemoryLog
from tests.audit.anchors.places import cosigner

WITNESS = cosigner()


@pytest.fixture
def log():
    return MemoryLog(3)


@pytest.fixture
def outbox(tmp_path):
    folder = tmp_path / "outbox"
    folder.mkdir()
    return folder


@pytest.fixture
def anchor(outbox):
    return anchor_of(f"witness-file://{outbox}?every=3600#{WITNESS.vkey}")


def files(outbox):
    return sorted(path.name for path in (outbox / "log.example%2Faudit%2F1").iterdir())


def file(outbox, name):
    return outbox / "log.example%2Faudit%2F1" / name


def lay_out(anchor, log, last=0):
    with pytest.raises(Waits, match="waits to be carried"):
        anchor.publish(log.statement(log.newest_size(), last=last), log)


def answer(log, size):
    return WITNESS.cosign(log.notes[size].rpartition("\n\n")[0] + "\n")


def test_publish_lays_out_a_request(anchor, outbox, log):
    lay_out(anchor, log)

    assert files(outbox) == ["3.request"]
    submission = parse_submission(file(outbox, "3.request").read_text())
    assert (submission.old, submission.note) == (0, log.notes[3])


def test_publish_takes_the_answer_and_clears_the_table(anchor, outbox, log):
    lay_out(anchor, log)
    file(outbox, "3.answer").write_text(answer(log, 3))

    receipt = anchor.publish(log.statement(3), log)

    assert receipt.size == 3
    assert [one.witness for one in receipt.cosignatures] == [WITNESS.name]
    assert files(outbox) == []


def test_a_fresh_request_stays_while_the_log_grows(anchor, outbox, log):
    lay_out(anchor, log)
    log.grow(5)

    lay_out(anchor, log)

    assert files(outbox) == ["3.request"]


def test_an_old_request_makes_room_and_its_answer_is_still_good(anchor, outbox, log):
    lay_out(anchor, log)
    hours_ago = time.time() - 7200
    os.utime(file(outbox, "3.request"), (hours_ago, hours_ago))
    log.grow(5)
    lay_out(anchor, log)
    assert files(outbox) == ["8.request"]

    file(outbox, "3.answer").write_text(answer(log, 3))
    receipt = anchor.publish(log.statement(8), log)

    assert receipt.size == 3
    assert files(outbox) == []


def test_the_size_of_the_witness_makes_a_new_request_from_there(anchor, outbox, log):
    log.grow(5)
    lay_out(anchor, log)
    file(outbox, "8.answer").write_text("3\n")

    with pytest.raises(Waits, match="holds 3 events: carry the new request"):
        anchor.publish(log.statement(8), log)

    assert files(outbox) == ["8.request"]
    submission = parse_submission(file(outbox, "8.request").read_text())
    assert submission.old == 3
    older, newer = log.opened(log.notes[3]), log.opened(submission.note)
    verify_consistency(3, 8, submission.proof, older.root, newer.root)
    assert older.root != EMPTY_ROOT


def test_a_witness_that_knows_more_contradicts(anchor, outbox, log):
    lay_out(anchor, log)
    file(outbox, "3.answer").write_text("9\n")

    with pytest.raises(Contradicts, match="of 9 events, the database only 3"):
        anchor.publish(log.statement(3), log)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("hello\n", "is no answer of a witness"),
        (cosigner(number=8).cosign("other\n"), "None of the expected witnesses"),
        (WITNESS.cosign("other\n"), "is wrong"),
    ],
)
def test_what_is_no_answer_is_said_and_kept(anchor, outbox, log, text, sentence):
    lay_out(anchor, log)
    file(outbox, "3.answer").write_text(text)

    with pytest.raises(Unpublished, match=sentence):
        anchor.publish(log.statement(3), log)

    assert files(outbox) == ["3.answer", "3.request"]


def test_a_folder_that_is_gone_is_said(anchor, outbox, log):
    outbox.rmdir()

    with pytest.raises(Unpublished, match="is gone"):
        anchor.publish(log.statement(3), log)


def test_a_folder_that_cannot_be_used_is_said(anchor, outbox, log):
    (outbox / "log.example%2Faudit%2F1").write_text("")

    with pytest.raises(Unpublished, match="cannot be used"):
        anchor.publish(log.statement(3), log)
