"""The record of a training: everything that is needed to do it again and compare."""

import hashlib
import json
from pathlib import Path
from typing import Any

from engine import ENGINE_VERSION
from engine.environment import environment
from engine.folder import Folder, Json
from engine.spec import TrainSpec
from engine.steps import file_digest

FORMAT = "portal-record-1"
RECORD = "outputs/record.json"
FINGERPRINT = "fingerprint.json"
_SOURCE = Path(__file__).parent


def write_record(
    spec: TrainSpec, folder: Folder, steps: list[Json], metrics: dict[str, float]
) -> Json:
    """Write `outputs/record.json` and return it.

    It holds no time and no path, so that a repetition on the same machine gives the
    same bytes.

    Args:
        spec: what was asked for.
        folder: with all other outputs written.
        steps: as `engine.steps.digests` gives them.
        metrics: as measured.
    """
    record: Json = {
        "format": FORMAT,
        "verb": spec.verb,
        "spec": spec.to_json(),
        "code": code(),
        "inputs": inputs(folder),
        "fingerprint": read_fingerprint(folder),
        "seeds": {"seed": spec.seed},
        "environment": environment(spec.threads),
        "steps": steps,
        "metrics": metrics,
        "outputs": {
            path.name: file_digest(folder, f"outputs/{path.name}")
            for path in sorted(folder.outputs.iterdir())
        },
    }
    folder.write_json(RECORD, record)
    return record


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
