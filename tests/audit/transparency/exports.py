"""A small log with its exports, and an attacker who holds some of its keys."""

import contextlib
import io
import json
import zipfile
from base64 import b64encode, urlsafe_b64encode
from functools import partial
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from apps.audit.transparency.bundle import (
    Contents,
    Selection,
    write_bundle,
    write_selection,
)
from apps.audit.transparency.checkpoint import Checkpoint, format_checkpoint
from apps.audit.transparency.note import Signer, sign_note
from apps.audit.transparency.proof import format_proof, prove_event
from apps.audit.transparency.tiles import hashes_in, new_tiles
from apps.audit.transparency.tree import consistency_proof, leaf_hash, root_at
from apps.audit.verifier import auditverify

ORIGIN = "portal.example/audit/1"


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def body(number, **changed):
    event = {
        "action": "run.launched",
        "actor": {"id": f"{number % 7}", "name": "José Ωmega"},
        "id": f"event-{number}",
        "reason": "because\n…",
        "time": f"2026-01-01T00:00:00.{number % 1_000_000:06}Z",
        "v": 1,
    }
    return canonical(event | changed)


def bodies(count):
    return [body(number) for number in range(count)]


def tile_of(tiles, level, index):
    return tiles[level, index]


class Log:
    """A log of these events; `seed` is its private key."""

    def __init__(self, events, *, seed=1, origin=ORIGIN):
        self.events = list(events)
        self.origin = origin
        self.signer = Signer(Signer.generate(origin, bytes([seed]) * 32))
        hashes = [leaf_hash(one.encode()) for one in self.events]
        self.read_tile = partial(tile_of, new_tiles(0, hashes, lambda *_: b""))

    def checkpoint(self, size=None, **changed):
        size = len(self.events) if size is None else size
        root = root_at(size, hashes_in(self.read_tile))
        facts = {"origin": self.origin, "size": size, "root": root} | changed
        return sign_note(format_checkpoint(Checkpoint(**facts)), [self.signer])

    def zipped(self, *, note=None, earlier=(), **more):
        target = io.BytesIO()
        contents = Contents(
            note=note or self.checkpoint(),
            bodies=self.events,
            read_tile=self.read_tile,
            earlier=[self.checkpoint(size) for size in earlier],
            vkeys=[self.signer.vkey],
            **more,
        )
        write_bundle(target, contents)
        return target.getvalue()

    def proof(self, index, note=None):
        proven = prove_event(
            index, note or self.checkpoint(), hashes_in(self.read_tile)
        )
        return format_proof(proven)

    def consistency(self, old, new):
        """Write the proof that one state continues another, a hash a line."""
        hashes = consistency_proof(old, new, hashes_in(self.read_tile))
        return "".join(f"{b64encode(one).decode()}\n" for one in hashes)

    def selected(self, folder, indexes, *, note=None):
        """Unpack a filtered export of these events into a folder."""
        target = io.BytesIO()
        events = [
            (
                json.loads(self.events[one])["id"],
                self.events[one],
                self.proof(one, note),
            )
            for one in indexes
        ]
        selection = Selection(note or self.checkpoint(), events, [self.signer.vkey])
        write_selection(target, selection)
        with zipfile.ZipFile(target) as archive:
            archive.extractall(folder)
        return folder

    def exported(self, folder, **options):
        """Unpack an export into a folder."""
        with zipfile.ZipFile(io.BytesIO(self.zipped(**options))) as archive:
            archive.extractall(folder)
        return folder


class Witness:
    """Somebody outside who cosigns; with code that is not ours."""

    def __init__(self, name="witness.example/w1", seed=100):
        self.name = name
        self._key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        typed = b"\x04" + self._key.public_key().public_bytes_raw()
        self.key_id = sha256(name.encode() + b"\n" + typed).digest()[:4]
        self.vkey = f"{name}+{self.key_id.hex()}+{b64encode(typed).decode()}"

    def cosign(self, note, at=1_800_000_000):
        text = note.rpartition("\n\n")[0] + "\n"
        signature = self._key.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
        signed = b64encode(self.key_id + at.to_bytes(8, "big") + signature).decode()
        return f"{note}— {self.name} {signed}\n"


def disclosure(value, salt=b"0123456789abcdef"):
    """Hide a value: the disclosure and the commitment that stands for it (RFC 9901)."""
    pair = [urlsafe_b64encode(salt).decode().rstrip("="), value]
    encoded = urlsafe_b64encode(canonical(pair).encode()).decode().rstrip("=")
    digest = sha256(encoded.encode()).digest()
    return encoded, urlsafe_b64encode(digest).decode().rstrip("=")


def restate(folder):
    """Write a manifest that fits the files, as an attacker would."""
    digests = {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "MANIFEST.json"
    }
    manifest = canonical({"files": digests, "format": "audit-bundle/1"})
    (folder / "MANIFEST.json").write_text(manifest + "\n")


def verify(path, log, *options):
    """Run the verifier in this process: exit code and answer."""
    return command("bundle", path, "--log-key", log.signer.vkey, *options)


def command(*arguments):
    """Run a command of the verifier in this process: exit code and answer."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = auditverify.main([*map(str, arguments), "--json"])
    return code, json.loads(printed.getvalue())


def rules(answer):
    return set(answer["counts"])
