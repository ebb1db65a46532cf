"""How a log asks a witness, and what the witness checks (C2SP tlog-witness).

The log says from which size on it proves, gives the proof, and the new checkpoint. The
witness answers with a cosignature, or with the size that it really saw last.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from apps.audit.transparency.checkpoint import Checkpoint, parse_checkpoint
from apps.audit.transparency.note import (
    InvalidNote,
    Verifier,
    decode_base64,
    open_note,
    split_note,
)
from apps.audit.transparency.tree import EMPTY_ROOT, HASH_BYTES, verify_consistency

MAX_PROOF_LINES = 63
SIZE_TYPE = "text/x.tlog.size"

_OLD = re.compile(r"old (0|[1-9][0-9]{0,15})")
_SIZE = re.compile(r"(0|[1-9][0-9]{0,15})\n?")


class InvalidSubmission(ValueError):
    """The text asks nothing that a witness could answer."""


class OtherSize(Exception):
    """The witness saw another state last.

    Attributes:
        size: of that state.
    """

    def __init__(self, size: int) -> None:
        super().__init__(f"The witness holds a checkpoint of size {size}.")
        self.size = size


@dataclass(frozen=True)
class Submission:
    """What a log sends.

    Attributes:
        old: the size that the witness is thought to hold.
        proof: that the checkpoint continues it.
        note: the signed checkpoint.
    """

    old: int
    proof: tuple[bytes, ...]
    note: str


def format_submission(submission: Submission) -> str:
    """Write the body of the request."""
    lines = [
        f"old {submission.old}",
        *(b64encode(one).decode() for one in submission.proof),
    ]
    return "\n".join(lines) + f"\n\n{submission.note}"


def parse_submission(text: str) -> Submission:
    """Read the body of a request.

    Raises:
        InvalidSubmission: not in its one allowed form.
    """
    head, gap, note = text.partition("\n\n")
    first, *lines = head.split("\n")
    found = _OLD.fullmatch(first)
    if not found or not gap or len(lines) > MAX_PROOF_LINES:
        raise InvalidSubmission("A submission begins with its old size and a proof.")
    try:
        proof = tuple(decode_base64(line) for line in lines)
    except InvalidNote as error:
        raise InvalidSubmission(f"The proof is malformed: {error}") from error
    if any(len(one) != HASH_BYTES for one in proof):
        raise InvalidSubmission("A hash of the proof has another length.")
    return Submission(int(found[1]), proof, note)


def parse_size(text: str) -> int:
    """Read the size that a witness names in a conflict.

    Raises:
        InvalidSubmission: the text is no size.
    """
    found = _SIZE.fullmatch(text)
    if not found:
        raise InvalidSubmission(f"The witness names no size: {text[:20]!r}.")
    return int(found[1])


def origin_of(submission: Submission) -> str:
    """Name the log that asks, before anything is checked.

    Raises:
        InvalidNote: there is no checkpoint.
    """
    return parse_checkpoint(split_note(submission.note)[0]).origin


def examine(
    submission: Submission, keys: Sequence[Verifier], held: Checkpoint | None
) -> Checkpoint:
    """Do what a witness must do before it signs.

    Args:
        submission: what was sent.
        keys: of the log, known to the witness beforehand.
        held: what it signed last for this log.

    Returns:
        What to remember, on disk, before the cosignature goes out.

    Raises:
        InvalidNote: none of the keys signed the checkpoint (403).
        InvalidSubmission: the old size is above the new one (400).
        OtherSize: something else was signed last (409).
        InvalidProof: the checkpoint does not continue it (422).
    """
    stated = parse_checkpoint(open_note(submission.note, keys)[0])
    if submission.old > stated.size:
        raise InvalidSubmission("The old size is larger than the new one.")
    size, root = (held.size, held.root) if held else (0, EMPTY_ROOT)
    if submission.old != size or (size == stated.size and root != stated.root):
        raise OtherSize(size)
    verify_consistency(size, stated.size, submission.proof, root, stated.root)
    return stated
