"""What a log signs: its name, its size and its root (C2SP tlog-checkpoint)."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass

from apps.audit.transparency.note import InvalidNote, decode_base64
from apps.audit.transparency.tree import HASH_BYTES

MAX_SIZE = 2**53 - 1
_LEAST_LINES = 4  # the last one is empty: the text ends with a line break
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")


@dataclass(frozen=True)
class Checkpoint:
    """One state of a log.

    Attributes:
        origin: the name of the log.
        size: number of leaves.
        root: root of the tree, 32 bytes.
        extensions: further lines; none are written by the portal.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """Write the text that is then signed as a note."""
    root = b64encode(checkpoint.root).decode()
    lines = [checkpoint.origin, str(checkpoint.size), root, *checkpoint.extensions]
    return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of an opened note.

    Raises:
        InvalidNote: the text is no checkpoint in its one allowed spelling.
    """
    lines = text.split("\n")
    if len(lines) < _LEAST_LINES or lines.pop() or not all(lines):
        raise InvalidNote("A checkpoint has a name, a size and a root, each on a line.")
    origin, size, root, *extensions = lines
    if not _SIZE.fullmatch(size) or int(size) > MAX_SIZE:
        raise InvalidNote(f"The size of a checkpoint is no such number: {size[:20]!r}.")
    decoded = decode_base64(root)
    if len(decoded) != HASH_BYTES:
        raise InvalidNote(f"The root of a checkpoint has {len(decoded)} bytes.")
    return Checkpoint(origin, int(size), decoded, tuple(extensions))
