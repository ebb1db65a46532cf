"""The record of a training: everything that is needed to do it again and compare."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import ENGINE_VERSION
from engine.environment import environment
from engine.folder import Folder, Json
from engine.package import add_entry
from engine.spec import RunCodeSpec, TrainSpec
from engine.steps import file_digest

FORMAT = "portal-record-1"
PARTS = {
    *("format", "verb", "spec", "code", "inputs", "fingerprint", "seeds"),
    *("environment", "steps", "metrics", "outputs"),
}
RECORD = "outputs/record.json"
CODE = "outputs/engine.zip"
FINGERPRINT = "fingerprint.json"
_SOURCE = Path(__file__).parent


def write_record(
    spec: TrainSpec | RunCodeSpec,
    folder: Folder,
    steps: list[Json],
    metrics: dict[str, float],
    given: Mapping[str, str] | None = None,
) -> Json:
    """Write `outputs/record.json` and beside it the engine's source; return the record.

    The record holds no time and no path, so that a repetition on the same machine
    gives the same bytes.

    Args:
        spec: what was asked for.
        folder: with all other outputs written.
        steps: as `engine.steps.digests` gives them.
        metrics: as measured.
        given: SHA-256 of each input by name; by default those of the folder.
    """
    write_code(folder.path / CODE)
    record: Json = {
        "format": FORMAT,
        "verb": spec.verb,
        "spec": spec.to_json(),
        "code": code(),
        "inputs": inputs(folder) if given is None else dict(given),
        "fingerprint": read_fingerprint(folder),
        "seeds": {"seed": spec.seed},
        "environment": environment(spec.threads),
        "steps": steps,
        "metrics": metrics,
        "outputs": outputs(folder),
    }
    folder.write_json(RECORD, record)
    return record


def outputs(folder: Folder) -> Json:
    """Digest every file of `outputs/`, by its path below it."""
    return {
        path.relative_to(folder.outputs).as_posix(): file_digest(
            folder, path.relative_to(folder.path).as_posix()
        )
        for path in sorted(folder.outputs.rglob("*"))
        if path.is_file()
    }


def code(source: Path = _SOURCE) -> Json:
    """Digest the engine's source tree.

    Line ends are normalised, so that a checkout on another system has the same digest.

    Returns:
        `version`, `digest` over names and digests of all files, and `files`, the
        digest of each by its path.
    """
    files = {
        path.relative_to(source).as_posix(): hashlib.sha256(
            path.read_bytes().replace(b"\r\n", b"\n")
        ).hexdigest()
        for path in sorted(source.rglob("*.py"))
    }
    listed = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    digest = hashlib.sha256(listed.encode()).hexdigest()
    return {"version": ENGINE_VERSION, "digest": digest, "files": files}


def write_code(path: Path) -> None:
    """Write the engine's source tree as a zip file; the same source, the same bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(_SOURCE.rglob("*.py")):
            name = f"engine/{file.relative_to(_SOURCE).as_posix()}"
            add_entry(archive, name, file.read_bytes().replace(b"\r\n", b"\n"))


def inputs(folder: Folder) -> Json:
    """Digest every file of `inputs/` but the fingerprint, by its path."""
    return {
        path.relative_to(folder.inputs).as_posix(): file_digest(
            folder, path.relative_to(folder.path).as_posix()
        )
        for path in sorted(folder.inputs.rglob("*"))
        if path.is_file() and path.name != FINGERPRINT
    }


def read_fingerprint(folder: Folder) -> Any:
    """Return the fingerprint of the dataset that was put beside it, or `None`."""
    path = folder.inputs / FINGERPRINT
    return json.loads(path.read_text("utf-8")) if path.is_file() else None
