"""The export that an auditor verifies alone: one zip file of events and evidence."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from itertools import islice
from typing import IO

from apps.audit.transparency.checkpoint import Checkpoint, parse_checkpoint
from apps.audit.transparency.pruning import (
    SEGMENT_LEAVES,
    Pruned,
    minimum_index,
)
from apps.audit.transparency.tiles import (
    ReadTile,
    tile_coordinates,
    tile_path,
    tile_width,
)
from apps.audit.transparency.tree import HASH_BYTES

FORMAT = "audit-bundle/1"
MANIFEST = "MANIFEST.json"
PRUNED = "pruned.json"  # only in a bundle of a trail of which segments were removed
BODIES_PER_WRITE = 512
_FAST = 1  # of deflate: events shrink to a quarter, and time counts more
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same export is the same file

VERIFY = """\
# How to verify this export

You need Python 3.8 or newer, and three things that must not come from this file:

1. the program `auditverify.py`, downloaded at another time or from another place;
2. the verification key of the log, as written down when the portal was installed;
3. a checkpoint of the log that somebody kept outside the portal's machines.

Then run, without any network:

    python3 auditverify.py bundle THIS-FILE.zip --log-key KEY --kept CHECKPOINT

Exit code 0 means verified; 1, tamper evidence; 2, wrong usage; 3, evidence is missing;
4, verified, but with nothing from outside to compare with, or older than you allowed.
The keys in the folder `keys` are for convenience only: whoever could change the events
could change them too.
"""


@dataclass(frozen=True)
class Contents:
    """What goes into an export.

    Attributes:
        note: the signed checkpoint that the export ends with.
        bodies: all events up to it, in the order of the tree, as they are kept.
        read_tile: gives the hashes of a tile, at least those that the note covers.
        earlier: signed checkpoints of smaller sizes, any number of them.
        vkeys: public keys of the log.
        disclosures: the personal data behind the commitments, one RFC 9901 disclosure
            each, sorted by commitment; None leaves them out.
        payloads: changes that are kept apart, by the SHA-256 that an event has of them.
        stamps: tokens of a time stamp authority, by the size of the checkpoint.
        tsa_certificate: of that authority, PEM.
        pruned: segments that are no longer there; `bodies` has none of theirs.
    """

    note: str
    bodies: Iterable[str]
    read_tile: ReadTile
    earlier: Sequence[str] = ()
    vkeys: Sequence[str] = ()
    disclosures: Iterable[str] | None = None
    payloads: Iterable[tuple[str, str]] = ()
    stamps: Iterable[tuple[int, bytes]] = ()
    tsa_certificate: str = ""
    pruned: Sequence[Pruned] = ()


@dataclass(frozen=True)
class Selection:
    """Some events, each with the proof that it is genuine.

    Attributes:
        note: the signed checkpoint that all proofs lead to.
        events: id, canonical text and proof (`c2sp.org/tlog-proof@v1`) of each.
        vkeys: public keys of the log.
    """

    note: str
    events: Iterable[tuple[str, str, str]]
    vkeys: Sequence[str] = ()


def write_bundle(target: IO[bytes], contents: Contents) -> str:
    """Write the zip file, holding no more than a few hundred events in memory.

    Args:
        target: open for writing; need not be able to seek.
        contents: what to write.

    Returns:
        SHA-256 of the manifest, in hexadecimal; it stands for the whole export.

    Raises:
        ValueError: there are more or fewer bodies or hashes than the checkpoint says.
    """
    with zipfile.ZipFile(target, "w", allowZip64=True) as archive:
        files = _Files(archive)
        newest = _checkpoint_of(contents.note)
        files.write("checkpoint", [contents.note.encode()])
        for note in contents.earlier:
            files.write(f"checkpoints/{_checkpoint_of(note).size}", [note.encode()])
        _write_segments(files, contents, newest.size)
        _write_tiles(files, contents, newest.size)
        if contents.pruned:
            files.write(PRUNED, [_pruned(contents.pruned)])
        _write_more(files, contents)
        _write_keys(files, contents.vkeys)
        return files.finish()


def write_selection(target: IO[bytes], selection: Selection) -> str:
    """Write the zip file of a filtered export; it cannot show what was left out.

    Returns:
        SHA-256 of the manifest, in hexadecimal.
    """
    with zipfile.ZipFile(target, "w", allowZip64=True) as archive:
        files = _Files(archive)
        files.write("checkpoint", [selection.note.encode()])
        for event_id, body, proof in selection.events:
            files.write(f"events/{event_id}.json", [body.encode()])
            files.write(f"proofs/{event_id}.tlog-proof", [proof.encode()])
        _write_keys(files, selection.vkeys)
        return files.finish()


@dataclass(frozen=True)
class _Files:
    """The files of an archive, each remembered with its digest."""

    archive: zipfile.ZipFile
    digests: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, pieces: Iterable[bytes], *, packed: bool = True) -> None:
        entry, digest = zipfile.ZipInfo(name, _LONG_AGO), sha256()
        entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        entry._compresslevel = _FAST  # type: ignore[attr-defined]
        with self.archive.open(entry, "w", force_zip64=True) as stream:
            for piece in pieces:
                digest.update(piece)
                stream.write(piece)
        self.digests[name] = digest.hexdigest()

    def finish(self) -> str:
        """Write the manifest, last, and give its digest."""
        manifest = {"files": self.digests, "format": FORMAT}
        text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
        self.write(MANIFEST, [f"{text}\n".encode()])
        return self.digests[MANIFEST]


def _pruned(pruned: Sequence[Pruned]) -> bytes:
    """Word what is no longer there, and which archives have it."""
    facts = {
        "minimum_index": minimum_index(pruned),
        "segments": [asdict(one) for one in sorted(pruned)],
    }
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return f"{text}\n".encode()


def _write_more(files: _Files, contents: Contents) -> None:
    if contents.disclosures is not None:
        lines = (f"{one}\n".encode() for one in contents.disclosures)
        files.write("private/disclosures.txt", lines)
    for digest, changes in contents.payloads:
        files.write(f"payloads/{digest}", [changes.encode()])
    for size, token in contents.stamps:
        files.write(f"timestamps/{size}.tsr", [token])
    if contents.tsa_certificate:
        files.write("keys/tsa-ca.pem", [contents.tsa_certificate.encode()])


def _write_keys(files: _Files, vkeys: Sequence[str]) -> None:
    for number, vkey in enumerate(vkeys):
        files.write(f"keys/{number}.vkey", [f"{vkey}\n".encode()])
    files.write("VERIFY.md", [VERIFY.encode()])


def _checkpoint_of(note: str) -> Checkpoint:
    return parse_checkpoint(note.rpartition("\n\n")[0] + "\n")


def _write_segments(files: _Files, contents: Contents, size: int) -> None:
    bodies = iter(contents.bodies)
    for number, start in enumerate(range(0, size, SEGMENT_LEAVES)):
        if any(start in one for one in contents.pruned):
            continue
        count = min(SEGMENT_LEAVES, size - start)
        files.write(f"segments/{number:06}.jsonl", _lines(bodies, count))
    if next(bodies, None) is not None:
        raise ValueError(f"There are more than the {size} events of the checkpoint.")


def _lines(bodies: Iterator[str], count: int) -> Iterator[bytes]:
    """Take exactly so many bodies and join them, some hundred at a time."""
    while count:
        taken = list(islice(bodies, min(count, BODIES_PER_WRITE)))
        if not taken:
            raise ValueError(f"{count} events of the checkpoint are missing.")
        yield "".join(f"{body}\n" for body in taken).encode()
        count -= len(taken)


def _write_tiles(files: _Files, contents: Contents, size: int) -> None:
    gone = {(0, index) for one in contents.pruned for index in one.tiles}
    for level, index in tile_coordinates(size):
        if (level, index) in gone:
            continue
        width = tile_width(level, index, size)
        hashes = contents.read_tile(level, index)[: width * HASH_BYTES]
        if len(hashes) != width * HASH_BYTES:
            raise ValueError(f"Tile {level}/{index} holds less than {width} hashes.")
        files.write(tile_path(level, index, width), [hashes], packed=False)
