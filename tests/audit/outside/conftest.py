"""A real trail, sealed and exported as the portal does it, for programs of others."""

import os
import shutil
import subprocess
import zipfile
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import go
import pytest

from apps.audit.models import AuditEvent, Checkpoint, Head
from apps.audit.stored_tree import reader
from apps.audit.transparency.proof import format_proof, prove_event
from apps.audit.transparency.tiles import TILE_BYTES, hashes_in
from apps.audit.transparency.tree import consistency_proof
from tests.audit.sealing import bundle, happen, sealer_in

OLD_SIZE, INDEX = 260, 123


@dataclass(frozen=True)
class Export:
    """What an auditor has in hand.

    Attributes:
        folder: the unpacked export.
        archive: as it was downloaded.
        vkey: the key of the log.
        kept: an older checkpoint.
        proof: of one event.
        event: that event.
        consistency: hashes from the older checkpoint to the newest one.
    """

    folder: Path
    archive: Path
    vkey: str
    kept: Path
    proof: Path
    event: Path
    consistency: Path


@pytest.fixture
def export(committed, tmp_path):
    sealer = sealer_in(tmp_path / "sealer")
    happen(OLD_SIZE)
    sealer.seal()
    files = {
        name: tmp_path / name for name in ("kept", "proof", "event", "consistency")
    }
    files["kept"].write_text(Checkpoint.objects.latest("size").note)
    happen(45)
    sealer.seal()
    archive = tmp_path / "export.zip"
    archive.write_bytes(bundle())
    with zipfile.ZipFile(archive) as unpacked:
        unpacked.extractall(tmp_path / "export")
    write_proofs(files)
    return Export(tmp_path / "export", archive, sealer.signer.vkey, **files)


def write_proofs(files):
    stored, newest = reader(Head.objects.get()), Checkpoint.objects.latest("size")
    old = Checkpoint.objects.order_by("size").first()
    get_hash = hashes_in(lambda *place: stored(*place).ljust(TILE_BYTES, b"\0"))
    files["event"].write_text(AuditEvent.objects.get(leaf__leaf_index=INDEX).body)
    files["proof"].write_text(format_proof(prove_event(INDEX, newest.note, get_hash)))
    path = consistency_proof(old.size, newest.size, get_hash)
    files["consistency"].write_text(
        "".join(f"{b64encode(one).decode()}\n" for one in path)
    )


@pytest.fixture(scope="session")
def checkbundle(tmp_path_factory, pytestconfig):
    """Build our lines around Go's packages, offline, from the sources in the wheel."""
    home = tmp_path_factory.mktemp("go")
    root = Path(go.__file__).parent
    source = home / "checkbundle"
    shutil.copytree(Path(__file__).parent / "checkbundle", source)
    packages = root / "src" / "cmd" / "vendor" / "golang.org" / "x" / "mod" / "sumdb"
    for name in ("note", "tlog"):
        shutil.copytree(packages / name, source / "mod" / "sumdb" / name)
    (source / "mod" / "go.mod").write_text("module golang.org/x/mod\n\ngo 1.24\n")
    offline = {
        "GOROOT": str(root),
        "GOPATH": str(home / "path"),
        "GOCACHE": str(pytestconfig.cache.mkdir("go-build")),
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
        "GOTELEMETRY": "off",
        "CGO_ENABLED": "0",
        "HOME": str(home),
        "PATH": os.environ["PATH"],
    }
    program = home / "program"
    subprocess.run(
        [root / "bin" / "go", "build", "-o", program, "."],
        cwd=source,
        env=offline,
        check=True,
    )
    return program
