"""Verb `check_code`: say what somebody's own project left behind.

This runs in a process of its own after all processes of the project are gone, so what
it says cannot be forged by them.
"""

import hashlib
from pathlib import Path

from engine.environment import environment
from engine.folder import EngineError, Folder, Json
from engine.package import load_model, read_signature
from engine.spec.code import CheckCodeSpec

MOST_FILES = 500
OTHER = "application/octet-stream"
MEDIA_TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".md": "text/markdown",
    ".onnx": "application/onnx",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".skops": "application/zip",
    ".txt": "text/plain",
}
CHUNK_BYTES = 1024 * 1024


def run(spec: CheckCodeSpec, folder: Folder) -> Json:
    """List the files, and find out whether they hold a model that can be registered.

    Raises:
        EngineError: there are too many files.
    """
    signature, note = _model(folder.outputs)
    if note:
        folder.log(note)
    return {
        "files": files(folder.outputs),
        "signature": signature,
        "note": note,
        "environment": environment(spec.threads),
    }


def files(outputs: Path) -> list[Json]:
    """List the files below `outputs` with digest, size in bytes and media type.

    Raises:
        EngineError: there are too many.
    """
    found = sorted(path for path in outputs.rglob("*") if path.is_file())
    if len(found) > MOST_FILES:
        raise EngineError(
            f"The project left {len(found):,} files; keep up to {MOST_FILES:,}."
        )
    return [
        {
            "path": f"outputs/{path.relative_to(outputs).as_posix()}",
            "sha256": _sha256(path),
            "size_bytes": path.stat().st_size,
            "media_type": MEDIA_TYPES.get(path.suffix.lower(), OTHER),
        }
        for path in found
    ]


def _model(outputs: Path) -> tuple[Json | None, str]:
    """Return the signature of a model of reviewed types, or say why there is none."""
    model, signature = outputs / "model.skops", outputs / "signature.json"
    if not model.is_file():
        return None, "There is no model.skops, so there is no model to register."
    if not signature.is_file():
        return None, "There is no signature.json, so the model cannot be registered."
    try:
        load_model(model)
        return read_signature(signature).to_json(), ""
    except EngineError as error:
        return None, f"The model is kept but cannot be registered: {error.message}"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
