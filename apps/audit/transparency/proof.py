"""What shows by itself that one event is in a signed tree (C2SP tlog-proof)."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from typing import Final

from apps.audit.transparency.checkpoint import MAX_SIZE
from apps.audit.transparency.note import InvalidNote, decode_base64
from apps.audit.transparency.tree import HASH_BYTES, InvalidProof

HEADER: Final = "c2sp.org/tlog-proof@v1"
MAX_HASHES: Final = 63  # of the largest tree that a checkpoint can speak of
_EXTRA: Final = "extra "
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,15})")


@dataclass(frozen=True)
class Proof:
    """The way from one leaf to the root of a signed tree.

    Attributes:
        index: the place of the leaf.
        hashes: its siblings, from the leaf upwards.
        note: the signed checkpoint of the tree.
    """

    index: int
    hashes: tuple[bytes, ...]
    note: str


def format_proof(proof: Proof) -> str:
    """Write a proof as the file that goes along with the event."""
    hashes = [b64encode(one).decode() for one in proof.hashes]
    lines = [HEADER, f"index {proof.index}", *hashes]
    return "".join(f"{line}\n" for line in lines) + f"\n{proof.note}"


def parse_proof(text: str) -> Proof:
    """Read a proof; neither the signature nor the way to the root is checked.

    Raises:
        InvalidProof: it is not in its one allowed spelling.
    """
    above, gap, note = text.partition("\n\n")
    header, *lines = above.split("\n")
    if header != HEADER or not gap:
        raise InvalidProof(f"A proof begins with the line {HEADER}.")
    try:
        if lines and lines[0].startswith(_EXTRA):  # may say anything; we say nothing
            decode_base64(lines.pop(0).removeprefix(_EXTRA))
        hashes = tuple(decode_base64(line) for line in lines[1:])
    except InvalidNote as error:
        raise InvalidProof(str(error)) from error
    found = _INDEX.fullmatch(lines[0]) if lines else None
    if found is None or int(found[1]) > MAX_SIZE:
        raise InvalidProof("A proof says at which index the event is.")
    if len(hashes) > MAX_HASHES or any(len(one) != HASH_BYTES for one in hashes):
        raise InvalidProof(f"A proof has up to {MAX_HASHES} hashes of 32 bytes.")
    return Proof(int(found[1]), hashes, note)
