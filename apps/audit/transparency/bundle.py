"""The exports that an auditor verifies alone: zip files of events and evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import IO

from apps.audit.transparency.archive import FORMAT, MANIFEST, Archive
from apps.audit.transparency.checkpoint import Checkpoint, parse_checkpoint
from apps.audit.transparency.proof import Proof, format_proof
from apps.audit.transparency.tiles import (
    ReadTile,
    tile_coordinates,
    tile_path,
    tile_width,
)
from apps.audit.transparency.tree import HASH_BYTES

__all__ = ["FORMAT", "MANIFEST"]

SEGMENT_LEAVES = 65_536  # one full tile of level 1
BODIES_PER_WRITE = 512
LINES_PER_WRITE = 2000

_NEEDED = """\
You need Python 3.8 or newer, and three things that must not come from this file:

1. the program `auditverify.py`, downloaded at another time or from another place;
2. the verification key of the log, as written down when the portal was installed;
3. a checkpoint of the log that somebody kept outside the portal's machines.
"""
_CODES = """\
Exit code 0 means verified; 1, tamper evidence; 2, wrong usage; 3, evidence is missing;
4, verified, but with nothing from outside to compare with, or older than you allowed.
The keys in the folder `keys` are for convenience only: whoever could change the events
could change them too.
"""
VERIFY = f"""\
# How to verify this export

{_NEEDED}
Then run, without any network:

    python3 auditverify.py bundle THIS-FILE.zip --log-key KEY --kept CHECKPOINT

{_CODES}
If there is a folder `private`, it says which names stand behind the commitments in the
events; `--private` verifies that as well.
"""
VERIFY_PROOFS = f"""\
# How to verify these events

Each event lies in the folder `events`, byte for byte as it was sealed. The file of the
same name in the folder `proofs` shows that it is in the log.

{_NEEDED}
Then run, without any network, for all of them

    python3 auditverify.py bundle THIS-FILE.zip --log-key KEY --kept CHECKPOINT

or, after unpacking, for one event

    python3 auditverify.py event proofs/ID.tlog-proof events/ID.json --log-key KEY

This shows that each event is genuine. It cannot show that no other event was left out:
only an export of everything can.

{_CODES}"""


@dataclass(frozen=True)
class Contents:
    """What goes into an export of everything.

    Attributes:
        note: the signed checkpoint that the export ends with.
        bodies: all events up to it, in the order of the tree, as they are kept.
        read_tile: gives the hashes of a tile, at least those that the note covers.
        earlier: signed checkpoints of smaller sizes, any number of them.
        vkeys: public keys of the log.
        payloads: changes too large for their events, asked for after the bodies.
        disclosures: what stands behind the commitments, sorted by commitment, asked for
            last; None when nobody is to see it.
    """

    note: str
    bodies: Iterable[str]
    read_tile: ReadTile
    earlier: Sequence[str] = ()
    vkeys: Sequence[str] = ()
    payloads: Iterable[str] = ()
    disclosures: Iterable[str] | None = None


@dataclass(frozen=True)
class ProvenEvent:
    """One event of the log and the proof that it is there.

    Attributes:
        event_id: names its files.
        body: as it was sealed.
        proof: ends at the checkpoint of the export.
        payload: its changes, when they were too large for the body.
    """

    event_id: str
    body: str
    proof: Proof
    payload: str = ""


def write_bundle(target: IO[bytes], contents: Contents) -> str:
    """Write everything, holding no more than a few hundred events in memory.

    Args:
        target: open for writing; need not be able to seek.
        contents: what to write.

    Returns:
        SHA-256 of the manifest, in hexadecimal; it stands for the whole export.

    Raises:
        ValueError: there are more or fewer bodies or hashes than the checkpoint says.
    """
    with Archive(target) as archive:
        newest = checkpoint_of(contents.note)
        archive.write("checkpoint", contents.note.encode())
        for note in contents.earlier:
            archive.write(f"checkpoints/{checkpoint_of(note).size}", note.encode())
        _write_segments(archive, iter(contents.bodies), newest.size)
        _write_tiles(archive, contents.read_tile, newest.size)
        _write_payloads(archive, contents.payloads)
        if contents.disclosures is not None:
            lines = _lines(iter(contents.disclosures))
            archive.write_pieces("private/disclosures.txt", lines)
        _write_keys(archive, contents.vkeys)
        archive.write("VERIFY.md", VERIFY.encode())
        return archive.finish()


def write_proofs(
    target: IO[bytes], note: str, events: Iterable[ProvenEvent], vkeys: Sequence[str]
) -> str:
    """Write some events, each with the proof that it is in the tree of `note`.

    Returns:
        SHA-256 of the manifest, in hexadecimal; it stands for the whole export.
    """
    with Archive(target) as archive:
        archive.write("checkpoint", note.encode())
        payloads = set()
        for event in events:
            proof = format_proof(event.proof)
            archive.write(f"proofs/{event.event_id}.tlog-proof", proof.encode())
            archive.write(f"events/{event.event_id}.json", event.body.encode())
            payloads |= {event.payload} - {""}
        _write_payloads(archive, sorted(payloads))
        _write_keys(archive, vkeys)
        archive.write("VERIFY.md", VERIFY_PROOFS.encode())
        return archive.finish()


def checkpoint_of(note: str) -> Checkpoint:
    """Read what a note of our own says; its signatures are not checked."""
    return parse_checkpoint(note.rpartition("\n\n")[0] + "\n")


def _write_segments(archive: Archive, bodies: Iterator[str], size: int) -> None:
    for number, start in enumerate(range(0, size, SEGMENT_LEAVES)):
        count = min(SEGMENT_LEAVES, size - start)
        archive.write_pieces(f"segments/{number:06}.jsonl", _segment(bodies, count))
    if next(bodies, None) is not None:
        raise ValueError(f"There are more than the {size} events of the checkpoint.")


def _segment(bodies: Iterator[str], count: int) -> Iterator[bytes]:
    """Take exactly so many bodies and join them, some hundred at a time."""
    while count:
        taken = list(islice(bodies, min(count, BODIES_PER_WRITE)))
        if not taken:
            raise ValueError(f"{count} events of the checkpoint are missing.")
        yield _joined(taken)
        count -= len(taken)


def _lines(lines: Iterator[str]) -> Iterator[bytes]:
    while taken := list(islice(lines, LINES_PER_WRITE)):
        yield _joined(taken)


def _joined(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def _write_tiles(archive: Archive, read_tile: ReadTile, size: int) -> None:
    for level, index in tile_coordinates(size):
        width = tile_width(level, index, size)
        hashes = read_tile(level, index)[: width * HASH_BYTES]
        if len(hashes) != width * HASH_BYTES:
            raise ValueError(f"Tile {level}/{index} holds less than {width} hashes.")
        archive.write(tile_path(level, index, width), hashes, packed=False)


def _write_payloads(archive: Archive, payloads: Iterable[str]) -> None:
    written = set()
    for payload in payloads:
        name = f"payloads/{sha256(payload.encode()).hexdigest()}"
        if name not in written:
            archive.write(name, payload.encode())
            written.add(name)


def _write_keys(archive: Archive, vkeys: Sequence[str]) -> None:
    for number, vkey in enumerate(vkeys):
        archive.write(f"keys/{number}.vkey", f"{vkey}\n".encode())
