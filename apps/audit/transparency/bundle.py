"""The exports that an auditor verifies alone: zip files of events and evidence."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import IO

from apps.audit.transparency.bundle_file import FORMAT, MANIFEST, BundleFile
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

__all__ = ["FORMAT", "MANIFEST"]

PRUNED = "pruned.json"  # only in a bundle of a trail of which segments were removed
BODIES_PER_WRITE = 512

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
If there is a folder `private`, it says which texts about people stand behind the
commitments in the events; `--private` verifies that as well.
"""
VERIFY_SELECTION = f"""\
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
    """What goes into an export.

    Attributes:
        note: the signed checkpoint that the export ends with.
        bodies: all events up to it, in the order of the tree, as they are kept.
        read_tile: gives the hashes of a tile, at least those that the note covers.
        earlier: signed checkpoints of smaller sizes, any number of them.
        vkeys: public keys of the log.
        disclosures: the personal data behind the commitments, one RFC 9901 disclosure
            each, sorted by commitment, asked for last; None leaves them out.
        payloads: changes that are kept apart, by the SHA-256 that an event has of them;
            asked for after the bodies.
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
        payloads: changes that are kept apart, by the SHA-256 that an event has of them;
            asked for after the events.
    """

    note: str
    events: Iterable[tuple[str, str, str]]
    vkeys: Sequence[str] = ()
    payloads: Iterable[tuple[str, str]] = ()


def write_bundle(target: IO[bytes], contents: Contents) -> str:
    """Write everything, holding no more than a few hundred events in memory.

    Args:
        target: open for writing, at its beginning, able to seek.
        contents: what to write.

    Returns:
        SHA-256 of the manifest, in hexadecimal; it stands for the whole export.

    Raises:
        ValueError: there are more or fewer bodies or hashes than the checkpoint says.
    """
    with BundleFile(target) as files:
        newest = checkpoint_of(contents.note)
        files.write("checkpoint", contents.note.encode())
        for note in contents.earlier:
            files.write(f"checkpoints/{checkpoint_of(note).size}", note.encode())
        _write_segments(files, contents, newest.size)
        _write_tiles(files, contents, newest.size)
        if contents.pruned:
            files.write(PRUNED, _pruned(contents.pruned))
        _write_more(files, contents)
        _write_keys(files, contents.vkeys)
        files.write("VERIFY.md", VERIFY.encode())
        return files.finish()


def write_selection(target: IO[bytes], selection: Selection) -> str:
    """Write the zip file of a filtered export; it cannot show what was left out.

    Returns:
        SHA-256 of the manifest, in hexadecimal.
    """
    with BundleFile(target) as files:
        files.write("checkpoint", selection.note.encode())
        for event_id, body, proof in selection.events:
            files.write(f"events/{event_id}.json", body.encode())
            files.write(f"proofs/{event_id}.tlog-proof", proof.encode())
        _write_payloads(files, selection.payloads)
        _write_keys(files, selection.vkeys)
        files.write("VERIFY.md", VERIFY_SELECTION.encode())
        return files.finish()


def _pruned(pruned: Sequence[Pruned]) -> bytes:
    """Word what is no longer there, and which archives have it."""
    facts = {
        "minimum_index": minimum_index(pruned),
        "segments": [asdict(one) for one in sorted(pruned)],
    }
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return f"{text}\n".encode()


def checkpoint_of(note: str) -> Checkpoint:
    """Read what a note of our own says; its signatures are not checked."""
    return parse_checkpoint(note.rpartition("\n\n")[0] + "\n")


def _write_segments(files: BundleFile, contents: Contents, size: int) -> None:
    bodies = iter(contents.bodies)
    for number, start in enumerate(range(0, size, SEGMENT_LEAVES)):
        if any(start in one for one in contents.pruned):
            continue
        count = min(SEGMENT_LEAVES, size - start)
        files.write_pieces(f"segments/{number:06}.jsonl", _segment(bodies, count))
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


def _joined(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def _write_tiles(files: BundleFile, contents: Contents, size: int) -> None:
    gone = {(0, index) for one in contents.pruned for index in one.tiles}
    for level, index in tile_coordinates(size):
        if (level, index) in gone:
            continue
        width = tile_width(level, index, size)
        hashes = contents.read_tile(level, index)[: width * HASH_BYTES]
        if len(hashes) != width * HASH_BYTES:
            raise ValueError(f"Tile {level}/{index} holds less than {width} hashes.")
        files.write(tile_path(level, index, width), hashes, packed=False)


def _write_more(files: BundleFile, contents: Contents) -> None:
    _write_payloads(files, contents.payloads)
    if contents.disclosures is not None:
        lines = iter(contents.disclosures)
        pieces = iter(lambda: list(islice(lines, BODIES_PER_WRITE)), [])
        files.write_pieces("private/disclosures.txt", map(_joined, pieces))
    for size, token in contents.stamps:
        files.write(f"timestamps/{size}.tsr", token)
    if contents.tsa_certificate:
        files.write("keys/tsa-ca.pem", contents.tsa_certificate.encode())


def _write_payloads(files: BundleFile, payloads: Iterable[tuple[str, str]]) -> None:
    written = set()
    for digest, changes in payloads:
        if digest not in written:
            files.write(f"payloads/{digest}", changes.encode())
            written.add(digest)


def _write_keys(files: BundleFile, vkeys: Sequence[str]) -> None:
    for number, vkey in enumerate(vkeys):
        files.write(f"keys/{number}.vkey", f"{vkey}\n".encode())
