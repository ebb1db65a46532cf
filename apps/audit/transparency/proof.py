"""The proof of one event in a file of its own (C2SP tlog-proof).

Whoever has the key of the log, this text and the bytes of the event needs nothing else.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from apps.audit.transparency.checkpoint import MAX_SIZE, Checkpoint, parse_checkpoint
from apps.audit.transparency.note import (
    InvalidNote,
    Verifier,
    decode_base64,
    open_note,
)
from apps.audit.transparency.tree import (
    HASH_BYTES,
    GetHash,
    InvalidProof,
    inclusion_proof,
    verify_inclusion,
)

HEADER = "c2sp.org/tlog-proof@v1"
SUFFIX = ".tlog-proof"
MAX_HASHES = 63

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,15})")
_EXTRA = "extra "


@dataclass(frozen=True)
class EventProof:
    """That one event is in the log.

    Attributes:
        index: its place, counted from 0.
        hashes: the path from the event up to the root.
        note: the signed checkpoint, with cosignatures or without.
        extra: what an application added; nothing vouches for it.
    """

    index: int
    hashes: tuple[bytes, ...]
    note: str
    extra: bytes = b""


def prove_event(index: int, note: str, get_hash: GetHash) -> EventProof:
    """Make the proof of one event under a signed checkpoint.

    Raises:
        ValueError: the tree of the checkpoint has no such event.
    """
    size = parse_checkpoint(note.rpartition("\n\n")[0] + "\n").size
    return EventProof(index, tuple(inclusion_proof(index, size, get_hash)), note)


def format_proof(proof: EventProof) -> str:
    """Write the proof as a file that ends in `.tlog-proof`."""
    extra = [f"{_EXTRA}{b64encode(proof.extra).decode()}"] if proof.extra else []
    hashes = [b64encode(one).decode() for one in proof.hashes]
    head = [HEADER, *extra, f"index {proof.index}", *hashes]
    return "\n".join(head) + f"\n\n{proof.note}"


def parse_proof(text: str) -> EventProof:
    """Read a proof; nothing of it is checked yet.

    Raises:
        InvalidProof: the text is none in its one allowed form.
    """
    head, gap, note = text.partition("\n\n")
    header, *lines = head.split("\n")
    if header != HEADER or not gap or not lines:
        raise InvalidProof("This is no proof of an event.")
    try:
        extra = b""
        if lines[0].startswith(_EXTRA):
            extra = decode_base64(lines.pop(0).removeprefix(_EXTRA))
        found = _INDEX.fullmatch(lines[0]) if lines else None
        hashes = tuple(decode_base64(line) for line in lines[1:])
    except InvalidNote as error:
        raise InvalidProof(f"The proof is malformed: {error}") from error
    if found is None or int(found[1]) > MAX_SIZE:
        raise InvalidProof("The proof does not say the place of the event.")
    if len(hashes) > MAX_HASHES or any(len(one) != HASH_BYTES for one in hashes):
        raise InvalidProof("The proof has a path of another form.")
    return EventProof(int(found[1]), hashes, note, extra)


def verify_proof(
    proof: EventProof, leaf: bytes, verifiers: Sequence[Verifier]
) -> Checkpoint:
    """Check that the log had the event with this leaf hash at this place.

    Args:
        proof: as it was parsed.
        leaf: the hash of the event's text.
        verifiers: the keys that the caller trusts.

    Returns:
        The checkpoint that the proof leads to.

    Raises:
        InvalidNote: the checkpoint is malformed, or not signed by one of these keys.
        InvalidProof: the proof leads elsewhere.
    """
    checkpoint = parse_checkpoint(open_note(proof.note, verifiers)[0])
    verify_inclusion(leaf, proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    return checkpoint
