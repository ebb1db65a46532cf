"""The regeneration bundle: a zip file with which a run is done again elsewhere.

It is written while it is sent: memory stays flat whatever the size of the data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from django.template.loader import render_to_string

from apps.core import blobs
from apps.core.blobs import CHUNK_BYTES, BlobDamaged
from apps.training import records
from apps.training.records import CODE, COMPARING, INPUTS, PREDICTIONS, RECORD

if TYPE_CHECKING:
    from apps.experiments.models import Run

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment a zip can hold


@dataclass(frozen=True)
class Bundle:
    """What a bundle is made of.

    Args:
        name: of the file.
        texts: files that are written here, by their path in the zip.
        blobs: files from the store, digest by path in the zip.
    """

    name: str
    texts: dict[str, str]
    blobs: dict[str, str]


def bundle_of(run: Run) -> Bundle:
    """Gather what doing `run` again needs.

    Raises:
        RecordDamaged: the record is gone or was changed.
    """
    kept = records.kept_files(run)
    record_sha256 = kept[RECORD].sha256
    record = records.read_record(run, record_sha256)
    texts = {
        "README.md": _readme(run, record),
        "requirements.txt": requirements(record),
        "job/spec.json": json.dumps(record["spec"], indent=1, sort_keys=True) + "\n",
    }
    if found := record.get("fingerprint"):
        fingerprint = json.dumps(found, indent=1, sort_keys=True)
        texts["job/inputs/fingerprint.json"] = f"{fingerprint}\n"
    return Bundle(
        name=f"regenerate-{run.pk}.zip",
        texts=texts,
        blobs={
            "engine.zip": kept[CODE].sha256,
            "job/expected/record.json": record_sha256,
            **{
                f"job/expected/{name}": record["outputs"][name]
                for name in (PREDICTIONS,)
                if name in record["outputs"]
            },
            **{
                f"job/inputs/{name}": record["inputs"][name]
                for name in INPUTS[record["verb"]]
            },
        },
    )


def requirements(record: dict[str, Any]) -> str:
    """Write the package lock as pip reads it."""
    lock = record["environment"].get("lock") or []
    lines = [f"{package['name']}=={package['version']}" for package in lock]
    return "\n".join(lines) + "\n"


def pieces(bundle: Bundle) -> Iterator[bytes]:
    """Write the zip file piece by piece.

    Raises:
        BlobDamaged: a stored file was changed; the receiver gets no whole zip.
        FileNotFoundError: a stored file is gone.
    """
    sink = _Sink()
    with ZipFile(cast("IO[bytes]", sink), "w") as archive:
        for name, text in bundle.texts.items():
            archive.writestr(_entry(name, ZIP_DEFLATED), text)
            yield sink.taken()
        for name, digest in bundle.blobs.items():
            for _ in _copied(archive, name, digest):
                yield sink.taken()
    yield sink.taken()


def _copied(archive: ZipFile, name: str, sha256: str) -> Iterator[None]:
    """Copy a stored file, giving the word after each piece."""
    digest = hashlib.sha256()
    # Parquet is compressed already.
    entry = _entry(name, ZIP_STORED)
    with (
        blobs.open_blob(sha256) as source,
        archive.open(entry, "w", force_zip64=True) as target,
    ):
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            target.write(chunk)
            yield
    if digest.hexdigest() != sha256:
        raise BlobDamaged(f"The stored file {sha256[:12]}… has changed on disk.")


def _entry(name: str, compression: int) -> ZipInfo:
    entry = ZipInfo(name, EPOCH)
    entry.compress_type = compression
    entry.external_attr = 0o644 << 16
    return entry


def _readme(run: Run, record: dict[str, Any]) -> str:
    environment = record["environment"]
    return render_to_string(
        "training/bundle_readme.md",
        {
            "run": run,
            "environment": environment,
            "code": record["code"],
            "steps": record["steps"],
            "is_code": records.runs_code(run),
            "verb": record["verb"],
            "comparing": COMPARING[record["verb"]],
            "files": sorted(record["outputs"].items()),
        },
    )


class _Sink:
    """A file that can only be appended to; what is written waits to be taken."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        """Give what was written since the last time."""
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken
