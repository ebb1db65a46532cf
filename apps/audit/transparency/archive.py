"""A segment as it leaves the log: one zip file that proves where it belongs.

It holds the entries, their tiles, a signed checkpoint, and the hashes that lead from
the segment to its root; nothing else is needed to verify it, at any later time.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import IO, Any, Final

from apps.audit.transparency.checkpoint import Checkpoint, parse_checkpoint
from apps.audit.transparency.note import InvalidNote
from apps.audit.transparency.pruning import SEGMENT_LEAVES, verify_segment
from apps.audit.transparency.tiles import (
    TILE_WIDTH,
    ReadTile,
    subtree,
    tile_path,
)
from apps.audit.transparency.tree import HASH_BYTES, InvalidProof, leaf_hash

FORMAT: Final = "audit-archive/1"
FACTS: Final = "ARCHIVE.json"
MAX_LINE_BYTES: Final = 65_536  # an entry and its line break
MAX_FACTS_BYTES: Final = 100_000
PIECE_BYTES: Final = 1_000_000
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)  # the same archive is the same file
_DIGEST_OF_CHANGES: Final = re.compile(rb'"changes_sha256":"([0-9a-f]{64})"')


class DamagedArchive(Exception):
    """The archive is not the segment that the tree has; the message says where."""


@dataclass(frozen=True)
class Archive:
    """What goes into an archive.

    Attributes:
        span: the leaves of the segment.
        bodies: its entries, in order, as they are kept.
        payloads: texts that entries name by their SHA-256.
        read_tile: gives the tiles of the segment.
        root: the hash of the segment.
        note: a signed checkpoint that covers it.
        proof: the hashes from `root` to the root of the checkpoint.
        vkeys: public keys of the log.
    """

    span: range
    bodies: Iterable[str]
    payloads: Iterable[str]
    read_tile: ReadTile
    root: bytes
    note: str
    proof: Sequence[bytes]
    vkeys: Sequence[str] = ()


def entries_path(span: range) -> str:
    """Name the file of the entries, as in a bundle."""
    return f"segments/{span.start // len(span):06}.jsonl"


def write_archive(target: IO[bytes], archive: Archive) -> None:
    """Write the zip file, holding few entries in memory."""
    span, first_tile = archive.span, archive.span.start // TILE_WIDTH
    with zipfile.ZipFile(target, "w", allowZip64=True) as file:
        _write(file, "checkpoint", [archive.note.encode()])
        lines = (f"{body}\n".encode() for body in archive.bodies)
        _write(file, entries_path(span), lines)
        for text in archive.payloads:
            raw = text.encode()
            _write(file, f"payloads/{sha256(raw).hexdigest()}", [raw])
        for index in range(first_tile, first_tile + len(span) // TILE_WIDTH):
            _write(file, tile_path(0, index), [archive.read_tile(0, index)])
        if len(span) == SEGMENT_LEAVES:
            number = span.start // len(span)
            _write(file, tile_path(1, number), [archive.read_tile(1, number)])
        for number, vkey in enumerate(archive.vkeys):
            _write(file, f"keys/{number}.vkey", [f"{vkey}\n".encode()])
        facts = {
            "format": FORMAT,
            "first_leaf": span.start,
            "last_leaf": span.stop - 1,
            "root": archive.root.hex(),
            "proof": [one.hex() for one in archive.proof],
        }
        _write(file, FACTS, [f"{json.dumps(facts, sort_keys=True)}\n".encode()])


def _write(file: zipfile.ZipFile, name: str, pieces: Iterable[bytes]) -> None:
    entry = zipfile.ZipInfo(name, _LONG_AGO)
    entry.compress_type = zipfile.ZIP_DEFLATED
    with file.open(entry, "w", force_zip64=True) as stream:
        for piece in pieces:
            stream.write(piece)


def verify_archive(source: IO[bytes], *, span: range, root: bytes) -> str:
    """Read an archive again: is it the segment with this hash, and complete?

    Args:
        source: the zip file, able to seek.
        span: the leaves that it should have.
        root: the hash that the tree has of them.

    Returns:
        The signed note inside, whose signature is for the caller to check.

    Raises:
        DamagedArchive: it is not what it should be.
    """
    try:
        with zipfile.ZipFile(source) as file:
            note = _read(file, "checkpoint").decode()
            _require_place(file, span, root, _checkpoint_of(note))
            if subtree(b"".join(_hashes_of_tiles(file, span))) != root:
                raise DamagedArchive("Its entries are not those of the tree.")
            return note
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError) as error:
        raise DamagedArchive(f"It cannot be read: {error}") from error


def _checkpoint_of(note: str) -> Checkpoint:
    try:
        return parse_checkpoint(note.partition("\n\n")[0] + "\n")
    except InvalidNote as error:
        raise DamagedArchive(f"Its checkpoint is none: {error}") from error


def _require_place(
    file: zipfile.ZipFile, span: range, root: bytes, checkpoint: Checkpoint
) -> None:
    facts: dict[str, Any] = json.loads(_read(file, FACTS))
    stated = {
        "format": FORMAT,
        "first_leaf": span.start,
        "last_leaf": span.stop - 1,
        "root": root.hex(),
    }
    if stated != {name: facts.get(name) for name in stated}:
        raise DamagedArchive("It is the archive of something else.")
    proof = [bytes.fromhex(one) for one in facts["proof"]]
    try:
        verify_segment(root, span, checkpoint.size, proof, checkpoint.root)
    except InvalidProof as error:
        raise DamagedArchive(f"It does not lead to its checkpoint: {error}") from error


def _hashes_of_tiles(file: zipfile.ZipFile, span: range) -> Iterator[bytes]:
    """Hash the entries, tile by tile; each must be the tile that lies beside them."""
    with file.open(entries_path(span)) as entries:
        first = span.start // TILE_WIDTH
        for index in range(first, first + len(span) // TILE_WIDTH):
            lines = list(islice(_lines(entries, file), TILE_WIDTH))
            hashes = b"".join(leaf_hash(line) for line in lines)
            if hashes != _read(file, tile_path(0, index)):
                raise DamagedArchive(f"Tile {index} is not that of its entries.")
            yield subtree(hashes)
        if entries.read(1):
            raise DamagedArchive("It has more entries than it should.")


def _lines(entries: IO[bytes], file: zipfile.ZipFile) -> Iterator[bytes]:
    while line := entries.readline(MAX_LINE_BYTES):
        if not line.endswith(b"\n"):
            raise DamagedArchive("An entry is cut off or too long.")
        for found in _DIGEST_OF_CHANGES.findall(line):
            if _digest_of(file, f"payloads/{found.decode()}") != found.decode():
                raise DamagedArchive(
                    "The changes of an entry are not those that it names."
                )
        yield line[:-1]


def _digest_of(file: zipfile.ZipFile, name: str) -> str:
    digest = sha256()
    with file.open(name) as stream:
        while piece := stream.read(PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _read(file: zipfile.ZipFile, name: str) -> bytes:
    if file.getinfo(name).file_size > max(MAX_FACTS_BYTES, TILE_WIDTH * HASH_BYTES):
        raise DamagedArchive(f"{name} is too large.")
    return file.read(name)
