import pytest

from apps.audit.transparency.checkpoint import Checkpoint, format_checkpoint
from apps.audit.transparency.note import InvalidNote, Signer, Verifier, sign_note
from apps.audit.transparency.tree import (
    InvalidProof,
    consistency_proof,
    root_at,
)
from apps.audit.transparency.witness import (
    InvalidSubmission,
    OtherSize,
    Submission,
    examine,
    format_submission,
    origin_of,
    parse_size,
    parse_submission,
)
from tests.audit.transparency.reference import root as reference_root

ORIGIN = "log.example/1"
LOG = Signer(Signer.generate(ORIGIN, bytes(32)))
KEYS = [Verifier(LOG.vkey)]
BODIES = [b"%d" % number for number in range(20)]


def get_hash(level, index):
    return reference_root(BODIES[index << level : (index + 1) << level])


def state(size, root=None):
    return Checkpoint(ORIGIN, size, root or root_at(size, get_hash))


def submission(old, new, proof=None, signer=LOG, root=None):
    if proof is None:
        proof = consistency_proof(old, new, get_hash)
    note = sign_note(format_checkpoint(state(new, root)), [signer])
    return Submission(old, tuple(proof), note)


@pytest.mark.parametrize(("old", "new"), [(0, 1), (0, 7), (7, 13), (13, 20), (8, 8)])
def test_examine_accepts_what_continues(old, new):
    held = state(old) if old else None

    assert examine(submission(old, new), KEYS, held) == state(new)


def test_submission_is_read_back():
    sent = submission(7, 13)

    text = format_submission(sent)

    assert text.startswith("old 7\n")
    assert parse_submission(text) == sent
    assert origin_of(sent) == ORIGIN


@pytest.mark.parametrize(
    ("sent", "held", "error"),
    [
        (submission(5, 13), state(7), OtherSize),
        (submission(0, 13), state(7), OtherSize),
        (submission(7, 13), None, OtherSize),
        (submission(8, 8, root=bytes(32)), state(8), OtherSize),
        (submission(7, 13, proof=[]), state(7), InvalidProof),
        (submission(7, 13, root=bytes(32)), state(7), InvalidProof),
        (submission(0, 13, proof=[bytes(32)]), None, InvalidProof),
        (submission(13, 7, proof=[]), state(13), InvalidSubmission),
        (
            submission(0, 7, signer=Signer(Signer.generate(ORIGIN, b"1" * 32))),
            None,
            InvalidNote,
        ),
    ],
)
def test_examine_refuses(sent, held, error):
    with pytest.raises(error):
        examine(sent, KEYS, held)


def test_a_conflict_names_the_size():
    with pytest.raises(OtherSize) as caught:
        examine(submission(0, 13), KEYS, state(7))

    assert caught.value.size == 7


GOOD = format_submission(submission(7, 13))


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD.replace("old 7", "old 07"),
        GOOD.replace("old 7", "new 7"),
        GOOD.replace("\n\n", "\n"),
        GOOD.replace("old 7\n", "old 7\nAAAA\n"),
        GOOD.replace("old 7\n", "old 7\nno base\n"),
        GOOD.replace("old 7\n", "old 7\n" + f"{GOOD.splitlines()[1]}\n" * 60),
    ],
)
def test_a_malformed_submission_is_refused(text):
    with pytest.raises(InvalidSubmission):
        parse_submission(text)


def test_parse_size_takes_one_spelling():
    assert parse_size("0\n") == 0
    assert parse_size("20852163") == 20852163
    for text in ("", "01", "-1", "1\n\n", "１"):
        with pytest.raises(InvalidSubmission):
            parse_size(text)
