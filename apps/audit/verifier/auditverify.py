#!/usr/bin/env python3
"""Verify an export of the audit trail, without the portal and without a network.

    python3 auditverify.py bundle EXPORT.zip --log-key KEY --kept CHECKPOINT

One file, Python 3.8 or newer, nothing to install. The key is the one you wrote down
when the portal was installed, never one that came with the export. A kept checkpoint is
a copy that you, or anyone outside the portal's machines, saved earlier.

Answers: 0 verified; 1 tamper evidence; 2 wrong usage; 3 evidence incomplete;
4 verified, but stale or without anything from outside the export to compare with.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
import stat
import struct
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
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
LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}  # left behind by file managers

HASH_BYTES = 32
TILE_WIDTH = 256
SEGMENT_LEAVES = 65_536
MAX_BODY_BYTES = 65_535
MAX_NOTE_BYTES = 1_000_000
MAX_MANIFEST_BYTES = 32_000_000
MAX_CHECKPOINTS = 10_000
MAX_INTEGER = 2**53 - 1
MAX_SIGNATURES = 100
SHOWN_PER_RULE = 20
UNREADABLE = (
    OSError, ValueError, RuntimeError, EOFError, MemoryError,
    struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


# What is found


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
    meaning: str


def plain(text: str) -> str:
    """Write hostile text so that no terminal can be led astray."""
    return text[:300].encode("unicode_escape").decode("ascii")


class Report:
    """The findings, cut to the first of each rule, and what was seen on the way."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.counts: dict[str, int] = {}
        self.tampered = False
        self.events = 0
        self.root = ""
        self.manifest = ""
        self.confirmed = 0
        self.warnings: list[str] = []
        self.gaps: list[str] = []

    def add(self, *facts: str, index: int | None = None, tamper: bool = True) -> None:
        """Take down a finding: rule, place, field, expected, found, meaning."""
        finding = Finding(index, tamper, *map(plain, facts))
        self.tampered = self.tampered or tamper
        self.counts[finding.rule] = self.counts.get(finding.rule, 0) + 1
        if self.counts[finding.rule] <= SHOWN_PER_RULE:
            self.findings.append(finding)

    def exit_code(self) -> int:
        if self.tampered:
            return TAMPERED
        if self.findings:
            return INCOMPLETE
        return UNSUPPORTED if self.warnings else VERIFIED


# Ed25519 (RFC 8032, section 5.1), verification only

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)
BASE_Y = 4 * pow(5, -1, P) % P


def point_add(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    minus = (a[1] - a[0]) * (b[1] - b[0]) % P
    plus = (a[1] + a[0]) * (b[1] + b[0]) % P
    cross, depth = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = plus - minus, depth - cross, depth + cross, plus + minus
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_sum(
    first: int, a: tuple[int, ...], second: int, b: tuple[int, ...]
) -> tuple[int, ...]:
    """Compute first * a + second * b, both at once."""
    total: tuple[int, ...] = (0, 1, 1, 0)
    steps = {(0, 0): total, (1, 0): a, (0, 1): b, (1, 1): point_add(a, b)}
    for place in reversed(range(ORDER.bit_length())):
        total = point_add(total, total)
        bits = (first >> place & 1, second >> place & 1)
        if bits != (0, 0):
            total = point_add(total, steps[bits])
    return total


def point_from(number: int) -> tuple[int, ...] | None:
    y, odd = number % 2**255, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_MINUS_ONE % P
    if y >= P or (x * x - square) % P or (x == 0 and odd):
        return None
    x = x if x % 2 == odd else P - x
    return x, y, 1, x * y % P


def signature_is_valid(public: bytes, message: bytes, signature: bytes) -> bool:
    point, base = point_from(int.from_bytes(public, "little")), point_from(BASE_Y)
    scalar = int.from_bytes(signature[HASH_BYTES:], "little")
    if point is None or base is None or len(signature) != 64 or scalar >= ORDER:
        return False
    challenge = hashlib.sha512(signature[:HASH_BYTES] + public + message).digest()
    times = int.from_bytes(challenge, "little") % ORDER
    negated = (P - point[0], point[1], 1, P - point[3])
    x, y, z, _ = point_sum(scalar, base, times, negated)
    inverse = pow(z, -1, P)
    encoded = y * inverse % P | (x * inverse % P % 2) << 255
    return encoded.to_bytes(HASH_BYTES, "little") == signature[:HASH_BYTES]


# Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint)

KEY_LINE = re.compile(r"([^\s+]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{1,100})")
SIGNATURE_LINE = re.compile("\u2014 ([^\\s+]{1,255}) ([A-Za-z0-9+/=]{1,10000})")
CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
SIZE_LINE = re.compile(r"0|[1-9][0-9]{0,15}")


class Malformed(ValueError):
    """The text is not in its one allowed form."""


@dataclass(frozen=True)
class Key:
    name: str
    identifier: bytes
    public: bytes


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


def parse_key(text: str) -> Key:
    found = KEY_LINE.fullmatch(text)
    if not found:
        raise Malformed("a key reads NAME+ID+KEY")
    name, identifier, typed = found[1], bytes.fromhex(found[2]), from_base64(found[3])
    if typed[:1] != b"\x01" or len(typed) != 1 + HASH_BYTES:
        raise Malformed("not an Ed25519 key")
    if hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4] != identifier:
        raise Malformed("name, id and key do not belong together: a character is wrong")
    return Key(name, identifier, typed[1:])


def parse_note(raw: bytes) -> tuple[str, list[tuple[str, bytes]]]:
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
    return text + "\n", [(one[1], from_base64(one[2])) for one in found if one]


def parse_checkpoint(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) != 4 or lines.pop() or not all(lines):
        raise Malformed("a checkpoint is three lines: name, size and root")
    origin, size, root = lines
    if not SIZE_LINE.fullmatch(size) or int(size) > MAX_INTEGER:
        raise Malformed("the size is not a plain number")
    if len(from_base64(root)) != HASH_BYTES:
        raise Malformed("the root does not have 32 bytes")
    return Checkpoint(origin, int(size), from_base64(root))


def signature_fault(
    text: str, signatures: list[tuple[str, bytes]], origin: str, keys: list[Key]
) -> str:
    """Say what is wrong with the signatures of a checkpoint; empty when one is good."""
    first = {(name, signed[:4]): signed[4:] for name, signed in reversed(signatures)}
    found = [(key, first.get((key.name, key.identifier))) for key in keys]
    for key, signed in found:
        if signed and not signature_is_valid(key.public, text.encode(), signed):
            return "a signature under your key that does not fit the text"
    signers = {key.name for key, signed in found if signed}
    return "" if origin in signers else "no signature of the log under your key"


# The tree (RFC 6962) in tiles (C2SP tlog-tiles)


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def fold(hashes: list[bytes]) -> bytes:
    """Join the hashes of 1, 2, 4, ... leaves or subtrees into one."""
    while len(hashes) > 1:
        pairs = range(0, len(hashes), 2)
        hashes = [sha256(b"\x01", hashes[n], hashes[n + 1]) for n in pairs]
    return hashes[0]


def tile_name(level: int, index: int, width: int) -> str:
    name, rest = f"{index % 1000:03}", index // 1000
    while rest:
        name, rest = f"x{rest % 1000:03}/{name}", rest // 1000
    return f"tile/{level}/{name}" + (f".p/{width}" if width < TILE_WIDTH else "")


class Tree:
    """A growing tree that remembers the unfinished tile of every level."""

    def __init__(self) -> None:
        self.size = 0
        self.open: list[list[bytes]] = []

    def append(self, leaf: bytes) -> Iterator[tuple[int, int, list[bytes]]]:
        """Add a leaf hash; gives each tile that it completes: level, index, hashes."""
        self.size += 1
        level, covered, added = 0, TILE_WIDTH, leaf
        while True:
            if level == len(self.open):
                self.open.append([])
            self.open[level].append(added)
            if len(self.open[level]) < TILE_WIDTH:
                return
            full, self.open[level] = self.open[level], []
            yield level, self.size // covered - 1, full
            level, covered, added = level + 1, covered * TILE_WIDTH, fold(full)

    def partial(self) -> Iterator[tuple[int, int, list[bytes]]]:
        """Give the unfinished tiles at the right edge."""
        for level, hashes in enumerate(self.open):
            if hashes:
                yield level, self.size // TILE_WIDTH ** (level + 1), hashes

    def root(self) -> bytes:
        runs: list[bytes] = []
        for hashes in reversed(self.open):
            start = 0
            while start < len(hashes):
                length = 1 << (len(hashes) - start).bit_length() - 1
                runs.append(fold(hashes[start : start + length]))
                start += length
        if not runs:
            return sha256()
        joined = runs.pop()
        while runs:
            joined = sha256(b"\x01", runs.pop(), joined)
        return joined


# The files of an export


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


class Bundle:
    """The files, each checked against the manifest while it is read."""

    def __init__(self, source: Folder | Archive, report: Report) -> None:
        self.source = source
        self.report = report
        names = Counter(source.names())
        self.present = {one for one in names if one.split("/")[-1] not in LITTER}
        self.unread = self.present - {MANIFEST}
        self.broken: set[str] = set()
        self.listed: dict[str, str] | None = None
        for name in sorted(one for one, count in names.items() if count > 1):
            self.fault("file.twice", name, "one file", "several of this name")

    def fault(self, rule: str, name: str, expected: str, found: str) -> None:
        meaning = "This file is not as it was exported."
        self.report.add(rule, name, "content", expected, found, meaning)

    def gap(self, name: str, rule: str = "file.missing", found: str = "none") -> None:
        meaning = "Without it nothing can be said. Ask for a complete export."
        facts = (rule, name, "file", "a readable file", found, meaning)
        self.report.add(*facts, tamper=False)

    def pieces(self, name: str, limit: int, lines: bool) -> Iterator[bytes]:
        """Give a file piece by piece or line by line, none longer than `limit`."""
        self.unread.discard(name)
        digest = hashlib.sha256()
        try:
            with self.source.open(name) as stream:
                read = stream.readline if lines else stream.read
                for piece in iter(lambda: read(limit), b""):
                    digest.update(piece)
                    yield piece
        except UNREADABLE as error:
            self.gap(name, "file.unreadable", str(error))
            self.broken.add(name)
            return
        if name == MANIFEST:
            self.report.manifest = digest.hexdigest()
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
        for piece in self.pieces(name, limit + 1, lines=False):
            content = content or piece
            if len(piece) > limit:
                self.fault("file.size", name, f"at most {limit} bytes", "more")
                return None
        return None if name in self.broken else content

    def read_manifest(self) -> None:
        """Learn the digest of every file, and name those that are missing or added."""
        raw = self.read(MANIFEST, MAX_MANIFEST_BYTES)
        if raw is None:
            return
        try:
            manifest = decode_body(raw.rstrip(b"\n"))
            files = manifest["files"]
            fault = raw[-1:] != b"\n" or set(manifest) != {"files", "format"}
            fault = fault or manifest["format"] != FORMAT or not isinstance(files, dict)
        except (ValueError, KeyError, RecursionError):
            fault = True
        if fault:
            self.fault("manifest.form", MANIFEST, f"a manifest of {FORMAT}", "another")
            return
        self.listed = {name: str(digest) for name, digest in files.items()}
        for name in sorted(self.listed.keys() - self.present):
            self.gap(name)

    def read_rest(self) -> None:
        """Check the convenience copies, and name what nobody asked for."""
        for name in sorted(self.unread):
            if name == "VERIFY.md" or name.startswith("keys/"):
                self.read(name, MAX_NOTE_BYTES)
            elif "file.missing" not in self.report.counts:
                self.fault("file.unknown", name, "no such file", "a file")


# The examination


def refuse(text: str) -> None:
    raise Malformed(f"not a number of this format: {text[:20]}")


def whole(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise Malformed("an integer that not every reader understands alike")
    return int(text)


DECODER = json.JSONDecoder(parse_float=refuse, parse_constant=refuse, parse_int=whole)
ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def decode_body(body: bytes) -> dict[str, Any]:
    """Read JSON that has one spelling only, so that no two readers can disagree."""
    value = DECODER.decode(body.decode("utf-8"))
    if not isinstance(value, dict) or ENCODER.encode(value).encode("utf-8") != body:
        raise Malformed("not an object in canonical spelling")
    return value


@dataclass(frozen=True)
class Claim:
    """What a checkpoint says: the first `size` events have this root."""

    size: int
    root: bytes
    place: str
    if_wrong: str
    if_short: str


@dataclass(frozen=True)
class Gap:
    """The event with which a log goes on after an earlier one lost its end."""

    index: int
    kept: int
    reason: str


class Examination:
    """One walk over all events, comparing with tiles and checkpoints on the way."""

    def __init__(self, bundle: Bundle, keys: list[Key], report: Report) -> None:
        self.bundle = bundle
        self.keys = keys
        self.report = report
        self.tree = Tree()
        self.origin = ""
        self.claims: dict[int, list[Claim]] = {}
        self.others: list[tuple[str, Checkpoint]] = []
        self.other_roots: dict[int, bytes] = {}
        self.gaps: dict[str, Gap] = {}
        self.newest_time = ""
        self.signed_size: int | None = None

    def claim(self, checkpoint: Checkpoint, place: str, texts: tuple[str, str]) -> None:
        self.origin = self.origin or checkpoint.origin
        if checkpoint.origin != self.origin:  # judged when all events are known
            self.others.append((place, checkpoint))
            self.other_roots[checkpoint.size] = b""
            return
        one = Claim(checkpoint.size, checkpoint.root, place, *texts)
        self.claims.setdefault(checkpoint.size, []).append(one)

    def read_checkpoint(self, name: str) -> None:
        raw = self.bundle.read(name, MAX_NOTE_BYTES)
        if raw is None:
            return
        try:
            text, signatures = parse_note(raw)
            checkpoint = parse_checkpoint(text)
            fault = signature_fault(text, signatures, checkpoint.origin, self.keys)
        except Malformed as error:
            self.bundle.fault("checkpoint.form", name, "a checkpoint", str(error))
            return
        if fault:
            meaning = "The log did not sign this. It was forged, or the key is another."
            expected = "signed by " + ", ".join(key.name for key in self.keys)
            self.report.add("signature", name, "signature", expected, fault, meaning)
        if name != "checkpoint" and name != f"checkpoints/{checkpoint.size}":
            self.bundle.fault("checkpoint.name", name, str(checkpoint.size), name)
        if name == "checkpoint":
            self.signed_size = checkpoint.size
        self.claim(checkpoint, name, (CHANGED, LOST))

    def read_checkpoints(self, kept: list[tuple[str, Checkpoint]]) -> None:
        self.read_checkpoint("checkpoint")
        earlier = [one for one in self.bundle.unread if one.startswith("checkpoints/")]
        for name in sorted(earlier)[:MAX_CHECKPOINTS]:
            self.read_checkpoint(name)
        for name, checkpoint in kept:
            self.claim(checkpoint, name, (REWRITTEN, CUT))

    def walk(self) -> None:
        """Read the segments, as far as they follow one another."""
        self.check_claims()
        number = 0
        while self.tree.size == number * SEGMENT_LEAVES:
            name = f"segments/{number:06}.jsonl"
            if name not in self.bundle.present:
                break
            number += 1
            self.walk_segment(name, number * SEGMENT_LEAVES)
        for level, index, hashes in self.tree.partial():
            self.check_tile(level, index, hashes)
        self.check_end(f"segments/{number:06}.jsonl")
        self.check_others()

    def walk_segment(self, name: str, end: int) -> None:
        for line in self.bundle.pieces(name, MAX_BODY_BYTES + 1, lines=True):
            if self.tree.size == end:
                self.bundle.fault("segment.lines", name, str(SEGMENT_LEAVES), "more")
                return
            body = line.rstrip(b"\n")
            if line[-1:] != b"\n":
                found = f"none within {len(line)} bytes"
                self.bundle.fault("segment.line", name, "a line end", found)
            self.check_body(body, name)
            for level, index, hashes in self.tree.append(sha256(b"\x00", body)):
                self.check_tile(level, index, hashes)
            self.check_claims()

    def check_body(self, body: bytes, name: str) -> None:
        try:
            event = decode_body(body)
            self.newest_time = str(event.get("time"))
            if event.get("action") == "audit.history_gap":
                self.note_gap(event)
        except (ValueError, RecursionError) as error:
            meaning = "Two readers could read two different facts from these bytes."
            found = str(error)
            facts = ("body.form", name, "body", "canonical", found, meaning)
            self.report.add(*facts, index=self.tree.size)

    def note_gap(self, event: dict[str, Any]) -> None:
        """Remember which log ended, and how many of its events this one begins with."""
        try:
            facts = {str(one["name"]): one["value"] for one in event["changes"]}
            ended, (lost, kept) = str(facts["origin"][0]), map(int, facts["size"])
        except (KeyError, IndexError, TypeError, ValueError):
            return
        gap = Gap(self.tree.size, kept, str(event.get("reason")))
        if self.gaps.setdefault(ended, gap) is gap:
            sentence = f"Events {kept} to {lost - 1} of {ended} were declared lost by"
            self.report.gaps.append(
                plain(f"{sentence} event {gap.index}: {gap.reason}")
            )

    def check_others(self) -> None:
        """Compare with checkpoints of an earlier log that this one continues."""
        for place, other in self.others:
            gap = self.gaps.get(other.origin)
            if gap is None:
                facts = ("origin", place, "log", self.origin, other.origin, OTHER)
                self.report.add(*facts)
            elif other.size > gap.kept:
                wanted = f"{other.size} events of {other.origin}"
                found = f"{gap.kept}, and a declared loss: {gap.reason}"
                facts = ("history.gap", place, "events", wanted, found, DECLARED)
                self.report.add(*facts, index=gap.index)
            elif self.other_roots[other.size] != other.root:
                field, wanted = f"root of {other.size} events", other.root.hex()
                found = self.other_roots[other.size].hex()
                self.report.add("root", place, field, wanted, found, REWRITTEN)

    def check_tile(self, level: int, index: int, hashes: list[bytes]) -> None:
        name = tile_name(level, index, len(hashes))
        stored = self.bundle.read(name, len(hashes) * HASH_BYTES)
        if stored is None or stored == b"".join(hashes):
            return
        for place, computed in enumerate(hashes):
            written = stored[place * HASH_BYTES : (place + 1) * HASH_BYTES]
            if written != computed:
                first = (index * TILE_WIDTH + place) * TILE_WIDTH**level
                facts = (f"hash {place}", written.hex(), computed.hex(), MOVED)
                self.report.add("tile.hash", name, *facts, index=first)
                return

    def check_claims(self) -> None:
        if self.tree.size in self.other_roots:
            self.other_roots[self.tree.size] = self.tree.root()
        claims = self.claims.pop(self.tree.size, None)
        root = self.tree.root() if claims else b""
        for claim in claims or ():
            if claim.root != root:
                field, wanted = f"root of {claim.size} events", claim.root.hex()
                facts = ("root", claim.place, field, wanted, root.hex())
                self.report.add(*facts, claim.if_wrong)

    def check_end(self, next_segment: str) -> None:
        """Compare the number of events with what the checkpoints say."""
        size = self.tree.size
        if (self.signed_size or 0) > size and size % SEGMENT_LEAVES == 0:
            self.bundle.gap(next_segment)
            return
        for claim in (one for claims in self.claims.values() for one in claims):
            self.miscount(claim.place, claim.size, claim.if_short)
        if self.signed_size is not None and self.signed_size < size:
            self.miscount("checkpoint", self.signed_size, ADDED)

    def miscount(self, place: str, expected: int, meaning: str) -> None:
        facts = ("size", place, "events", str(expected), str(self.tree.size), meaning)
        self.report.add(*facts, index=min(expected, self.tree.size))


OTHER = "These are two different logs."
MOVED = (
    "From here on an event was edited, removed, added or moved after the tile was "
    "made, or the tile itself was changed."
)
CHANGED = "Events up to here are not those that the log signed."
ADDED = "There are events that the log did not sign."
LOST = "Events that the log signed are missing."
REWRITTEN = (
    "Events up to here were changed, removed, added or moved after this copy was kept."
)
DECLARED = (
    "Events that existed when this copy was kept are missing. An administrator of the "
    "portal declared them lost; whether that was an accident, no export can say."
)
CUT = (
    "Events that existed when this copy was kept are missing. Either they were cut "
    "off, or this export is older than the copy; then ask for a newer one."
)


def examine(arguments: argparse.Namespace) -> Report:
    """Check one export against the keys and the kept checkpoints."""
    report = Report()
    try:
        folder = os.path.isdir(arguments.path)
        source = Folder(arguments.path) if folder else Archive(arguments.path)
    except UNREADABLE as error:
        meaning = "Nothing could be checked. Download the export again."
        facts = ("export", "file", "an export", str(error), meaning)
        report.add("file.unreadable", *facts, tamper=False)
        return report
    with closing(source):
        bundle = Bundle(source, report)
        bundle.read_manifest()
        examination = Examination(bundle, arguments.log_key, report)
        examination.read_checkpoints(arguments.kept)
        examination.walk()
        bundle.read_rest()
    report.events = examination.tree.size
    report.root = examination.tree.root().hex()
    report.confirmed = max((kept.size for _, kept in arguments.kept), default=0)
    report.warnings = list(doubts(arguments, examination))
    return report


def doubts(arguments: argparse.Namespace, examination: Examination) -> Iterator[str]:
    """Say what the export, flawless as it may be, cannot show."""
    if not any(checkpoint.size for _, checkpoint in arguments.kept):
        yield (
            "No checkpoint from outside the export was given (--kept), so nobody can "
            "say whether the newest events were cut off."
        )
    if arguments.max_age is None:
        return
    try:
        time = datetime.strptime(examination.newest_time, "%Y-%m-%dT%H:%M:%S.%f%z")
        is_old = datetime.now(timezone.utc) - time > arguments.max_age
    except ValueError:
        is_old = True
    if is_old:
        yield f"The newest event is of {plain(examination.newest_time)}: too old."


# The command


def key_argument(text: str) -> Key:
    try:
        return parse_key(text.strip())
    except Malformed as error:
        raise argparse.ArgumentTypeError(f"no verification key: {error}") from None


def age_argument(text: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,5})([hd])", text)
    if not found:
        raise argparse.ArgumentTypeError("an age reads 25h or 7d")
    return timedelta(hours=int(found[1]) * (24 if found[2] == "d" else 1))


def kept_checkpoint(path: str, keys: list[Key]) -> tuple[str, Checkpoint]:
    """Read a copy that was kept outside; it must be one of this log.

    Mail and editors change line ends; the signature tells whether they changed more.
    """
    with open(path, "rb") as stream:
        copied = stream.read(MAX_NOTE_BYTES).replace(b"\r\n", b"\n").strip() + b"\n"
    text, signatures = parse_note(copied)
    checkpoint = parse_checkpoint(text)
    fault = signature_fault(text, signatures, checkpoint.origin, keys)
    if fault:
        raise Malformed(fault)
    return path, checkpoint


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="auditverify", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    bundle = commands.add_parser("bundle", help="verify a full export")
    bundle.add_argument("path", help="the export, a zip file or the unpacked folder")
    bundle.add_argument("--log-key", type=key_argument, action="append", required=True)
    bundle.add_argument("--kept", metavar="FILE", action="append", default=[])
    bundle.add_argument("--max-age", type=age_argument, metavar="25h")
    bundle.add_argument("--json", action="store_true", help="answer for programs")
    arguments = parser.parse_args(argv)
    if not os.path.exists(arguments.path):
        bundle.error(f"there is no {plain(arguments.path)}")
    try:
        arguments.kept = [
            kept_checkpoint(one, arguments.log_key) for one in arguments.kept
        ]
    except (OSError, Malformed) as error:
        bundle.error(f"a kept checkpoint cannot be used: {plain(str(error))}")
    return arguments


def print_text(report: Report) -> None:
    code = report.exit_code()
    print(f"{VERDICTS[code]} (exit code {code})")
    print(f"{report.events} events, root {report.root}, manifest {report.manifest}")
    if not report.findings:
        print(f"The first {report.confirmed} are confirmed from outside the export.")
    for one in report.findings:
        event = "" if one.index is None else f", event {one.index}"
        print(f"\n[{one.rule}] {one.place}{event}: {one.field}")
        print(f"  expected {one.expected}\n  found    {one.found}\n  {one.meaning}")
    for rule, count in report.counts.items():
        if count > SHOWN_PER_RULE:
            print(f"\n[{rule}] and {count - SHOWN_PER_RULE} more")
    for warning in report.gaps + report.warnings:
        print(f"\nNote: {warning}")


def main(argv: list[str] | None = None) -> int:
    """Run the command and give its exit code."""
    arguments = parse_arguments(argv)
    report = examine(arguments)
    if arguments.json:
        answer = {"exit": report.exit_code(), "verdict": VERDICTS[report.exit_code()]}
        facts = {"events": report.events, "root": report.root, "counts": report.counts}
        findings = [asdict(one) for one in report.findings]
        notes = {"findings": findings, "notes": report.warnings, "gaps": report.gaps}
        print(json.dumps({**answer, **facts, "manifest": report.manifest, **notes}))
    else:
        print_text(report)
    return report.exit_code()


if __name__ == "__main__":
    sys.exit(main())
