#!/usr/bin/env python3
"""Verify an export of the audit trail, without the portal and without a network.

    python3 auditverify.py bundle EXPORT.zip --log-key KEY --kept CHECKPOINT

One file, Python 3.8 or newer, nothing to install. The key is the one you wrote down
when the portal was installed, never one that came with the export. A kept checkpoint is
a copy that you, or anyone outside the portal's machines, saved earlier.

Answers: 0 verified; 1 tamper evidence; 2 wrong usage; 3 evidence incomplete;
4 verified, but stale or without anything from outside the export to compare with.

To read this program, start near the end of it: `main` chooses a command, `examine` is
the command `bundle`, and everything above serves them, in this order:

    what is found        the rules, each with what contradicts and what follows
    signatures           Ed25519, keys, signed notes, checkpoints, cosignatures
    the tree             hashes, tiles, proofs
    canonical spelling   one text, one meaning
    files                a zip or a folder, each file held against the manifest
    segments             65,536 events at a time, in one process for each core
    the examination      all events against all checkpoints
    further evidence     pruned segments, time stamps, personal data, proofs, filters
    other commands       event, certificate, sign-off, consistency, csv, witness
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import json
import os
import re
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import lru_cache, partial
from itertools import islice
from multiprocessing import get_context, resource_tracker
from typing import Any, BinaryIO

VERIFIED, TAMPERED, USAGE, INCOMPLETE, UNSUPPORTED = range(5)
VERDICTS = {
    VERIFIED: "VERIFIED",
    TAMPERED: "TAMPER EVIDENCE",
    INCOMPLETE: "EVIDENCE INCOMPLETE",
    UNSUPPORTED: "VERIFIED, BUT ONLY AGAINST ITSELF OR STALE",
}
FORMAT = "audit-bundle/1"
MANIFEST = "MANIFEST.json"
DISCLOSURES = "private/disclosures.txt"
PRUNED = "pruned.json"
ARCHIVE_FACTS = "ARCHIVE.json"
COPIES = {  # for people, or looked into only if asked; nothing relies on them
    "VERIFY.md", "events.csv", "report.html", "report.pdf", "auditverify.py",
    "assessment-results.json", DISCLOSURES,
}  # fmt: skip
LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}  # left behind by file managers

HASH_BYTES = 32
TILE_WIDTH = 256
SEGMENT_LEAVES = 65_536
MAX_BODY_BYTES = 65_535
MAX_NOTE_BYTES = 1_000_000
MAX_MANIFEST_BYTES = 32_000_000
MAX_CHECKPOINTS = 10_000
MAX_PROOFS = 100_000
MAX_CELL = 131_072  # characters of a CSV; an event has at most half as many
MAX_INTEGER = 2**53 - 1
MAX_SIGNATURES = 100
MAX_PROOF_HASHES = 63
CLOCKS_DIFFER = timedelta(hours=1)
MAX_REMEMBERED = 500_000  # commitments, or rows of a filtered export
PIECE_BYTES = 1 << 18
SHOWN_PER_RULE = 20
FEW_SEGMENTS = 4  # not worth a second process
OPENSSL_SECONDS = 30
UNREADABLE = (
    OSError, ValueError, RuntimeError, EOFError, MemoryError,
    struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


# What is found


@dataclass(frozen=True)
class Rule:
    """What holds in an untouched export.

    Attributes:
        against: the evidence that contradicts when it does not hold.
        meaning: what then follows.
        tamper: whether that is evidence of tampering, or only of something missing.
    """

    against: str
    meaning: str
    tamper: bool = True


ITSELF = "the export itself"
LOG_KEY = "the key of the log that you gave"
AS_EXPORTED = "This file is not as it was exported."
ASK_AGAIN = "Without it nothing can be said. Ask for a complete export."
ITS_ARCHIVE = "It may be among the pruned events. Give their archive (--archive)."

RULES = {
    # files
    "file.missing": Rule("the manifest", ASK_AGAIN, tamper=False),
    "file.unreadable": Rule(ITSELF, ASK_AGAIN, tamper=False),
    "file.twice": Rule(ITSELF, "Two readers could read two different files."),
    "file.digest": Rule("the manifest", AS_EXPORTED),
    "file.size": Rule(ITSELF, AS_EXPORTED),
    "file.unknown": Rule(ITSELF, "Somebody put this into the export."),
    "manifest.form": Rule(ITSELF, AS_EXPORTED),
    "process": Rule(ITSELF, "A process ended early. Try with --jobs 1.", tamper=False),
    # events and tree
    "file.line": Rule(ITSELF, "The rest of this file was not read."),
    "segment.lines": Rule(ITSELF, "Events are missing here, or were put in."),
    "body.form": Rule(
        ITSELF, "Two readers could read two different facts from these bytes."
    ),
    "tile.hash": Rule(
        "the hashes that were made when the event was sealed",
        "From here on an event was edited, removed, added or moved after the tile was "
        "made, or the tile itself was changed.",
    ),
    "root": Rule(
        "a checkpoint that the log signed",
        "Events up to here are not those that the log signed.",
    ),
    "size": Rule(
        "a checkpoint that the log signed", "Events that the log signed are missing."
    ),
    "size.more": Rule(
        "the newest checkpoint", "There are events that the log did not sign."
    ),
    "root.kept": Rule(
        "the copy that was kept outside",
        "Events up to here were changed, removed, added or moved after this copy was "
        "kept.",
    ),
    "size.kept": Rule(
        "the copy that was kept outside",
        "Events that existed when this copy was kept are missing. Either they were cut "
        "off, or this export is older than the copy; then ask for a newer one.",
    ),
    # pruned segments
    "pruned.form": Rule(ITSELF, AS_EXPORTED),
    "pruned.told": Rule(
        "a sealed event about these events",
        "The export says something else of what was pruned than was agreed.",
    ),
    "pruned.untold": Rule(
        ITSELF,
        "Events are missing, and no event here says that this was agreed. If the one "
        "that does was pruned as well, give its archive (--archive).",
        tamper=False,
    ),
    "archive": Rule(
        "the digest in a sealed event",
        "This archive was changed after it was made.",
    ),
    "archive.other": Rule(
        "the digests in the export",
        "This is no archive of what was pruned, or it is damaged. It was not used.",
        tamper=False,
    ),
    # checkpoints and signatures
    "checkpoint.form": Rule(ITSELF, AS_EXPORTED),
    "checkpoint.name": Rule(ITSELF, AS_EXPORTED),
    "signature": Rule(
        LOG_KEY, "The log did not sign this. It was forged, or the key is another."
    ),
    "origin": Rule("another checkpoint", "These are two different logs."),
    "origin.pruned": Rule(
        "another checkpoint",
        f"These are two different logs, unless an event joins them. {ITS_ARCHIVE}",
        tamper=False,
    ),
    "history.gap": Rule(
        "the copy that was kept outside",
        "Events that existed when this copy was kept are missing. An administrator of "
        "the portal declared them lost; whether that was an accident, no export can "
        "say.",
    ),
    "witness": Rule(
        "the key of the witness that you gave",
        "The witness did not sign this. It was forged, or the key is another.",
    ),
    "witness.quorum": Rule(
        "the witnesses that you named",
        "No checkpoint here was confirmed by enough of them. Ask for an export with "
        "cosignatures.",
        tamper=False,
    ),
    # time stamps
    "timestamp": Rule(
        "a time stamp of the authority",
        "The checkpoint is not the one that was time-stamped.",
    ),
    "timestamp.unverified": Rule(
        "the certificate of the authority that you gave",
        "The time stamp says nothing. It is damaged, of another authority, or its "
        "certificate has expired.",
        tamper=False,
    ),
    "timestamp.missing": Rule(
        ITSELF, "There is no time stamp to check. Ask for one.", tamper=False
    ),
    "timestamp.tool": Rule(
        ITSELF,
        "Time stamps are checked by the program openssl, which is not installed here.",
        tamper=False,
    ),
    # personal data and large changes
    "private.form": Rule(ITSELF, AS_EXPORTED),
    "private.unnamed": Rule(
        "the sealed events", "No event speaks of this value. It was put in or changed."
    ),
    "private.unexplained": Rule(
        "the sealed events",
        "A person's data is missing without an event that tells of its erasure.",
    ),
    "private.pruned": Rule(
        "the sealed events",
        f"No event here tells of the erasure of a person's data. {ITS_ARCHIVE}",
        tamper=False,
    ),
    "private.erased": Rule(
        "an event that tells of the erasure",
        "This was said to be erased, and it still is here.",
    ),
    "private.many": Rule(ITSELF, "More than this program remembers.", tamper=False),
    "payload": Rule("the digest in its name", "These changes are not as recorded."),
    "payload.unnamed": Rule(
        "the sealed events", "No event speaks of these changes. They were put in."
    ),
    # single proofs and lists
    "proof.form": Rule(ITSELF, "This is no proof (c2sp.org/tlog-proof@v1)."),
    "proof": Rule(
        "the checkpoint in the proof", "The log never had this event at this place."
    ),
    "certificate": Rule(
        "the sealed event", "This certificate is not the one that was recorded."
    ),
    "certificate.form": Rule(ITSELF, "This is no certificate with its event."),
    "certificate.file": Rule(
        "the certificate", "The certificate does not speak of this file."
    ),
    "sign-off": Rule(
        "the sealed event", "This is not the text that was signed."
    ),
    "sign-off.form": Rule(ITSELF, "This is no record of signatures with their events."),
    "sign-off.evidence": Rule(
        "the signatures", "The list of evidence is not what was signed."
    ),
    "consistency": Rule(
        "the older checkpoint",
        "The newer state does not continue the older one: history was changed.",
    ),
    "consistency.form": Rule(ITSELF, "This is no proof of consistency.", tamper=False),
    "row": Rule("the sealed event", "This row says something else than the event."),
    "row.form": Rule(ITSELF, "The row cannot be compared.", tamper=False),
    "row.newer": Rule(
        "the export", "The event is newer than the export. Ask for a newer one.",
        tamper=False,
    ),
    "row.pruned": Rule(
        ITSELF, "The event was pruned. Give its archive (--archive).", tamper=False
    ),
    "filter.added": Rule(
        "the sealed events", "The list has a row that its filter does not give."
    ),
    "filter.missing": Rule(
        "the sealed events", "An event that the filter gives was left out of the list."
    ),
    "filter.count": Rule("the last line of the list", "Rows were removed or added."),
    "filter.form": Rule(
        ITSELF, "The filter of this list cannot be run again here.", tamper=False
    ),
    # witness
    "witness.behind": Rule(
        "the state of this witness",
        "The proof must start from the size that this witness holds.",
        tamper=False,
    ),
    "witness.form": Rule(ITSELF, "This asks nothing of a witness.", tamper=False),
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One contradiction (tamper) or gap (not tamper) in the evidence."""

    index: int | None
    tamper: bool
    rule: str
    place: str
    field: str
    expected: str
    found: str
    against: str
    meaning: str


def plain(text: str) -> str:
    """Write hostile text so that no terminal can be led astray."""
    return text[:300].encode("unicode_escape").decode("ascii")


class Report:
    """The findings, cut to the first of each rule, and what was seen on the way.

    Attributes:
        facts: what an answer for programs has beside the findings.
        lines: the same as sentences.
        doubts: what the evidence cannot show although nothing contradicts.
    """

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.counts: dict[str, int] = {}
        self.facts: dict[str, Any] = {}
        self.lines: list[str] = []
        self.doubts: list[str] = []

    def add(self, rule: str, place: str, *facts: str, index: int | None = None) -> None:
        """Take down a finding: rule, place, field, expected, found."""
        of = RULES[rule]
        shown = [plain(fact) for fact in (rule, place, *facts)]
        rest = {"against": of.against, "meaning": of.meaning}
        self.take(Finding(index, of.tamper, *shown, **rest))

    def take(self, finding: Finding) -> None:
        self.counts[finding.rule] = self.counts.get(finding.rule, 0) + 1
        if self.counts[finding.rule] <= SHOWN_PER_RULE:
            self.findings.append(finding)

    def take_all(self, other: Report) -> None:
        """Add the findings of another process."""
        for finding in other.findings:
            self.take(finding)
        for rule, count in other.counts.items():
            self.counts[rule] += max(0, count - SHOWN_PER_RULE)

    def exit_code(self) -> int:
        if any(RULES[rule].tamper for rule in self.counts):
            return TAMPERED
        if self.counts:
            return INCOMPLETE
        return UNSUPPORTED if self.doubts else VERIFIED


# Signatures: Ed25519 (RFC 8032, section 5.1)

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)  # x, y, z and x·y, each divided by z


def point_add(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    minus = (a[1] - a[0]) * (b[1] - b[0]) % P
    plus = (a[1] + a[0]) * (b[1] + b[0]) % P
    cross, depth = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = plus - minus, depth - cross, depth + cross, plus + minus
    return e * f % P, g * h % P, f * g % P, e * h % P


@lru_cache(maxsize=32)
def multiples(point: tuple[int, ...]) -> list[list[tuple[int, ...]]]:
    """Compute 0 to 15 times the point, then 16 times as much of each, 64 rows."""
    rows = []
    for _ in range(64):
        row: list[tuple[int, ...]] = [NEUTRAL]
        for _ in range(15):
            row.append(point_add(row[-1], point))
        rows.append(row)
        point = point_add(row[-1], point)
    return rows


def point_times(scalar: int, point: tuple[int, ...]) -> tuple[int, ...]:
    total: tuple[int, ...] = NEUTRAL
    for row in multiples(point):
        total, scalar = point_add(total, row[scalar & 15]), scalar >> 4
    return total


def point_from(encoded: bytes) -> tuple[int, ...] | None:
    number = int.from_bytes(encoded, "little")
    y, odd = number % 2**255, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_MINUS_ONE % P
    if y >= P or (x * x - square) % P or (x == 0 and odd):
        return None
    x = x if x % 2 == odd else P - x
    return x, y, 1, x * y % P


def point_bytes(point: tuple[int, ...]) -> bytes:
    inverse = pow(point[2], -1, P)
    odd = (point[0] * inverse % P & 1) << 255
    return (point[1] * inverse % P | odd).to_bytes(HASH_BYTES, "little")


BASE = point_from((4 * pow(5, -1, P) % P).to_bytes(HASH_BYTES, "little")) or NEUTRAL


def challenge(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % ORDER


def signature_is_valid(public: bytes, message: bytes, signature: bytes) -> bool:
    point = point_from(public)
    scalar = int.from_bytes(signature[HASH_BYTES:], "little")
    if point is None or len(signature) != 64 or scalar >= ORDER:
        return False
    times = challenge(signature[:HASH_BYTES], public, message)
    negated = (P - point[0], point[1], 1, P - point[3])
    expected = point_add(point_times(scalar, BASE), point_times(times, negated))
    return point_bytes(expected) == signature[:HASH_BYTES]


def secret_of(seed: bytes) -> tuple[int, bytes]:
    digest = hashlib.sha512(seed).digest()
    number = int.from_bytes(digest[:HASH_BYTES], "little")
    return number & (2**254 - 8) | 2**254, digest[HASH_BYTES:]


def public_of(seed: bytes) -> bytes:
    return point_bytes(point_times(secret_of(seed)[0], BASE))


def sign(seed: bytes, message: bytes) -> bytes:
    """Sign as a witness; the time it takes depends on the key, so keep others away."""
    secret, prefix = secret_of(seed)
    once = challenge(prefix, message)
    commitment = point_bytes(point_times(once, BASE))
    proof = once + challenge(commitment, public_of(seed), message) * secret
    return commitment + (proof % ORDER).to_bytes(HASH_BYTES, "little")


# Signatures: notes, checkpoints and cosignatures
# (C2SP signed-note, tlog-checkpoint, tlog-cosignature)

LOG, WITNESS = b"\x01", b"\x04"  # the kinds of key
PRIVATE = "PRIVATE+KEY+"
NAME = re.compile(r"[^\s+]{1,255}")
KEY_LINE = re.compile(r"([^\s+]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{1,100})")
SIGNATURE_LINE = re.compile("\u2014 ([^\\s+]{1,255}) ([A-Za-z0-9+/=]{1,10000})")
CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
SIZE_LINE = re.compile(r"0|[1-9][0-9]{0,15}")


class Malformed(ValueError):
    """The text is not in its one allowed form."""


class Forged(ValueError):
    """There is a signature under a known key, and it does not fit the text."""


@dataclass(frozen=True)
class Key:
    name: str
    identifier: bytes
    material: bytes  # the public key, or the seed of a private one
    kind: bytes = LOG


@dataclass(frozen=True)
class Note:
    """A signed text.

    Attributes:
        signatures: name, the bytes that were signed with, and the line itself.
    """

    text: str
    signatures: tuple[tuple[str, bytes, str], ...]

    def signed_by(self, key: Key) -> bytes | None:
        """Give the first signature that says to be of this key, unchecked."""
        for name, signed, _ in self.signatures:
            if (name, signed[:4]) == (key.name, key.identifier):
                return signed[4:]
        return None


@dataclass(frozen=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes


def from_base64(text: str) -> bytes:
    try:
        decoded = base64.b64decode(text.encode(), validate=True)
    except ValueError:
        decoded = b""
    if base64.b64encode(decoded) != text.encode():
        raise Malformed("not base64 in its one canonical spelling")
    return decoded


def from_base64_hash(text: str) -> bytes:
    decoded = from_base64(text)
    if len(decoded) != HASH_BYTES:
        raise Malformed("not a hash of 32 bytes")
    return decoded


def size_from(text: str) -> int:
    if not SIZE_LINE.fullmatch(text) or int(text) > MAX_INTEGER:
        raise Malformed("not a plain number")
    return int(text)


def key_id(name: str, typed: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4]


def parse_key(text: str, kind: bytes = LOG, *, private: bool = False) -> Key:
    found = KEY_LINE.fullmatch(text)
    if not found:
        raise Malformed("a key reads NAME+ID+KEY")
    name, identifier, typed = found[1], bytes.fromhex(found[2]), from_base64(found[3])
    if typed[:1] not in (LOG, WITNESS) or len(typed) != 1 + HASH_BYTES:
        raise Malformed("not an Ed25519 key")
    if typed[:1] != kind:
        raise Malformed("a witness has another kind of key than a log")
    public = public_of(typed[1:]) if private else typed[1:]
    if key_id(name, kind + public) != identifier:
        raise Malformed("name, id and key do not belong together: a character is wrong")
    return Key(name, identifier, typed[1:], kind)


def parse_note(raw: bytes) -> Note:
    try:
        note = raw.decode("utf-8")
    except ValueError:
        raise Malformed("not UTF-8") from None
    text, gap, below = note.rpartition("\n\n")
    lines = below.split("\n")
    if not gap or CONTROL.search(note) or lines.pop() or not lines:
        raise Malformed("not a signed note")
    found = [SIGNATURE_LINE.fullmatch(line) for line in lines[: MAX_SIGNATURES + 1]]
    if len(found) > MAX_SIGNATURES or not all(found):
        raise Malformed("a line below the text is no signature")
    signatures = [(one[1], from_base64(one[2]), one[0]) for one in found if one]
    if any(len(signed) < 5 for _, signed, _ in signatures):
        raise Malformed("a signature is too short")
    return Note(text + "\n", tuple(signatures))


def parse_checkpoint(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) != 4 or lines.pop() or not all(lines):
        raise Malformed("a checkpoint is three lines: name, size and root")
    origin, size, root = lines
    return Checkpoint(origin, size_from(size), from_base64_hash(root))


def signature_fault(note: Note, origin: str, keys: list[Key]) -> str:
    """Say what is wrong with the signatures of a checkpoint; empty when one is good."""
    signers = set()
    for key in keys:
        signed = note.signed_by(key)
        if signed is None:
            continue
        if not signature_is_valid(key.material, note.text.encode(), signed):
            return "a signature under your key that does not fit the text"
        signers.add(key.name)
    return "" if origin in signers else "no signature of the log under your key"


def timed(moment: int, text: str) -> bytes:
    """Write what a witness signs: the checkpoint and when it saw it."""
    return f"cosignature/v1\ntime {moment}\n{text}".encode()


def cosigned_at(note: Note, key: Key) -> int | None:
    """Say when this witness signed the checkpoint; None when it did not.

    Raises:
        Forged: there is such a signature, and it is wrong.
    """
    signed = note.signed_by(key)
    if signed is None:
        return None
    moment = int.from_bytes(signed[:8], "big")
    if not 0 < moment < 2**63 or not signature_is_valid(
        key.material, timed(moment, note.text), signed[8:]
    ):
        raise Forged(f"a cosignature of {key.name} that does not fit the text")
    return moment


# The tree (RFC 6962) in tiles (C2SP tlog-tiles)

LEAF, NODE = hashlib.sha256(b"\x00"), hashlib.sha256(b"\x01")


def leaf_hash(body: bytes) -> bytes:
    hashing = LEAF.copy()
    hashing.update(body)
    return hashing.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    hashing = NODE.copy()
    hashing.update(left + right)
    return hashing.digest()


def fold(hashes: list[bytes]) -> bytes:
    """Join the hashes of 1, 2, 4, ... leaves or subtrees into one."""
    while len(hashes) > 1:
        pairs = range(0, len(hashes), 2)
        hashes = [node_hash(hashes[n], hashes[n + 1]) for n in pairs]
    return hashes[0]


def peaks(hashes: list[bytes]) -> list[bytes]:
    """Join any number of hashes into perfect subtrees, as large as they can be."""
    found, start = [], 0
    while start < len(hashes):
        length = 1 << (len(hashes) - start).bit_length() - 1
        found.append(fold(hashes[start : start + length]))
        start += length
    return found


def join(subtrees: list[bytes]) -> bytes:
    """Join perfect subtrees, the largest first, into the root of the whole tree."""
    if not subtrees:
        return hashlib.sha256().digest()
    joined = subtrees[-1]
    for left in reversed(subtrees[:-1]):
        joined = node_hash(left, joined)
    return joined


def tiles_of(hashes: list[bytes]) -> Iterator[list[bytes]]:
    return (
        hashes[start : start + TILE_WIDTH]
        for start in range(0, len(hashes), TILE_WIDTH)
    )


def tile_name(level: int, index: int, width: int) -> str:
    name, rest = f"{index % 1000:03}", index // 1000
    while rest:
        name, rest = f"x{rest % 1000:03}/{name}", rest // 1000
    return f"tile/{level}/{name}" + (f".p/{width}" if width < TILE_WIDTH else "")


def climb(position: int, last: int) -> tuple[int, int]:
    """Skip the levels at which a last node without sibling is passed up unchanged."""
    while position and not position & 1:
        position, last = position >> 1, last >> 1
    return position, last


def root_from_inclusion(
    leaf: bytes, index: int, size: int, proof: list[bytes]
) -> bytes:
    """Compute the root that the proof leads to (RFC 9162, 2.1.3.2).

    Raises:
        Malformed: the proof has another length than such a tree asks.
    """
    if index >= size:
        raise Malformed(f"no event {index} among {size}")
    position, last, joined = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise Malformed("too many hashes")
        if position & 1 or position == last:
            joined = node_hash(sibling, joined)
            position, last = climb(position, last)
        else:
            joined = node_hash(joined, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise Malformed("too few hashes")
    return joined


def is_consistent(old: Checkpoint, new: Checkpoint, proof: list[bytes]) -> bool:
    """Say whether the new tree begins with the old one (RFC 9162, 2.1.4.2)."""
    if old.size > new.size:
        return False
    if old.size in (0, new.size):
        begin = join([]) if old.size == 0 else new.root
        return not proof and old.root == begin
    path = [old.root, *proof] if old.size & (old.size - 1) == 0 else proof
    if not path:
        return False
    position, last = old.size - 1, new.size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    older = newer = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            position, last = climb(position, last)
        else:
            newer = node_hash(newer, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and (older, newer) == (old.root, new.root)


# Canonical spelling: one text, one meaning

BODY_KEY = re.compile(r"[a-z0-9_]+")
HINT_BYTES = 24  # so far at least the kind of the event reads
MAX_SHAPES = 1000
MAX_SHAPES_OF_A_HINT = 8
MAX_SHAPE_BYTES = 4096
PLAIN = bytes(one for one in range(0x20, 0x100) if one != 0x5C)  # no backslash
PLAIN_LINES = PLAIN + b"\n"
SMALL_INTEGER = rb"(?:0|-?[1-9][0-9]{0,14})"
INTEGER = re.compile(rb"(-?[0-9]+)")


def refuse(text: str) -> None:
    raise Malformed(f"not a number of this format: {text[:20]}")


def whole(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise Malformed("an integer that not every reader understands alike")
    return int(text)


def named(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for name, _ in pairs:
        if not BODY_KEY.fullmatch(name):
            raise Malformed("a name that is not of a-z, 0-9 and _")
    return dict(pairs)


READ_NUMBERS = {"parse_float": refuse, "parse_constant": refuse, "parse_int": whole}
DECODER = json.JSONDecoder(**READ_NUMBERS)  # type: ignore[arg-type]
BODY_DECODER = json.JSONDecoder(object_pairs_hook=named, **READ_NUMBERS)  # type: ignore[arg-type]
ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def decode(text: bytes, decoder: json.JSONDecoder = BODY_DECODER) -> dict[str, Any]:
    """Read JSON that has one spelling only, so that no two readers can disagree."""
    try:
        value = decoder.decode(text.decode("utf-8"))
    except RecursionError:
        raise Malformed("nested too deeply") from None
    if not isinstance(value, dict) or ENCODER.encode(value).encode("utf-8") != text:
        raise Malformed("not an object in canonical spelling")
    return value


class Shapes:
    """Tells canonical bodies at a glance, once it has seen their like.

    To decode and encode each body again would cost more than everything else together.
    So a body that passed leaves its shape behind: a pattern with the same names and
    signs, any strings in place of its strings, and any small integers in place of its
    integers. Only plain bodies are held against it, those without backslashes and
    control characters. Whatever fits is canonical as well: names, order and signs are
    those of a canonical body, a plain string has one spelling, and so has a small
    integer. What does not fit is decoded and encoded as ever. Nothing is let through
    that the slow way would refuse.
    """

    def __init__(self) -> None:
        self.shapes: dict[tuple[bytes, int], list[re.Pattern[bytes]]] = {}
        self.once: set[tuple[bytes, int]] = set()
        self.count = 0

    def faults(self, bodies: list[bytes], joined: bytes) -> Iterator[tuple[int, str]]:
        """Name the bodies without canonical spelling: the place of each, and why.

        Args:
            bodies: lines, so that none has a line feed.
            joined: the same in one piece, looked through at once.
        """
        is_plain = not joined.translate(None, PLAIN_LINES)
        check = self.check_plain if is_plain else self.check
        for place, body in enumerate(bodies):
            try:
                check(body)
            except ValueError as error:
                yield place, str(error)

    def check(self, body: bytes) -> None:
        """Make sure that the body has canonical spelling.

        Raises:
            ValueError: it has not; the message says why.
        """
        if body.translate(None, PLAIN):
            decode(body)
        else:
            self.check_plain(body)

    def check_plain(self, body: bytes) -> None:
        """Do the same for a body that was seen to be plain."""
        hint = (body[:HINT_BYTES], body.count(b'"'))
        for shape in self.shapes.get(hint, ()):
            if shape.fullmatch(body):
                if not body.isascii():
                    body.decode("utf-8")
                return
        decode(body)
        self.learn(hint, body)

    def learn(self, hint: tuple[bytes, int], body: bytes) -> None:
        known = self.shapes.get(hint, [])
        full = self.count == MAX_SHAPES or len(known) == MAX_SHAPES_OF_A_HINT
        if full or len(body) > MAX_SHAPE_BYTES:
            return
        if hint in self.once:
            self.count += 1
            self.shapes.setdefault(hint, known).append(shape_of(body))
        elif len(self.once) < MAX_REMEMBERED // 10:
            self.once.add(hint)


def shape_of(body: bytes) -> re.Pattern[bytes]:
    """Make the pattern of a plain canonical body."""
    signs = body.split(b'"')
    strings = signs[1::2]
    pattern = []
    for place, sign in enumerate(signs[::2]):
        if place:
            string = strings[place - 1]
            is_name = sign[:1] == b":"
            pattern.append(b'"' + re.escape(string) + b'"' if is_name else b'"[^"]*"')
        for number, part in enumerate(INTEGER.split(sign)):
            pattern.append(SMALL_INTEGER if number % 2 else re.escape(part))
    return re.compile(b"".join(pattern))


# Files: a zip or a folder


class Folder:
    """An export that was unpacked."""

    def __init__(self, path: str) -> None:
        self.path = path

    def names(self) -> list[str]:
        return [
            os.path.relpath(os.path.join(folder, name), self.path).replace(os.sep, "/")
            for folder, _, names in os.walk(self.path)
            for name in names
        ]

    def close(self) -> None:
        """Nothing is held open."""

    def open(self, name: str) -> BinaryIO:
        path = os.path.join(self.path, *name.split("/"))
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise OSError("not a regular file")
        return open(path, "rb")


class Archive:
    """An export as it was downloaded."""

    def __init__(self, path: str) -> None:
        self.archive = zipfile.ZipFile(path)
        self.close = self.archive.close

    def names(self) -> list[str]:
        return [one for one in self.archive.namelist() if not one.endswith("/")]

    def open(self, name: str) -> BinaryIO:
        entry = self.archive.getinfo(name)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise OSError("an unknown compression")
        return self.archive.open(entry)  # type: ignore[return-value]


def open_export(path: str) -> Folder | Archive:
    return Folder(path) if os.path.isdir(path) else Archive(path)


class Bundle:
    """The files of an export, each held against the manifest while it is read.

    Attributes:
        present: the names of all files.
        unread: those that nobody asked for yet.
        listed: the digest of each file by the manifest; None when that is unreadable.
        broken: the names of files that could not be read to their end.
    """

    def __init__(
        self,
        source: Folder | Archive,
        report: Report,
        listed: dict[str, str] | None = None,
    ) -> None:
        self.source = source
        self.report = report
        self.listed = listed
        self.broken: set[str] = set()
        self.manifest = ""
        self.names = Counter(source.names())
        self.present = {one for one in self.names if one.split("/")[-1] not in LITTER}
        self.unread = set(self.present)

    def fault(self, rule: str, name: str, expected: str, found: str) -> None:
        self.report.add(rule, name, "content", expected, found)

    def gap(self, name: str, rule: str = "file.missing", found: str = "none") -> None:
        self.report.add(rule, name, "file", "a readable file", found)

    def under(self, folder: str) -> list[str]:
        """List the files of one folder that were not read yet."""
        return sorted(one for one in self.unread if one.startswith(folder))

    def pieces(self, name: str, limit: int = PIECE_BYTES) -> Iterator[bytes]:
        """Give a file piece by piece, and compare its digest at the end."""
        self.unread.discard(name)
        digest = hashlib.sha256()
        try:
            with self.source.open(name) as stream:
                for piece in iter(partial(stream.read, limit), b""):
                    digest.update(piece)
                    yield piece
        except UNREADABLE as error:
            self.gap(name, "file.unreadable", str(error))
            self.broken.add(name)
            return
        if name == MANIFEST:
            self.manifest = digest.hexdigest()
        elif self.listed is not None:
            expected, found = self.listed.get(name, "not listed"), digest.hexdigest()
            if expected != found:
                self.fault("file.digest", name, expected, found)

    def read(self, name: str, limit: int) -> bytes | None:
        """Give a small file whole; None, and a finding, when that cannot be."""
        if name not in self.present:
            self.gap(name)
            return None
        content = b""
        for piece in self.pieces(name, limit + 1):
            content += piece
            if len(content) > limit:
                self.fault("file.size", name, f"at most {limit} bytes", "more")
                return None
        return None if name in self.broken else content

    def lines(self, name: str, limit: int) -> Iterator[list[bytes]]:
        """Give a file in batches of lines, without their ends.

        A line without end, or longer than the limit, is a finding and ends the file.
        """
        rest = b""
        for piece in self.pieces(name):
            *whole_lines, rest = (rest + piece).split(b"\n")
            if len(max(*whole_lines, rest, b"", key=len)) > limit:
                self.fault("file.line", name, f"at most {limit} bytes", "more")
                return
            yield whole_lines
        if rest and name not in self.broken:
            self.fault("file.line", name, "a line end", "the end of the file")

    def read_manifest(self) -> None:
        """Learn the digest of every file, and name those that are missing or twice."""
        for name in sorted(one for one, count in self.names.items() if count > 1):
            self.fault("file.twice", name, "one file", "several of this name")
        self.unread.discard(MANIFEST)
        raw = self.read(MANIFEST, MAX_MANIFEST_BYTES)
        if raw is None:
            return
        try:
            manifest = decode(raw[:-1], DECODER)
            files = manifest["files"]
            fault = raw[-1:] != b"\n" or set(manifest) != {"files", "format"}
            fault = fault or manifest["format"] != FORMAT or not isinstance(files, dict)
        except (ValueError, KeyError):
            fault = True
        if fault:
            self.fault("manifest.form", MANIFEST, f"a manifest of {FORMAT}", "another")
            return
        self.listed = {name: str(digest) for name, digest in files.items()}
        for name in sorted(self.listed.keys() - self.present):
            self.gap(name)

    def compare(self, name: str) -> None:
        """Hold a file that nothing else needs against the manifest."""
        for _ in self.pieces(name):
            pass

    def read_rest(self, *, is_whole: bool) -> None:
        """Check the copies for convenience, and name what nobody asked for.

        Args:
            is_whole: whether everything that there is to ask for was asked for.
        """
        is_whole = is_whole and "file.missing" not in self.report.counts
        for name in sorted(self.unread):
            if name in COPIES or name.startswith("keys/") or STAMP.fullmatch(name):
                self.compare(name)
            elif is_whole:
                self.fault("file.unknown", name, "no such file", "a file")


# Segments: 65,536 events at a time


@dataclass(frozen=True)
class Wanted:
    """What to look for in the events beside their hashes."""

    payloads: bool = False
    personal: bool = False
    filter: dict[str, str] | None = None
    pruned: bool = False


@dataclass(frozen=True)
class Task:
    """One segment to read.

    Attributes:
        sizes: the trees, counted from the start of the segment, to give the peaks of.
        is_pruned: whether its events are not in the export.
        archive: the file that has them instead, if there is one at hand.
    """

    number: int
    sizes: tuple[int, ...]
    wanted: Wanted
    is_pruned: bool = False
    archive: str = ""

    @property
    def name(self) -> str:
        return f"segments/{self.number:06}.jsonl"

    @property
    def start(self) -> int:
        return self.number * SEGMENT_LEAVES


@dataclass
class Segment:
    """What was found in one segment.

    Attributes:
        is_whole: whether the file could be read to its end.
        subtrees: the roots of its full tiles.
        edge: the peaks of all its events.
        peaks: for each size that was asked for, and that is there.
        commitments: to personal data, as they stand in the events.
        erased: those that an event tells the erasure of.
        payloads: digests of changes that are kept apart.
        matches: place and id of the events that the filter gives.
        told: place and text of the events that declare a loss, and of those about what
            was archived and pruned.
        read: the files that were read.
    """

    report: Report
    count: int = 0
    is_whole: bool = True
    newest: str = ""
    subtrees: list[bytes] = field(default_factory=list)
    edge: list[bytes] = field(default_factory=list)
    peaks: dict[int, list[bytes]] = field(default_factory=dict)
    commitments: set[bytes] = field(default_factory=set)
    erased: set[bytes] = field(default_factory=set)
    payloads: set[str] = field(default_factory=set)
    matches: dict[str, int] = field(default_factory=dict)
    told: list[tuple[int, bytes]] = field(default_factory=list)
    read: set[str] = field(default_factory=set)


SHAPES = Shapes()
COMMITMENT = re.compile(rb'\{"commitment":"([A-Za-z0-9_-]{43})"\}')
PAYLOAD = re.compile(rb'"changes_sha256":"([0-9a-f]{64})"')
REDACTED = b'"action":"audit.redacted"'
LOST = b'"action":"audit.history_gap"'
TOLD = (b'"action":"audit.prune_', b'"action":"audit.segment_')


class Reading:
    """One walk over one segment, in whichever process."""

    def __init__(self, bundle: Bundle, task: Task) -> None:
        self.bundle = bundle
        self.task = task
        self.found = Segment(bundle.report)
        self.leaves: list[bytes] = []

    def run(self) -> Segment:
        before = set(self.bundle.unread)
        if self.task.archive:
            self.read_archive()
        elif self.task.is_pruned:
            self.read_subtrees()
        else:
            self.read_events()
        self.found.read = before - self.bundle.unread
        return self.found

    def read_events(self) -> None:
        last = b""
        for batch in self.bundle.lines(self.task.name, MAX_BODY_BYTES):
            room = SEGMENT_LEAVES - len(self.leaves)
            if len(batch) > room:
                facts = (self.task.name, "events", str(SEGMENT_LEAVES), "more")
                self.bundle.report.add("segment.lines", *facts)
            self.take(batch[:room])
            last = batch[:room][-1] if batch[:room] else last
            if len(batch) > room:
                break
        self.found.count = len(self.leaves)
        self.found.is_whole = self.task.name not in self.bundle.broken
        self.found.newest = newest_time(last)
        self.compare_tiles()
        self.found.edge = self.peaks(self.found.count)
        self.found.peaks = {
            size: self.peaks(size)
            for size in self.task.sizes
            if size <= len(self.leaves)
        }

    def read_subtrees(self) -> None:
        """Take what stays of a pruned segment: its tile of level 1."""
        self.found = Segment(self.bundle.report)
        stored = read_subtrees(self.bundle, self.task.number)
        self.found.is_whole = bool(stored)
        if not stored:
            return
        self.found.count, self.found.subtrees = SEGMENT_LEAVES, stored
        self.found.peaks = {
            size: self.peaks(size) for size in self.task.sizes if size % TILE_WIDTH == 0
        }

    def read_archive(self) -> None:
        """Read a pruned segment from its archive, and compare with what stays of it.

        The personal data and large changes of its events are not in the export.
        """
        task = replace(self.task, archive="", is_pruned=False)
        try:
            with closing(Archive(self.task.archive)) as source:
                archive = Bundle(source, self.bundle.report)
                self.found = Reading(archive, task).run()
        except UNREADABLE as error:
            self.bundle.gap(self.task.archive, "file.unreadable", str(error))
        self.found.commitments, self.found.payloads = set(), set()
        if len(self.found.subtrees) == TILE_WIDTH:
            compare_tile(self.bundle, 1, self.task.number, self.found.subtrees)
        else:
            self.read_subtrees()

    def take(self, bodies: list[bytes]) -> None:
        start = self.task.start + len(self.leaves)
        self.leaves += map(leaf_hash, bodies)
        joined = b"\n".join(bodies)
        for place, fault in SHAPES.faults(bodies, joined):
            facts = (self.task.name, "body", "canonical", fault)
            self.bundle.report.add("body.form", *facts, index=start + place)
        self.look(bodies, start, joined)

    def look(self, bodies: list[bytes], start: int, joined: bytes) -> None:
        """Take down what the events name: payloads, commitments, and what is asked."""
        for mark in (LOST, *TOLD) if self.task.wanted.pruned else (LOST,):
            self.found.told += among(bodies, start, mark) if mark in joined else []
        if self.task.wanted.payloads:
            self.found.payloads |= {one.decode() for one in PAYLOAD.findall(joined)}
        if self.task.wanted.personal:
            self.found.commitments |= set(map(from_url, COMMITMENT.findall(joined)))
            for _, body in among(bodies, start, REDACTED) if REDACTED in joined else ():
                self.found.erased |= erased_by(body)
        if self.task.wanted.filter is not None:
            for place, body in enumerate(bodies):
                event = matching(body, self.task.wanted.filter)
                if event is not None:
                    self.found.matches[event] = start + place

    def compare_tiles(self) -> None:
        """Compare with the tiles of the two levels that lie within a segment."""
        first = self.task.number * TILE_WIDTH
        for place, hashes in enumerate(tiles_of(self.leaves)):
            compare_tile(self.bundle, 0, first + place, hashes)
            if len(hashes) == TILE_WIDTH:
                self.found.subtrees.append(fold(hashes))
        if self.found.subtrees:
            compare_tile(self.bundle, 1, self.task.number, self.found.subtrees)

    def peaks(self, size: int) -> list[bytes]:
        full = size // TILE_WIDTH
        rest = self.leaves[full * TILE_WIDTH : size]
        return peaks(self.found.subtrees[:full]) + peaks(rest)


def among(bodies: list[bytes], start: int, mark: bytes) -> list[tuple[int, bytes]]:
    """List the events that may be of a kind, with their places."""
    return [(start + n, body) for n, body in enumerate(bodies) if mark in body]


def read_subtrees(bundle: Bundle, number: int) -> list[bytes]:
    """Give the hashes of the full tiles of a segment; none, and a finding, or all."""
    name, length = tile_name(1, number, TILE_WIDTH), TILE_WIDTH * HASH_BYTES
    stored = bundle.read(name, length)
    if stored is None:
        return []
    if len(stored) != length:
        bundle.fault("file.size", name, f"{length} bytes", str(len(stored)))
        return []
    return [stored[at : at + HASH_BYTES] for at in range(0, length, HASH_BYTES)]


def compare_tile(bundle: Bundle, level: int, index: int, hashes: list[bytes]) -> None:
    name = tile_name(level, index, len(hashes))
    stored = bundle.read(name, len(hashes) * HASH_BYTES)
    if stored is None or stored == b"".join(hashes):
        return
    for place, computed in enumerate(hashes):
        written = stored[place * HASH_BYTES : (place + 1) * HASH_BYTES]
        if written != computed:
            first = (index * TILE_WIDTH + place) * TILE_WIDTH**level
            facts = (f"hash {place}", written.hex(), computed.hex())
            bundle.report.add("tile.hash", name, *facts, index=first)
            return


def newest_time(body: bytes) -> str:
    try:
        return str(decode(body).get("time", ""))
    except ValueError:
        return ""


def from_url(encoded: bytes) -> bytes:
    return base64.urlsafe_b64decode(encoded + b"=")


def url_of(commitment: bytes) -> str:
    return base64.urlsafe_b64encode(commitment).decode().rstrip("=")


def erased_by(body: bytes) -> set[bytes]:
    """List the commitments whose erasure this event tells; mostly none."""
    if REDACTED not in body:
        return set()
    try:
        event = decode(body)
    except ValueError:
        return set()
    if event.get("action") != "audit.redacted":
        return set()
    facts = event.get("changes")
    listed = [
        one.get("value")
        for one in (facts if isinstance(facts, list) else [])
        if isinstance(one, dict) and one.get("name") == "commitments"
    ]
    texts = [text for one in listed if isinstance(one, list) for text in one]
    ours = [text for text in texts if isinstance(text, str)]
    quoted = [b'{"commitment":"%b"}' % one.encode("utf-8", "replace") for one in ours]
    return {from_url(one[1]) for one in map(COMMITMENT.fullmatch, quoted) if one}


# Segments: in as many processes as there are cores


def work(pipe: Any) -> None:
    """Read some segments in a process of its own, and send what was found."""
    try:
        path, listed, tasks = pipe.recv()
        with closing(open_export(path)) as source:
            bundle = Bundle(source, Report(), listed)
            for task in tasks:
                bundle.report = Report()
                pipe.send(Reading(bundle, task).run())
    except UNREADABLE as error:
        with suppress(OSError):
            pipe.send(str(error))


def in_processes(
    tasks: list[Task], path: str, listed: dict[str, str] | None, jobs: int
) -> Generator[Segment, None, None]:
    """Read segments side by side; give the answers in their order.

    Of two processes each reads every second segment, and so on. Each has a pipe of its
    own: it waits there until its answers are taken, and the pipe ends when it dies.
    """
    with ExitStack() as running:
        pipes = [start(running) for _ in range(jobs)]
        for first, pipe in enumerate(pipes):
            pipe.send((path, listed, tasks[first::jobs]))
        for number in range(len(tasks)):
            answer = pipes[number % jobs].recv()
            if not isinstance(answer, Segment):
                raise RuntimeError(answer)
            yield answer


def start(running: ExitStack) -> Any:
    """Start a process that an interruption of this program does not reach."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs,), daemon=True)
    with interruptions_put_off():
        process.start()
        running.callback(process.join)
        running.callback(process.kill)  # it only reads, and must not keep us waiting
        running.callback(ours.close)
    theirs.close()
    return ours


@contextmanager
def interruptions_put_off() -> Iterator[None]:
    """Let Ctrl-C wait; what is started meanwhile never hears of it.

    Python's own helper lets it through while it starts, so that comes first.
    """
    mask = getattr(signal, "pthread_sigmask", None)
    if mask is None:
        yield
        return
    resource_tracker.ensure_running()
    before = mask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        mask(signal.SIG_SETMASK, before)


def in_this_process(
    tasks: list[Task], bundle: Bundle
) -> Generator[Segment, None, None]:
    for task in tasks:
        yield Reading(bundle, task).run()


def cores() -> int:
    with suppress(AttributeError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# The examination


@dataclass(frozen=True)
class Pruning:
    """The segments that are not in the export, by their numbers.

    Attributes:
        digests: the SHA-256 of the archive of each.
        archives: the files at hand that have this digest.
        strangers: the files that have another one.
    """

    digests: dict[int, str] = field(default_factory=dict)
    archives: dict[int, str] = field(default_factory=dict)
    strangers: list[str] = field(default_factory=list)

    @property
    def gone(self) -> set[int]:
        """The segments of which nothing but hashes can be read."""
        return self.digests.keys() - self.archives.keys()

    def is_pruned(self, index: int) -> bool:
        return index // SEGMENT_LEAVES in self.digests

    def has_lost(self, index: Any) -> bool:
        return isinstance(index, int) and index // SEGMENT_LEAVES in self.gone

    def hides(self, size: int) -> bool:
        """Say whether the root of so many events can no longer be computed."""
        return self.has_lost(size - 1) and size % TILE_WIDTH != 0


def parse_pruned(raw: bytes) -> dict[int, str]:
    """Read which segments are not in the export, and the digest of the archive of each.

    Raises:
        Malformed: it has another form, or names something else than whole segments.
    """
    try:
        facts = decode(raw[:-1])
        named = {
            one["first_leaf"] // SEGMENT_LEAVES: str(one["archive_sha256"])
            for one in facts["segments"]
        }
    except (ValueError, KeyError, TypeError):
        raise Malformed("not a list of segments") from None
    least = next(number for number in range(len(named) + 1) if number not in named)
    segments = [
        {
            "archive_sha256": digest,
            "first_leaf": number * SEGMENT_LEAVES,
            "last_leaf": (number + 1) * SEGMENT_LEAVES - 1,
        }
        for number, digest in sorted(named.items())
    ]
    if facts != {"minimum_index": least * SEGMENT_LEAVES, "segments": segments}:
        raise Malformed("not whole segments in their order")
    return named


def pruning_of(bundle: Bundle, archives: list[str]) -> Pruning:
    """Learn what was pruned, and find the archives of it by their digests."""
    digests: dict[int, str] = {}
    raw = bundle.read(PRUNED, MAX_MANIFEST_BYTES) if PRUNED in bundle.present else None
    if raw is not None:
        try:
            digests = parse_pruned(raw)
        except Malformed as error:
            bundle.fault("pruned.form", PRUNED, "the pruned segments", str(error))
    pruning = Pruning(digests)
    numbers = {digest: number for number, digest in digests.items()}
    for path in archives:
        number = numbers.get(digest_of(path))
        if number is None:
            pruning.strangers.append(path)
        else:
            pruning.archives[number] = path
    return pruning


def digest_of(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for piece in iter(partial(stream.read, PIECE_BYTES), b""):
            digest.update(piece)
    return digest.hexdigest()


@dataclass(frozen=True)
class Claim:
    """What a checkpoint says: the first `size` events have this root."""

    size: int
    root: bytes
    place: str
    kept: bool
    origin: str


@dataclass(frozen=True)
class Gap:
    """The event with which a log goes on after an earlier one lost its end."""

    index: int
    kept: int
    lost: int
    reason: str


def parse_gap(index: int, body: bytes) -> tuple[str, Gap] | None:
    """Read the name of the log that ended, and what is left; None when it says none."""
    try:
        event = decode(body)
        facts = {str(one["name"]): one["value"] for one in event["changes"]}
        ended, (lost, kept) = str(facts["origin"][0]), map(int, facts["size"])
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    is_one = event.get("action") == "audit.history_gap"
    return (ended, Gap(index, kept, lost, str(event.get("reason")))) if is_one else None


@dataclass(frozen=True)
class Trust:
    """What the auditor brings along, none of it from the export."""

    log_keys: list[Key]
    witness_keys: list[Key]
    quorum: int
    kept: list[tuple[str, Checkpoint]]

    def witnessed(self, note: Note) -> list[int]:
        """Say when each of the witnesses signed.

        Raises:
            Forged: one of them did not, although it looks so.
        """
        moments = [cosigned_at(note, key) for key in self.witness_keys]
        return [moment for moment in moments if moment is not None]


class Examination:
    """One walk over all events, comparing with tiles and checkpoints on the way.

    Attributes:
        pruning: what is not in the export, and what is at hand instead.
        size: the number of events that were read.
        vouched: size and root of what something outside the export vouches for.
        freshest: when a witness last vouched, in seconds since 1970.
    """

    def __init__(
        self,
        bundle: Bundle,
        trust: Trust,
        wanted: Wanted,
        pruning: Pruning | None = None,
    ) -> None:
        self.bundle = bundle
        self.trust = trust
        self.wanted = wanted
        self.pruning = pruning or Pruning()
        self.report = bundle.report
        self.origin = ""
        self.claims: dict[int, list[Claim]] = {}
        self.others: list[Claim] = []
        self.other_roots: dict[int, bytes] = {}
        self.notes: dict[int, Note] = {}
        self.stamped: set[str] = set()
        self.signed_size: int | None = None
        self.size = 0
        self.is_whole = True
        self.segments: list[bytes] = []
        self.edge: list[bytes] = []
        self.found = Segment(self.report)
        self.vouched: set[tuple[int, bytes]] = set()
        self.freshest = 0

    # checkpoints

    def claim(self, checkpoint: Checkpoint, place: str, *, kept: bool) -> None:
        self.origin = self.origin or checkpoint.origin
        one = Claim(checkpoint.size, checkpoint.root, place, kept, checkpoint.origin)
        if one.origin != self.origin:  # judged when all events are known
            self.others.append(one)
        self.claims.setdefault(checkpoint.size, []).append(one)

    def read_checkpoint(self, name: str) -> None:
        raw = self.bundle.read(name, MAX_NOTE_BYTES)
        if raw is None:
            return
        checkpoint = self.open_checkpoint(raw, name)
        if checkpoint is None:
            return
        if name not in ("checkpoint", f"checkpoints/{checkpoint.size}"):
            self.bundle.fault("checkpoint.name", name, str(checkpoint.size), name)
        if name == "checkpoint":
            self.signed_size = checkpoint.size
        self.claim(checkpoint, name, kept=False)

    def open_checkpoint(self, raw: bytes, name: str) -> Checkpoint | None:
        """Check who signed a checkpoint; None, and a finding, when it is none."""
        try:
            note = parse_note(raw)
            checkpoint = parse_checkpoint(note.text)
        except Malformed as error:
            self.bundle.fault("checkpoint.form", name, "a checkpoint", str(error))
            return None
        fault = signature_fault(note, checkpoint.origin, self.trust.log_keys)
        if fault:
            expected = "signed by " + ", ".join(key.name for key in self.trust.log_keys)
            self.report.add("signature", name, "signature", expected, fault)
        else:
            self.take_witnesses(note, checkpoint, name)
        if f"timestamps/{checkpoint.size}.tsr" in self.stamped:
            self.notes.setdefault(checkpoint.size, note)
        return checkpoint

    def take_witnesses(self, note: Note, checkpoint: Checkpoint, name: str) -> None:
        try:
            moments = self.trust.witnessed(note)
        except Forged as error:
            self.report.add("witness", name, "cosignature", "a good one", str(error))
            return
        if self.trust.witness_keys and len(moments) >= self.trust.quorum:
            self.vouched.add((checkpoint.size, checkpoint.root))
            newest = sorted(moments)[-self.trust.quorum]
            self.freshest = max(self.freshest, newest)

    def read_checkpoints(self) -> None:
        self.stamped = set(self.bundle.under("timestamps/"))
        self.read_checkpoint("checkpoint")
        for name in self.bundle.under("checkpoints/")[:MAX_CHECKPOINTS]:
            self.read_checkpoint(name)
        self.take_kept()

    def take_kept(self) -> None:
        for name, checkpoint in self.trust.kept:
            self.claim(checkpoint, name, kept=True)
            self.vouched.add((checkpoint.size, checkpoint.root))

    def confirmed(self) -> int:
        """Say how many of the events something outside the export vouches for."""
        return max(
            (size for size, _ in self.vouched if not self.pruning.hides(size)),
            default=0,
        )

    # events

    def walk(self, path: str, jobs: int) -> None:
        """Read the segments, as far as they follow one another."""
        tasks = self.tasks()
        jobs = min(jobs, len(tasks)) if len(tasks) >= FEW_SEGMENTS else 1
        if jobs > 1:
            segments = in_processes(tasks, path, self.bundle.listed, jobs)
        else:
            segments = in_this_process(tasks, self.bundle)
        with closing(segments):
            try:
                self.take_segments(tasks, segments)
            except (*UNREADABLE, ImportError) as error:
                facts = ("this program", "process", "an answer", str(error))
                self.report.add("process", *facts)
                self.is_whole = False
        self.compare_upper_tiles()
        self.check_end(f"segments/{len(self.segments):06}.jsonl")

    def tasks(self) -> list[Task]:
        sizes: dict[int, list[int]] = {}
        for size in self.claims:
            number, rest = divmod(size - 1, SEGMENT_LEAVES)
            sizes.setdefault(number, []).append(rest + 1)
        tasks: list[Task] = []
        while True:
            number = len(tasks)
            task = Task(
                number,
                tuple(sizes.get(number, ())),
                self.wanted,
                number in self.pruning.digests,
                self.pruning.archives.get(number, ""),
            )
            if not task.is_pruned and task.name not in self.bundle.present:
                return tasks
            tasks.append(task)

    def take_segments(self, tasks: list[Task], segments: Iterator[Segment]) -> None:
        self.settle(0, [])
        for number, segment in enumerate(segments):
            self.take_segment(tasks[number], segment)
            self.is_whole = segment.is_whole
            if segment.count < SEGMENT_LEAVES:
                self.edge = segment.edge
                missing = self.is_whole and self.size < (self.signed_size or 0)
                if missing and number + 1 < len(tasks):
                    facts = ("events", str(SEGMENT_LEAVES), str(segment.count))
                    self.report.add("segment.lines", tasks[number].name, *facts)
                return
            self.segments.append(fold(segment.subtrees))

    def take_segment(self, task: Task, segment: Segment) -> None:
        if segment.report is not self.report:
            self.report.take_all(segment.report)
        self.bundle.unread -= segment.read
        self.size += segment.count
        if segment.count:
            self.found.newest = segment.newest
        self.found.payloads |= segment.payloads
        self.found.commitments |= segment.commitments
        self.found.erased |= segment.erased
        self.found.matches.update(segment.matches)
        self.found.told += segment.told
        for rest, subtrees in sorted(segment.peaks.items()):
            self.settle(task.start + rest, peaks(self.segments) + subtrees)

    def root(self) -> bytes:
        return join(peaks(self.segments) + self.edge)

    def settle(self, size: int, subtrees: list[bytes]) -> None:
        """Compare the root of so many events with what the checkpoints say."""
        claims = self.claims.pop(size, ())
        root = join(subtrees) if claims else b""
        for claim in claims:
            if claim.origin != self.origin:
                self.other_roots[size] = root
            elif claim.root != root:
                facts = (f"root of {size} events", claim.root.hex(), root.hex())
                self.report.add(
                    "root.kept" if claim.kept else "root", claim.place, *facts
                )

    def compare_upper_tiles(self) -> None:
        level, hashes = 2, self.segments
        while hashes:
            above = []
            for index, tile in enumerate(tiles_of(hashes)):
                compare_tile(self.bundle, level, index, tile)
                if len(tile) == TILE_WIDTH:
                    above.append(fold(tile))
            level, hashes = level + 1, above

    def check_end(self, next_segment: str) -> None:
        """Compare the number of events with what the checkpoints say."""
        size = self.size
        if not self.is_whole:
            return  # nobody knows how many there are
        if (self.signed_size or 0) > size and size % SEGMENT_LEAVES == 0:
            self.bundle.gap(next_segment)
            return
        for claim in (one for claims in self.claims.values() for one in claims):
            if claim.origin == self.origin and not self.pruning.hides(claim.size):
                self.miscount(
                    "size.kept" if claim.kept else "size", claim.place, claim.size
                )
        if self.signed_size is not None and self.signed_size < size:
            self.miscount("size.more", "checkpoint", self.signed_size)

    def check_others(self) -> None:
        """Compare with checkpoints of an earlier log that this one continues."""
        gaps: dict[str, Gap] = {}
        for ended, gap in filter(None, (parse_gap(*one) for one in self.found.told)):
            if gaps.setdefault(ended, gap) is gap:
                self.report.lines.append(
                    plain(
                        f"Events {gap.kept} to {gap.lost - 1} of {ended} were declared "
                        f"lost by event {gap.index}: {gap.reason}"
                    )
                )
        for claim in self.others:
            self.check_other(claim, gaps.get(claim.origin))

    def check_other(self, claim: Claim, gap: Gap | None) -> None:
        if gap is None:
            rule = "origin.pruned" if self.pruning.gone else "origin"
            self.report.add(rule, claim.place, "log", self.origin, claim.origin)
        elif claim.size > gap.kept:
            wanted = f"{claim.size} events of {claim.origin}"
            found = f"{gap.kept}, and a declared loss: {gap.reason}"
            facts = ("history.gap", claim.place, "events", wanted, found)
            self.report.add(*facts, index=gap.index)
        elif claim.root != self.other_roots.get(claim.size, claim.root):
            root = self.other_roots[claim.size].hex()
            contradiction = (f"root of {claim.size} events", claim.root.hex(), root)
            rule = "root.kept" if claim.kept else "root"
            self.report.add(rule, claim.place, *contradiction)

    def miscount(self, rule: str, place: str, expected: int) -> None:
        facts = ("events", str(expected), str(self.size))
        self.report.add(rule, place, *facts, index=min(expected, self.size))


# Further evidence: segments that were archived and pruned

AGREED = ("audit.prune_approved", "audit.segment_pruned")
WITHDRAWN = "audit.prune_withdrawn"


@dataclass(frozen=True)
class Told:
    """What an event says of a segment.

    Attributes:
        span: the first and the last event of the segment.
        digest: the SHA-256 of its archive.
        root: its hash.
        request: the request to prune it that the event is about.
    """

    index: int
    action: str
    span: tuple[Any, Any]
    digest: str
    root: str
    request: str


def parse_told(index: int, body: bytes) -> Told | None:
    try:
        event = decode(body)
        facts = {str(one["name"]): one["value"] for one in event["changes"]}
        span = facts["first_leaf"], facts["last_leaf"]
        digest, root = str(facts["sha256"]), str(facts["root"])
        action, request = str(event["action"]), str(facts.get("request"))
    except (KeyError, TypeError, ValueError):
        return None
    return Told(index, action, span, digest, root, request)


def check_pruned(examination: Examination) -> None:
    """Hold each pruned segment against the events that tell of it."""
    told = [one for one in (parse_told(*two) for two in examination.found.told) if one]
    withdrawn = {one.request for one in told if one.action == WITHDRAWN}
    told = [one for one in told if one.request not in withdrawn]
    examination.report.facts["pruned"] = []
    for number in sorted(examination.pruning.digests):
        check_segment(examination, number, told)
    for path in examination.pruning.strangers:
        check_stranger(examination, path)
    name_hidden(examination)


def check_segment(examination: Examination, number: int, told: list[Told]) -> None:
    report, digest = examination.report, examination.pruning.digests[number]
    first, last = span_of(number)
    place = f"{PRUNED}, events {first} to {last}"
    computed = [root.hex() for root in examination.segments[number : number + 1]]
    ours = [one for one in told if one.span == (first, last) and one.index > last]
    for one in ours:
        for name, said, found in (
            ("archive", one.digest, digest),
            ("hash", one.root, *(computed or [one.root])),
        ):
            if said != found:
                report.add("pruned.told", place, name, said, found, index=one.index)
                return
    agreed = min((one.index for one in ours if one.action in AGREED), default=None)
    if agreed is not None:
        tell_pruned(examination, number, agreed)
    elif examination.is_whole:
        report.add("pruned.untold", place, "agreement", "an event", "none", index=first)


def span_of(number: int) -> tuple[int, int]:
    return number * SEGMENT_LEAVES, (number + 1) * SEGMENT_LEAVES - 1


def tell_pruned(examination: Examination, number: int, agreed: int) -> None:
    report, pruning = examination.report, examination.pruning
    digest, archive = pruning.digests[number], pruning.archives.get(number)
    first, last = span_of(number)
    report.facts["pruned"].append(
        {
            "first_leaf": first,
            "last_leaf": last,
            "archive_sha256": digest,
            "agreed_by": agreed,
            "is_verified": archive is not None,
        }
    )
    read = f"they were read from {archive}" if archive else "only their hash is here"
    sentence = (
        f"Events {first} to {last} are not in this export; {read}. That they be pruned "
        f"was agreed by event {agreed}. The SHA-256 of their archive is {digest}."
    )
    report.lines.append(plain(sentence))


def check_stranger(examination: Examination, path: str) -> None:
    """Say of a file that is not the archive it was given as, what it pretends to be."""
    found = digest_of(path)
    try:
        with closing(Archive(path)) as source:
            raw = Bundle(source, Report()).read(ARCHIVE_FACTS, MAX_NOTE_BYTES)
        facts = json.loads(raw or b"")
        number, said = facts["first_leaf"] // SEGMENT_LEAVES, facts["root"]
    except (*UNREADABLE, RecursionError, LookupError, TypeError):
        number, said = -1, ""
    digests, roots = examination.pruning.digests, dict(enumerate(examination.segments))
    is_one = number in digests and said == roots.get(number, b"").hex()
    rule = "archive" if is_one else "archive.other"
    expected = digests[number] if is_one else "one of the export"
    examination.report.add(rule, path, "SHA-256", expected, found)


def name_hidden(examination: Examination) -> None:
    """Say which checkpoints can no longer be compared with the events."""
    hidden = [
        claim.place
        for size, claims in sorted(examination.claims.items())
        for claim in claims
        if examination.pruning.hides(size)
    ]
    if hidden:
        sentence = (
            f"{len(hidden)} checkpoints lie within pruned events, so they can be "
            f"compared only with the archive: {', '.join(hidden[:SHOWN_PER_RULE])}"
        )
        examination.report.lines.append(plain(sentence))


# Further evidence: time stamps (RFC 3161), with the program openssl

STAMP = re.compile(r"timestamps/(0|[1-9][0-9]{0,15})\.tsr")
STAMPED_AT = re.compile(rb"Time stamp: ([A-Za-z0-9: .]{10,60})")
MAX_STAMPS = 1000


def stamped_texts(note: Note, keys: list[Key]) -> list[bytes]:
    """Write the note as the log first signed it, before any witness did.

    While one key of the log takes over from another there are two such lines.
    """
    ours = {(key.name, key.identifier) for key in keys}
    lines = [
        line for name, signed, line in note.signatures if (name, signed[:4]) in ours
    ]
    texts = [f"{note.text}\n{lines[0]}\n"] if lines else []
    if len(lines) > 1:
        texts.append(f"{note.text}\n" + "".join(f"{line}\n" for line in lines))
    return [text.encode() for text in texts]


class Authority:
    """Asks openssl whether a token is of this authority and over this text."""

    def __init__(self, tool: str, certificate: str) -> None:
        self.tool = tool
        self.certificate = os.path.abspath(certificate)

    def run(self, folder: str, *options: str) -> tuple[bool, bytes]:
        done = subprocess.run(
            [self.tool, "ts", *options],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=OPENSSL_SECONDS,
            check=False,
        )
        return done.returncode == 0, done.stdout + done.stderr

    def ask(self, token: bytes, texts: list[bytes]) -> tuple[str, str]:
        """Give the rule that is broken and why; or no rule, and the time."""
        answers = []
        with tempfile.TemporaryDirectory() as folder:
            for name, content in (("token", token), ("text", b"")):
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(content)
            for text in texts:
                with open(os.path.join(folder, "text"), "wb") as file:
                    file.write(text)
                options = ("-in", "token", "-data", "text", "-CAfile", self.certificate)
                good, said = self.run(folder, "-verify", *options)
                if good and b"Verification: OK" in said:
                    _, said = self.run(folder, "-reply", "-in", "token", "-text")
                    found = STAMPED_AT.search(said)
                    return "", found[1].decode() if found else "an unknown time"
                answers.append(said)
        if answers and all(b"message imprint mismatch" in said for said in answers):
            return "timestamp", "a time stamp of another text"
        last = b"".join(answers[-1:])[-200:].decode("ascii", "replace")
        return "timestamp.unverified", last or "no checkpoint of this size"


def check_time_stamps(examination: Examination, certificate: str) -> None:
    report = examination.report
    tool = shutil.which("openssl")
    if not examination.stamped:
        report.add("timestamp.missing", "timestamps/", "files", "one or more", "none")
    elif tool is None:
        report.add("timestamp.tool", "openssl", "program", "openssl", "none")
    else:
        authority = Authority(tool, certificate)
        for name in sorted(examination.stamped)[:MAX_STAMPS]:
            check_time_stamp(examination, authority, name)


def check_time_stamp(examination: Examination, authority: Authority, name: str) -> None:
    token, found = examination.bundle.read(name, MAX_NOTE_BYTES), STAMP.fullmatch(name)
    if token is None:
        return
    note = examination.notes.get(int(found[1])) if found else None
    texts = stamped_texts(note, examination.trust.log_keys) if note else []
    try:
        rule, said = authority.ask(token, texts)
    except (OSError, subprocess.SubprocessError) as error:
        rule, said = "timestamp.unverified", str(error)
    if rule or note is None:
        wanted = "over the signed checkpoint"
        examination.report.add(rule, name, "token", wanted, said)
        return
    stamped = parse_checkpoint(note.text)
    examination.vouched.add((stamped.size, stamped.root))
    sentence = f"Time stamp: {stamped.size} events existed at {plain(said)}."
    examination.report.lines.append(sentence)


# Further evidence: personal data behind commitments, and changes that are kept apart


def disclosure_fault(line: bytes) -> str:
    """Say what is wrong with one disclosure (RFC 9901); empty when nothing."""
    try:
        decoded = base64.urlsafe_b64decode(line + b"=" * (-len(line) % 4))
        pair = json.loads(decoded.decode("utf-8"))
    except (ValueError, RecursionError):
        return "not base64url of JSON"
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != line:
        return "not base64url in its one canonical spelling"
    if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
        return "not a salt and a value"
    return ""


class Disclosures:
    """The clear text of personal data, held against the commitments in the events.

    Attributes:
        hidden: the commitments that no disclosure was found for, so far.
        count: the disclosures that were read.
        may_be_pruned: whether the event of an erasure may be among those not read:
            later ones than the first that were.
    """

    def __init__(self, examination: Examination) -> None:
        self.report = examination.report
        self.found = examination.found
        self.hidden = set(self.found.commitments)
        self.count = 0
        gone = examination.pruning.gone
        self.may_be_pruned = gone != set(range(len(gone)))

    def take(self, line: bytes) -> None:
        commitment = hashlib.sha256(line).digest()
        place = (DISCLOSURES, f"disclosure {self.count}")
        fault = disclosure_fault(line)
        self.count += 1
        if commitment not in self.found.commitments:
            facts = ("one of an event", url_of(commitment))
            self.report.add("private.unnamed", *place, *facts)
        elif fault or commitment not in self.hidden:
            self.report.add("private.form", *place, "a disclosure", fault or "twice")
        elif commitment in self.found.erased:
            self.report.add("private.erased", *place, "erased", "disclosed")
        self.hidden.discard(commitment)

    def finish(self) -> None:
        unexplained = sorted(self.hidden - self.found.erased)
        rule = "private.pruned" if self.may_be_pruned else "private.unexplained"
        for commitment in unexplained:
            facts = (url_of(commitment), "disclosed or erased", "neither")
            self.report.add(rule, DISCLOSURES, *facts)
        counts = {
            "disclosed": self.count,
            "redacted": len(self.hidden) - len(unexplained),
            "unexplained": len(unexplained),
        }
        self.report.facts.update(counts)
        said = ", ".join(f"{name}: {number}" for name, number in counts.items())
        self.report.lines.append(f"Personal data: {said}.")


def check_disclosures(examination: Examination) -> None:
    bundle, named_in_all = examination.bundle, len(examination.found.commitments)
    if DISCLOSURES not in bundle.present:
        bundle.gap(DISCLOSURES)
    elif named_in_all > MAX_REMEMBERED:
        facts = ("commitments", f"at most {MAX_REMEMBERED}", str(named_in_all))
        examination.report.add("private.many", DISCLOSURES, *facts)
    else:
        disclosures = Disclosures(examination)
        for batch in bundle.lines(DISCLOSURES, MAX_BODY_BYTES):
            for line in batch:
                disclosures.take(line)
        disclosures.finish()


def check_payloads(examination: Examination) -> None:
    """Compare changes too large for an event with the digest that the event has."""
    report, found = examination.report, examination.found
    names = examination.bundle.under("payloads/")
    for name in names:
        digest, rest = hashlib.sha256(), b""
        for piece in examination.bundle.pieces(name):
            digest.update(piece)
            rest = rest[-80:] + piece
            if examination.wanted.personal:
                found.commitments |= set(map(from_url, COMMITMENT.findall(rest)))
        stated = name[len("payloads/") :]
        if digest.hexdigest() != stated:
            report.add("payload", name, "SHA-256", stated, digest.hexdigest())
        if stated not in found.payloads:
            report.add("payload.unnamed", name, "digest", "one of an event", stated)
    left_out = len(found.payloads - {name[len("payloads/") :] for name in names})
    if left_out:
        report.lines.append(f"{left_out} large changes are not in this export.")


# Further evidence: proofs of single events (C2SP tlog-proof)

PROOF_HEADER = b"c2sp.org/tlog-proof@v1"
INDEX_LINE = re.compile(r"index (0|[1-9][0-9]{0,15})")
EXTRA_LINE = re.compile(r"extra [A-Za-z0-9+/=]*")


@dataclass(frozen=True)
class Proof:
    """That the event at this place is in the tree of the checkpoint."""

    index: int
    hashes: list[bytes]
    note: bytes


def hashes_from(lines: list[str]) -> list[bytes]:
    if len(lines) > MAX_PROOF_HASHES:
        raise Malformed(f"more than {MAX_PROOF_HASHES} hashes")
    return [from_base64_hash(line) for line in lines]


def parse_proof(raw: bytes) -> Proof:
    head, gap, note = raw.partition(b"\n\n")
    try:
        header, *lines = head.decode("ascii").split("\n")
    except ValueError:
        raise Malformed("not ASCII above the checkpoint") from None
    if header.encode() != PROOF_HEADER or not gap:
        raise Malformed("no first line of a proof")
    if lines and EXTRA_LINE.fullmatch(lines[0]):
        from_base64(lines.pop(0)[len("extra ") :])
    index = INDEX_LINE.fullmatch(lines[0]) if lines else None
    if index is None:
        raise Malformed("no index of the event")
    return Proof(size_from(index[1]), hashes_from(lines[1:]), note)


class Proofs:
    """The proofs of a filtered export, or a single one.

    Attributes:
        count: the events that were looked at.
        used: size and root of the checkpoints that their proofs lead to.
        newest: the time of the newest of them.
    """

    def __init__(self, examination: Examination) -> None:
        self.examination = examination
        self.report = examination.report
        self.count = 0
        self.newest = ""
        self.used: set[tuple[int, bytes]] = set()
        self.last: tuple[bytes, Checkpoint | None] = (b"", None)

    def checkpoint(self, raw: bytes, place: str) -> Checkpoint | None:
        """Open the checkpoint of a proof, mostly the same as the one before."""
        if raw != self.last[0]:
            found = self.examination.open_checkpoint(raw, place)
            self.last = raw, found
            if found is not None:
                self.examination.claim(found, place, kept=False)
                self.used.add((found.size, found.root))
        return self.last[1]

    def check(self, raw: bytes, body: bytes, place: str) -> dict[str, Any] | None:
        """Check one proof; gives the event when it is readable."""
        self.count += 1
        try:
            proof = parse_proof(raw)
        except Malformed as error:
            self.report.add("proof.form", place, "content", "a proof", str(error))
            return None
        checkpoint = self.checkpoint(proof.note, place)
        if checkpoint is None:
            return None
        size = checkpoint.size
        try:
            root = root_from_inclusion(leaf_hash(body), proof.index, size, proof.hashes)
        except Malformed as error:
            self.report.add("proof", place, "hashes", f"for {size} events", str(error))
            return None
        if root != checkpoint.root:
            facts = (f"root of {size} events", checkpoint.root.hex(), root.hex())
            self.report.add("proof", place, *facts, index=proof.index)
        try:
            event = decode(body)
        except ValueError as error:
            said = str(error)
            self.report.add(
                "body.form", place, "body", "canonical", said, index=proof.index
            )
            return None
        self.newest = max(self.newest, str(event.get("time", "")))
        found = self.examination.found
        found.commitments |= set(map(from_url, COMMITMENT.findall(body)))
        found.erased |= erased_by(body)
        return event

    def read_all(self) -> None:
        bundle = self.examination.bundle
        for name in bundle.under("proofs/")[:MAX_PROOFS]:
            event_id = name[len("proofs/") : -len(".tlog-proof")]
            raw = bundle.read(name, MAX_NOTE_BYTES)
            body = bundle.read(f"events/{event_id}.json", MAX_BODY_BYTES + 1)
            if raw is None or body is None:
                continue
            found = self.examination.found
            found.payloads |= {one.decode() for one in PAYLOAD.findall(body)}
            event = self.check(raw, body.rstrip(b"\n"), name)
            if event is not None and str(event.get("id")) != event_id:
                self.report.add("proof", name, "id", event_id, str(event.get("id")))

    def compare_checkpoints(self) -> None:
        """Compare what checkpoints of the same size say, without the events."""
        for size, claims in self.examination.claims.items():
            first, *others = sorted(claims, key=lambda claim: claim.kept)
            for claim in others:
                if claim.root != first.root:
                    facts = (
                        f"root of {size} events",
                        claim.root.hex(),
                        first.root.hex(),
                    )
                    rule = "root.kept" if claim.kept else "root"
                    self.report.add(rule, claim.place, *facts)

    def drop_unused(self) -> None:
        """Let nothing vouch for these events but what vouches for all their proofs."""
        self.examination.vouched &= self.used
        if self.examination.vouched != self.used:
            self.examination.vouched.clear()
            self.examination.freshest = 0


# Further evidence: a filtered list, its filter run again over all events

FILTER_NAMES = {
    "action": "action", "type": "action", "outcome": "outcome",
    "actor": "actor", "person": "actor", "object": "object", "target": "object",
    "project": "project", "since": "since", "until": "until",
}  # fmt: skip
WORD = re.compile(r"[a-z0-9_.]{1,100}")
AN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


ALL_KINDS = ".*"  # of one resource, as in approval.*


def moment_from(text: str, *, end: bool) -> str:
    """Write a day or a moment as events have their time."""
    if DAY.fullmatch(text):
        text += "T23:59:59.999999Z" if end else "T00:00:00Z"
    moment = datetime.fromisoformat(re.sub("Z$", "+00:00", text))
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return zoned.astimezone(timezone.utc).strftime(TIME_FORMAT)


def parse_filter(stated: Any) -> dict[str, str]:
    """Read the filter of a list.

    Raises:
        Malformed: it asks something that the sealed events alone cannot answer.
    """
    if not isinstance(stated, dict):
        raise Malformed("the last line states no filter")
    wanted: dict[str, str] = {}
    for name, value in stated.items():
        if value in ("", None):
            continue
        if name not in FILTER_NAMES or not isinstance(value, str):
            raise Malformed(f"this program does not know the filter {name}")
        wanted[FILTER_NAMES[name]] = filter_value(name, value)
    return wanted


def filter_value(name: str, value: str) -> str:
    if name in ("since", "until"):
        try:
            return moment_from(value, end=name == "until")
        except (ValueError, OverflowError):
            raise Malformed(f"{name} is no time") from None
    form = WORD if FILTER_NAMES[name] in ("action", "outcome") else AN_ID
    if not form.fullmatch(value.removesuffix(ALL_KINDS) if form is WORD else value):
        raise Malformed(f"{name} searches text, which sealed events do not answer")
    return value


def matching(body: bytes, wanted: dict[str, str]) -> str | None:
    """Give the id of an event that the filter gives; None for any other."""
    for name, value in wanted.items():
        sought = value.removesuffix(ALL_KINDS).encode()
        if name not in ("since", "until") and sought not in body:
            return None
    try:
        event = decode(body)
        said = {
            "action": event["action"],
            "outcome": event["outcome"],
            "actor": event["actor"]["id"],
            "object": event["object"]["id"],
            "project": event["scope"]["project"],
        }
        moment, event_id = str(event["time"]), str(event["id"])
    except (ValueError, KeyError, TypeError):
        return None
    if not wanted.get("since", "") <= moment <= wanted.get("until", "9"):
        return None
    if wanted.get("action", "").endswith(ALL_KINDS):
        resource = said["action"].partition(".")[0]
        said["action"] = f"{resource}{ALL_KINDS}"
    same = (said.get(name, value) == value for name, value in wanted.items())
    return event_id if all(same) else None


class FilteredList:
    """An export as JSON Lines, whose last line states the filter and the count.

    The last line reads `{"count": 12, "filter": {...}, "size": 700}`; `size` is the
    number of sealed events that the list was made from.
    """

    def __init__(self, path: str, report: Report) -> None:
        self.path = path
        self.report = report
        self.rows: dict[str, tuple[int, Any]] = {}
        self.size = 0
        self.wanted: dict[str, str] | None = None
        last: dict[str, Any] = {}
        for number, row in enumerate(self.read()):
            if number:
                self.take(last, number)
            last = row
        size, count = last.get("size"), last.get("count")
        try:
            self.wanted = parse_filter(last.get("filter"))
            self.size = size_from(str(size))
        except Malformed as error:
            self.wanted = None
            facts = ("last line", "filter and size", str(error))
            report.add("filter.form", path, *facts)
            return
        if count != len(self.rows):
            report.add("filter.count", path, "count", str(count), str(len(self.rows)))

    def read(self) -> Iterator[dict[str, Any]]:
        with open(self.path, "rb") as stream:
            for number, line in enumerate(
                iter(partial(stream.readline, MAX_NOTE_BYTES), b"")
            ):
                try:
                    row = json.loads(line.decode("utf-8"))
                except (ValueError, RecursionError):
                    row = None
                if isinstance(row, dict) and number <= MAX_REMEMBERED:
                    yield row
                    continue
                facts = (
                    f"line {number + 1}",
                    "a row of a list",
                    "another, or too many",
                )
                self.report.add("row.form", self.path, *facts)
                return

    def take(self, row: dict[str, Any], number: int) -> None:
        event_id = str(row.get("event_id", row.get("id")))
        if event_id in self.rows:
            facts = (f"line {number}", "an event once", event_id)
            self.report.add("filter.added", self.path, *facts)
        self.rows[event_id] = number, row.get("leaf_index")

    def compare(self, examination: Examination) -> None:
        """Name what the list has too much and what it lacks."""
        if self.wanted is None:
            return
        matches, pruning = examination.found.matches, examination.pruning
        unknown = "filter.added" if self.size <= examination.size else "row.newer"
        for event_id, (number, index) in self.rows.items():
            if event_id not in matches:
                rule = "row.pruned" if pruning.has_lost(index) else unknown
                self.report.add(rule, self.path, f"line {number}", "no row", event_id)
        for event_id, index in matches.items():
            is_listed = event_id in self.rows or pruning.is_pruned(index)
            if not is_listed and index < self.size:
                facts = ("row", event_id, "none")
                self.report.add("filter.missing", self.path, *facts, index=index)
        self.report.facts["rows"] = len(self.rows)
        self.report.lines.append(
            f"The filter gives {len(matches)} events in this export."
        )
        if pruning.digests:
            self.report.lines.append("Whether it leaves out pruned events is not said.")


# Commands


def examine(arguments: argparse.Namespace, report: Report) -> None:
    """Check one export against the keys and the kept checkpoints: `bundle`."""
    listed = recheck_of(arguments, report)
    try:
        source = open_export(arguments.path)
    except UNREADABLE as error:
        report.add("file.unreadable", "export", "file", "an export", str(error))
        return
    with closing(source):
        bundle = Bundle(source, report)
        bundle.read_manifest()
        pruning = pruning_of(bundle, arguments.archive)
        wanted = Wanted(
            bool(bundle.under("payloads/")),
            arguments.private,
            listed.wanted if listed else None,
            bool(pruning.digests),
        )
        examination = Examination(bundle, trust_of(arguments), wanted, pruning)
        examination.read_checkpoints()
        proofs = Proofs(examination)
        proofs.read_all()
        filtered = proofs.count and not examination.tasks()
        if filtered:
            proofs.compare_checkpoints()
            examination.size, examination.found.newest = proofs.count, proofs.newest
            report.lines.append(FILTERED)
        else:
            examination.walk(arguments.path, arguments.jobs)
            report.facts["root"] = examination.root().hex()
            if pruning.digests or pruning.strangers:
                check_pruned(examination)
                proofs.compare_checkpoints()
        examination.check_others()
        check_payloads(examination)
        if arguments.private:
            check_disclosures(examination)
        if arguments.tsa_ca:
            check_time_stamps(examination, arguments.tsa_ca)
        if filtered:
            proofs.drop_unused()
        if listed:
            listed.compare(examination)
        bundle.read_rest(is_whole=examination.is_whole)
    report.facts["events"], report.facts["manifest"] = examination.size, bundle.manifest
    conclude(arguments, examination)


FILTERED = (
    "This export is filtered: each event in it is genuine, but it cannot show that "
    "none was left out. Only an export of the whole trail shows that."
)


def recheck_of(arguments: argparse.Namespace, report: Report) -> FilteredList | None:
    return (
        FilteredList(arguments.recheck_filter, report)
        if arguments.recheck_filter
        else None
    )


def trust_of(arguments: argparse.Namespace) -> Trust:
    witnesses = list(dict.fromkeys(arguments.witness_key))  # none counts twice
    quorum = len(witnesses) if arguments.quorum is None else arguments.quorum
    return Trust(arguments.log_key, witnesses, quorum, arguments.kept)


def conclude(arguments: argparse.Namespace, examination: Examination) -> None:
    """Say how far anything from outside vouches for what was seen."""
    report, trust = examination.report, examination.trust
    if trust.witness_keys and not examination.freshest:
        facts = ("checkpoint", "cosignatures", str(trust.quorum), "fewer")
        report.add("witness.quorum", *facts)
    confirmed = 0 if report.counts else examination.confirmed()
    report.facts["confirmed"] = confirmed
    if not confirmed:
        report.doubts.append(
            "Nothing from outside the export vouches for it (--kept, --witness-key, "
            "--tsa-ca), so nobody can say whether the newest events were cut off."
        )
    if arguments.max_age is not None:
        report.doubts += stale(arguments.max_age, examination)


def stale(max_age: timedelta, examination: Examination) -> Iterator[str]:
    """Say what is older than the auditor allows, or says to be of the future."""
    now = datetime.now(timezone.utc)
    oldest, latest = now - max_age, now + CLOCKS_DIFFER
    newest = examination.found.newest
    try:
        moment = datetime.strptime(newest, "%Y-%m-%dT%H:%M:%S.%f%z")
        is_fresh = oldest <= moment <= latest
    except ValueError:
        is_fresh = False
    if not is_fresh:
        yield f"The newest event is of {plain(newest)}: too old, or not yet."
    at = examination.freshest
    if at and not oldest.timestamp() <= at <= latest.timestamp():
        yield f"The newest cosignature is of {utc(at)}: too old, or not yet."


def utc(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).isoformat()
    except (OverflowError, ValueError, OSError):
        return f"{seconds} seconds after 1970"


def check_event(arguments: argparse.Namespace, report: Report) -> None:
    """Check that one event is in the log: `event`."""
    raw = read_file(arguments.proof, MAX_NOTE_BYTES)
    body = read_file(arguments.event, MAX_BODY_BYTES + 1)
    examination, event = single_event(arguments, report, raw, body, arguments.proof)
    if event is not None:
        report.lines += sentences(event)
        report.facts["event"] = event
    conclude(arguments, examination)


def single_event(
    arguments: argparse.Namespace, report: Report, raw: bytes, body: bytes, place: str
) -> tuple[Examination, dict[str, Any] | None]:
    """Check the proof of one event; gives the event when it is readable."""
    examination, (event,) = proven_events(arguments, report, [(raw, body, place)])
    return examination, event


def proven_events(
    arguments: argparse.Namespace,
    report: Report,
    proofs_and_bodies: list[tuple[bytes, bytes, str]],
) -> tuple[Examination, list[dict[str, Any] | None]]:
    """Check proofs of single events; gives the events that are readable.

    Each comes as its proof, its body and the place of the proof.
    """
    nothing = Bundle(Nothing(), report)
    examination = Examination(nothing, trust_of(arguments), Wanted())
    examination.take_kept()
    proofs = Proofs(examination)
    events = [
        proofs.check(raw, body.rstrip(b"\n"), place)
        for raw, body, place in proofs_and_bodies
    ]
    proofs.compare_checkpoints()
    proofs.drop_unused()
    examination.found.newest = proofs.newest
    return examination, events


CERTIFIED = "regeneration.certified"
MAX_CERTIFICATE_BYTES = 16_000_000


def check_certificate(arguments: argparse.Namespace, report: Report) -> None:
    """Check a certificate of regeneration against its sealed event: `certificate`."""
    try:
        source = open_export(arguments.path)
    except UNREADABLE as error:
        report.add("file.unreadable", "certificate", "file", "a zip", str(error))
        return
    with closing(source):
        bundle = Bundle(source, report)
        text = bundle.read("certificate.json", MAX_CERTIFICATE_BYTES)
        body = bundle.read("event.json", MAX_BODY_BYTES + 1)
        raw = bundle.read("event.tlog-proof", MAX_NOTE_BYTES)
    if text is None or body is None or raw is None:
        return
    place = "event.tlog-proof"
    examination, event = single_event(arguments, report, raw, body, place)
    if event is not None:
        compare_certificate(report, text, event)
        compare_files(report, text, arguments.files)
        report.facts["event"] = event
    conclude(arguments, examination)


def compare_certificate(report: Report, text: bytes, event: dict[str, Any]) -> None:
    """Hold the certificate against the digest that its event has of it."""
    place, stated = "certificate.json", facts_of(event)
    if event.get("action") != CERTIFIED:
        found = str(event.get("action"))
        report.add("certificate.form", "event.json", "action", CERTIFIED, found)
    digest = hashlib.sha256(text).hexdigest()
    if stated.get("certificate_sha256") != digest:
        expected = str(stated.get("certificate_sha256"))
        report.add("certificate", place, "SHA-256", expected, digest)
        return
    said = certificate_in(text)
    for name in ("verdict", "sentence", "run", "model_version", "record_sha256"):
        value = ENCODER.encode(said.get(name))
        report.lines.append(f"  {name}: {plain(value)}")
    report.facts["certificate"] = said


def facts_of(event: dict[str, Any]) -> dict[str, Any]:
    """Give what an event says of itself, by name."""
    changes = event.get("changes")
    return {
        str(one.get("name")): one.get("value")
        for one in (changes if isinstance(changes, list) else [])
        if isinstance(one, dict)
    }


def certificate_in(text: bytes) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    return said if isinstance(said, dict) else {}


def compare_files(report: Report, text: bytes, paths: list[str]) -> None:
    """Say whether files at hand are those that the certificate speaks of."""
    known = dict(certified_files(certificate_in(text).get("files")))
    for path in paths:
        digest = digest_of(path)
        if digest in known:
            report.lines.append(f"  {plain(path)}: is {plain(known[digest])}")
        else:
            report.add("certificate.file", path, "SHA-256", "one of its files", digest)


def certified_files(files: Any) -> Iterator[tuple[str, str]]:
    """Give the digest of each file of a certificate, and what the file is."""
    for one in files if isinstance(files, list) else []:
        if not isinstance(one, dict):
            continue
        name, first, again = (one.get(key) for key in ("name", "expected", "found"))
        if first == again:
            yield str(first), f"{name}, the same both times"
        else:
            yield str(first), f"{name} of the first time"
            yield str(again), f"{name} as it was made again"


SIGNED = {
    "approval.approved",
    "approval.rejected",
    "approval.sent_back",
    "approval.sign_off_withdrawn",
    "approval.signed_off",
}
MAX_RECORD_BYTES = 4_000_000
MAX_RECORDS = 1_000
RECORD = "/record.json"


def check_sign_off(arguments: argparse.Namespace, report: Report) -> None:
    """Check the signatures under a request against their sealed events: `sign-off`."""
    try:
        source = open_export(arguments.path)
    except UNREADABLE as error:
        report.add("file.unreadable", "record", "file", "a zip", str(error))
        return
    with closing(source):
        bundle = Bundle(source, report)
        folders = sorted(
            name[: -len(RECORD)] for name in bundle.present if name.endswith(RECORD)
        )[:MAX_RECORDS]
        signed = [one for one in (signed_in(bundle, one) for one in folders) if one]
        evidence = bundle.read("evidence.json", MAX_RECORD_BYTES)
    if not folders:
        report.add("sign-off.form", "record", "signatures", "at least one", "none")
    places = [(one.proof, one.body, f"{one.folder}/event.tlog-proof") for one in signed]
    examination, events = proven_events(arguments, report, places)
    for place, event in enumerate(events):
        if event is not None:
            compare_signature(report, signed[place], evidence, event)
    conclude(arguments, examination)


@dataclass
class Signed:
    """A signature as it lies in a record: its text, its event and the proof of it."""

    folder: str
    text: bytes
    body: bytes
    proof: bytes


def signed_in(bundle: Bundle, folder: str) -> Signed | None:
    """Read a signature; None, and a finding, when a part of it is missing."""
    text = bundle.read(folder + RECORD, MAX_RECORD_BYTES)
    body = bundle.read(f"{folder}/event.json", MAX_BODY_BYTES + 1)
    proof = bundle.read(f"{folder}/event.tlog-proof", MAX_NOTE_BYTES)
    if text is None or body is None or proof is None:
        return None
    return Signed(folder, text, body, proof)


def compare_signature(
    report: Report, signed: Signed, evidence: bytes | None, event: dict[str, Any]
) -> None:
    """Hold a signature against its event, and the evidence against the signature."""
    stated, action = facts_of(event), str(event.get("action"))
    if action not in SIGNED:
        place = f"{signed.folder}/event.json"
        report.add("sign-off.form", place, "action", "a signature", action)
    digest = hashlib.sha256(signed.text).hexdigest()
    if stated.get("record_sha256") != digest:
        expected = str(stated.get("record_sha256"))
        place = signed.folder + RECORD
        report.add("sign-off", place, "SHA-256", expected, digest)
        return
    said = certificate_in(signed.text)
    wanted = said.get("evidence_digest")
    if wanted is not None and evidence is not None:
        found = hashlib.sha256(evidence).hexdigest()
        if found != wanted:
            facts = ("SHA-256", str(wanted), found)
            report.add("sign-off.evidence", "evidence.json", *facts)
    signer = said.get("signer")
    name = signer.get("name") if isinstance(signer, dict) else None
    parts = [name, said.get("meaning"), said.get("decision"), said.get("signed_at")]
    known = [plain(str(part)) for part in parts if part is not None]
    report.lines.append(f"  {plain(signed.folder)}: {', '.join(known)}")
    report.facts.setdefault("signatures", []).append(said)


def sentences(event: dict[str, Any]) -> Iterator[str]:
    """Show the facts of an event, one a line."""
    for name in sorted(event):
        said = ENCODER.encode(event[name])
        yield f"  {plain(name)}: {plain(said)}"


class Nothing(Folder):
    """No export at all."""

    def __init__(self) -> None:
        super().__init__("")

    def names(self) -> list[str]:
        return []


def check_consistency(arguments: argparse.Namespace, report: Report) -> None:
    """Check that one checkpoint continues another: `consistency`."""
    try:
        old, new = (
            read_kept(path, arguments.log_key)[1]
            for path in (arguments.old, arguments.new)
        )
        text = read_file(arguments.proof, MAX_NOTE_BYTES).decode("ascii")
        proof = hashes_from(text.split())
    except ValueError as error:
        wanted = "two checkpoints and hashes"
        report.add("consistency.form", arguments.proof, "content", wanted, str(error))
        return
    if old.origin != new.origin:
        report.add("origin", arguments.new, "log", old.origin, new.origin)
    if not is_consistent(old, new, proof):
        facts = ("tree", f"{new.size} events after {old.size}", "another history")
        report.add("consistency", arguments.new, *facts)
    report.facts["old"], report.facts["new"] = old.size, new.size
    report.lines.append(f"From {old.size} to {new.size} events.")
    if not arguments.log_key:
        report.doubts.append("No --log-key was given, so the signatures say nothing.")


# Commands: the rows of a CSV file

ROWS_AT_ONCE = 50_000
COLUMNS = ("leaf_index", "event_id", "leaf_hash")


def check_csv(arguments: argparse.Namespace, report: Report) -> None:
    """Compare each row of a CSV file with the event in the export: `csv`."""
    if arguments.log_key:
        examine(arguments, report)
    else:
        report.doubts.append("The export itself was not verified (--log-key).")
    try:
        source = open_export(arguments.path)
    except UNREADABLE as error:
        report.add("file.unreadable", "export", "file", "an export", str(error))
        return
    with closing(source):
        pruning = pruning_of(Bundle(source, Report()), arguments.archive)
        compare_csv(source, arguments.file, report, pruning)


def compare_csv(
    source: Folder | Archive, path: str, report: Report, pruning: Pruning
) -> None:
    count = 0
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as stream:
        rows = csv_rows(stream, path, report)
        while True:
            batch: dict[int, list[tuple[int, str, str]]] = {}
            for number, index, event_id, digest in islice(rows, ROWS_AT_ONCE):
                batch.setdefault(index, []).append((number, event_id, digest))
                count += 1
            if not batch:
                break
            compare_rows(Bundle(source, report), batch, path, pruning)
    report.facts["rows"] = count
    report.lines.append(
        f"{count} rows: place, id and hash were compared, not the rest."
    )


def csv_rows(
    stream: Iterable[str], path: str, report: Report
) -> Iterator[tuple[int, int, str, str]]:
    """Give line, place, id and hash of each row."""
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(stream)
    try:
        header = next(reader, [])
        if not set(header) >= set(COLUMNS):
            facts = ("first line", ", ".join(COLUMNS), ", ".join(header))
            report.add("row.form", path, *facts)
            return
        places = [header.index(name) for name in COLUMNS]
        for row in reader:
            cells = [row[place] if place < len(row) else "" for place in places]
            if SIZE_LINE.fullmatch(cells[0]):
                yield reader.line_num, int(cells[0]), cells[1], cells[2]
            else:
                place = f"line {reader.line_num}"
                report.add("row.form", path, place, "a place in the tree", cells[0])
    except csv.Error as error:
        report.add("row.form", path, f"line {reader.line_num}", "a row", str(error))


def compare_rows(
    bundle: Bundle,
    rows: dict[int, list[tuple[int, str, str]]],
    path: str,
    pruning: Pruning,
) -> None:
    """Compare some rows with their events; no more than one segment is read at once."""
    for segment in sorted({index // SEGMENT_LEAVES for index in rows}):
        task = Task(segment, (), Wanted())
        index = task.start
        with source_of(bundle, pruning.archives.get(segment)) as source:
            if task.name not in source.present:
                continue
            for batch in source.lines(task.name, MAX_BODY_BYTES):
                for body in batch:
                    for number, event_id, digest in rows.pop(index, ()):
                        row = (path, number, event_id, digest)
                        compare_row(bundle.report, body, row)
                    index += 1
    for index, left in rows.items():
        rule = "row.pruned" if pruning.has_lost(index) else "row.newer"
        for number, event_id, _ in left:
            facts = (f"line {number}", "an event of the export", event_id)
            bundle.report.add(rule, path, *facts, index=index)


@contextmanager
def source_of(bundle: Bundle, archive: str | None) -> Iterator[Bundle]:
    """Give the export itself, or the archive of events that were pruned from it."""
    if archive is None:
        yield bundle
        return
    try:
        opened: Folder | Archive = Archive(archive)
    except UNREADABLE as error:
        bundle.gap(archive, "file.unreadable", str(error))
        opened = Nothing()
    with closing(opened) as source:
        yield Bundle(source, bundle.report)


def compare_row(report: Report, body: bytes, row: tuple[str, int, str, str]) -> None:
    path, number, event_id, digest = row
    try:
        found = str(decode(body).get("id"))
    except ValueError:
        found = "unreadable"
    for name, said, sealed in (
        ("event_id", event_id, found),
        ("leaf_hash", digest, leaf_hash(body).hex()),
    ):
        if said != sealed:
            report.add("row", path, f"line {number}, {name}", sealed, said)


# Commands: a witness without a network

OLD_LINE = re.compile(r"old (0|[1-9][0-9]{0,15})")


def make_witness(arguments: argparse.Namespace) -> int:
    """Make a key for a witness, and the file in which it remembers."""
    if not NAME.fullmatch(arguments.init):
        raise Malformed("a name has no space and no plus sign")
    seed, name = os.urandom(HASH_BYTES), arguments.init
    public = public_of(seed)
    identifier = key_id(name, WITNESS + public).hex()
    private = base64.b64encode(WITNESS + seed).decode()
    for path, text in (
        (arguments.key, f"{PRIVATE}{name}+{identifier}+{private}\n"),
        (arguments.state, ""),
    ):
        with open(
            os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w"
        ) as file:
            file.write(text)
    print(f"{name}+{identifier}+{base64.b64encode(WITNESS + public).decode()}")
    return VERIFIED


def parse_request(raw: bytes) -> tuple[int, list[bytes], bytes]:
    """Read what a log asks of a witness (C2SP tlog-witness, add-checkpoint)."""
    head, gap, note = raw.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except ValueError:
        raise Malformed("not ASCII above the checkpoint") from None
    old = OLD_LINE.fullmatch(first)
    if old is None or not gap:
        raise Malformed("the first line reads: old SIZE")
    return size_from(old[1]), hashes_from(lines), note


def witness(arguments: argparse.Namespace, report: Report) -> str:
    """Sign a checkpoint that continues the last one: `witness`.

    Returns:
        The line with the cosignature; empty, and a finding, when it is refused.
    """
    key = private_key(arguments.key)
    raw = sys.stdin.buffer.read(2 * MAX_NOTE_BYTES)
    fresh = arguments.state + ".new"  # also keeps a second witness away
    try:
        file = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise Malformed(
            f"{fresh} is there: another run is at work; or one was cut short, then "
            "remove it"
        ) from None
    try:
        note = acceptable(raw, arguments, report)
        if note is None:
            os.close(file)
            os.unlink(fresh)
            return ""
    except (OSError, ValueError):
        os.close(file)
        os.unlink(fresh)
        raise
    with open(file, "wb") as stream:
        lines = "".join(f"{line}\n" for _, _, line in note.signatures)
        stream.write(f"{note.text}\n{lines}".encode())
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(fresh, arguments.state)
    keep_folder(arguments.state)
    return cosignature(key, note)


def cosignature(key: Key, note: Note) -> str:
    moment = int(time.time())
    signed = sign(key.material, timed(moment, note.text))
    stated = key.identifier + moment.to_bytes(8, "big") + signed
    return f"\u2014 {key.name} {base64.b64encode(stated).decode()}\n"


def private_key(path: str) -> Key:
    text = read_file(path, MAX_NOTE_BYTES).decode("utf-8").strip()
    if not text.startswith(PRIVATE):
        raise Malformed(f"a private key begins with {PRIVATE}")
    return parse_key(text[len(PRIVATE) :], WITNESS, private=True)


def keep_folder(path: str) -> None:
    """Make a renamed file survive a loss of power, where the system can."""
    with suppress(OSError):
        folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def acceptable(
    raw: bytes, arguments: argparse.Namespace, report: Report
) -> Note | None:
    """Do what a witness must do before it signs."""
    held = Checkpoint("", 0, join([]))
    seen = read_file(arguments.state, MAX_NOTE_BYTES)
    if seen:
        held = parse_checkpoint(parse_note(seen).text)
    try:
        old, proof, asked = parse_request(raw)
        note = parse_note(asked)
        new = parse_checkpoint(note.text)
    except Malformed as error:
        report.add("witness.form", "request", "content", "a request", str(error))
        return None
    fault = signature_fault(note, new.origin, arguments.log_key)
    if fault:
        report.add("signature", "request", "signature", "the log's", fault)
    elif held.origin not in ("", new.origin):
        report.add("origin", "request", "log", held.origin, new.origin)
    elif new.size == held.size and new.root != held.root:
        facts = (f"root of {held.size} events", held.root.hex(), new.root.hex())
        report.add("consistency", "request", *facts)
    elif old != held.size or new.size < old:
        report.add("witness.behind", "request", "old", str(held.size), str(old))
    elif not is_consistent(held, new, proof):
        facts = ("proof", f"{new.size} events after {held.size}", "another history")
        report.add("consistency", "request", *facts)
    return None if report.counts else note


# The command line


def key_argument(text: str, kind: bytes = LOG) -> Key:
    try:
        return parse_key(text.strip(), kind)
    except Malformed as error:
        raise argparse.ArgumentTypeError(f"no verification key: {error}") from None


def age_argument(text: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,5})([hd])", text)
    if not found:
        raise argparse.ArgumentTypeError("an age reads 25h or 7d")
    return timedelta(hours=int(found[1]) * (24 if found[2] == "d" else 1))


def count_argument(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,2}", text):
        raise argparse.ArgumentTypeError("a number from 1 to 999")
    return int(text)


def read_file(path: str, limit: int) -> bytes:
    with open(path, "rb") as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise Malformed(f"{path} is larger than {limit} bytes")
    return content


def read_kept(path: str, keys: list[Key]) -> tuple[str, Checkpoint]:
    """Read a copy that was kept outside; it must be one of this log.

    Mail and editors change line ends; the signature tells whether they changed more.
    """
    raw = read_file(path, MAX_NOTE_BYTES).replace(b"\r\n", b"\n").strip() + b"\n"
    note = parse_note(raw)
    checkpoint = parse_checkpoint(note.text)
    fault = signature_fault(note, checkpoint.origin, keys) if keys else ""
    if fault:
        raise Malformed(f"{path} has {fault}")
    return path, checkpoint


def options_of_trust(
    command: argparse.ArgumentParser, *, required: bool = True
) -> None:
    witness_key = partial(key_argument, kind=WITNESS)
    add = command.add_argument
    add("--log-key", type=key_argument, action="append", required=required, default=[])
    add("--witness-key", type=witness_key, action="append", default=[])
    add("--quorum", type=count_argument, help="so many witnesses, not all")
    add("--kept", metavar="FILE", action="append", default=[])
    add("--max-age", type=age_argument, metavar="25h")


def options_of_bundle(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--tsa-ca", metavar="PEM", help="certificate of the time stamp authority")
    add("--private", action="store_true", help="check personal data too")
    add("--archive", metavar="FILE", action="append", default=[], help="pruned events")
    add("--recheck-filter", metavar="FILE", help="a filtered list as JSON Lines")
    add("--jobs", type=count_argument, default=cores(), help="processes side by side")


def parser_of_commands() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="auditverify", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    bundle = commands.add_parser("bundle", help="verify an export")
    bundle.add_argument("path", help="the export, a zip file or the unpacked folder")
    options_of_trust(bundle)
    options_of_bundle(bundle)
    event = commands.add_parser("event", help="verify the proof of one event")
    event.add_argument("proof", help="a file .tlog-proof")
    event.add_argument("event", help="the event, byte for byte")
    options_of_trust(event)
    certificate = commands.add_parser("certificate", help="verify a regeneration")
    certificate.add_argument("path", help="the zip file of a certificate")
    certificate.add_argument(
        "--file", dest="files", metavar="FILE", action="append", default=[]
    )
    options_of_trust(certificate)
    signatures = commands.add_parser("sign-off", help="verify signatures of a request")
    signatures.add_argument("path", help="the zip file of a sign-off record")
    options_of_trust(signatures)
    consistency = commands.add_parser("consistency", help="compare two checkpoints")
    consistency.add_argument("old")
    consistency.add_argument("new")
    consistency.add_argument(
        "--proof", required=True, help="hashes in base64, a line each"
    )
    consistency.add_argument(
        "--log-key", type=key_argument, action="append", default=[]
    )
    rows = commands.add_parser("csv", help="compare the rows of a CSV file")
    rows.add_argument("file")
    rows.add_argument("--bundle", dest="path", required=True, metavar="EXPORT")
    options_of_trust(rows, required=False)
    options_of_bundle(rows)
    signing = commands.add_parser("witness", help="sign a checkpoint read from input")
    signing.add_argument("--state", required=True, help="what this witness saw last")
    signing.add_argument("--key", required=True, help="file of the private key")
    signing.add_argument("--log-key", type=key_argument, action="append", default=[])
    signing.add_argument("--init", metavar="NAME", help="make key and state")
    everything = (bundle, event, certificate, signatures, consistency, rows, signing)
    for command in everything:
        command.add_argument("--json", action="store_true", help="answer for programs")
    return parser


def check_arguments(arguments: argparse.Namespace) -> None:
    """Read what is named on the command line.

    Raises:
        OSError, ValueError: it cannot be used; the message says why.
    """
    for name in (
        "path",
        "proof",
        "event",
        "old",
        "new",
        "file",
        "recheck_filter",
        "tsa_ca",
    ):
        path = getattr(arguments, name, None)
        if path is not None and not os.path.exists(path):
            raise Malformed(f"there is no {path}")
    if arguments.command == "witness" and not (arguments.log_key or arguments.init):
        raise Malformed("--log-key is needed")
    for path in (*getattr(arguments, "archive", ()), *getattr(arguments, "files", ())):
        if not os.path.isfile(path):
            raise Malformed(f"there is no {path}")
    quorum = getattr(arguments, "quorum", None) or 0
    if quorum > len(set(getattr(arguments, "witness_key", ()))):
        raise Malformed("--quorum is more than there are keys of witnesses")
    if hasattr(arguments, "kept"):
        arguments.kept = [read_kept(one, arguments.log_key) for one in arguments.kept]


def print_text(report: Report) -> None:
    code = report.exit_code()
    print(f"{VERDICTS[code]} (exit code {code})")
    facts = report.facts
    if "events" in facts:
        root = f", root {facts['root']}" if "root" in facts else ""
        print(f"{facts['events']} events{root}, manifest {facts['manifest']}")
    if "confirmed" in facts and not report.findings:
        print(f"The first {facts['confirmed']} are confirmed from outside the export.")
    for line in report.lines:
        print(line)
    for one in report.findings:
        event = "" if one.index is None else f", event {one.index}"
        print(f"\n[{one.rule}] {one.place}{event}: {one.field}")
        print(f"  expected {one.expected}\n  found    {one.found}")
        print(f"  against  {one.against}\n  {one.meaning}")
    for rule, count in report.counts.items():
        if count > SHOWN_PER_RULE:
            print(f"\n[{rule}] and {count - SHOWN_PER_RULE} more")
    for doubt in report.doubts:
        print(f"\nNote: {doubt}")


def print_json(report: Report) -> None:
    answer = {"exit": report.exit_code(), "verdict": VERDICTS[report.exit_code()]}
    findings = [asdict(one) for one in report.findings]
    rest = {"counts": report.counts, "findings": findings, "notes": report.doubts}
    rest["lines"] = report.lines
    print(json.dumps({**answer, **report.facts, **rest}))


COMMANDS = {
    "bundle": examine,
    "event": check_event,
    "certificate": check_certificate,
    "sign-off": check_sign_off,
    "consistency": check_consistency,
    "csv": check_csv,
}


def run(arguments: argparse.Namespace) -> int:
    report = Report()
    if arguments.command != "witness":
        COMMANDS[arguments.command](arguments, report)
    elif arguments.init:
        return make_witness(arguments)
    else:
        line = witness(arguments, report)
        if line:
            sys.stdout.buffer.write(line.encode())
            return VERIFIED
    (print_json if arguments.json else print_text)(report)
    return report.exit_code()


def main(argv: list[str] | None = None) -> int:
    """Run the command and give its exit code."""
    parser = parser_of_commands()
    arguments = parser.parse_args(argv)
    try:
        check_arguments(arguments)
        return run(arguments)
    except (OSError, ValueError) as error:
        parser.error(plain(str(error)))


def program() -> int:
    """Run the command, and end with an answer whatever the files made of it."""
    try:
        return main()
    except KeyboardInterrupt:
        said = "stopped before the end"
    except Exception as error:  # noqa: BLE001  # hostile files get no traceback
        said = plain(f"this program failed ({type(error).__name__}: {error})")
    print(f"{VERDICTS[INCOMPLETE]}: {said}", file=sys.stderr)
    return INCOMPLETE


if __name__ == "__main__":
    sys.exit(program())
