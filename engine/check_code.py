"""Verb `check_code`: say what somebody's own project left behind.

This runs in a process of its own after all processes of the project are gone, so what
it says cannot be forged by them.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from engine.environment import environment
from engine.folder import EngineError, Folder, Json
from engine.onnx_model import OnnxModel
from engine.package import (
    MODEL_FILE,
    ONNX_FILE,
    load_model,
    of_pipeline,
    read_signature,
)
from engine.record import CODE, RECORD, write_record
from engine.run_code import DATA, PROJECT
from engine.spec.code import CheckCodeSpec, RunCodeSpec
from engine.steps import file_digest

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
_STEPS = {DATA: "data", PROJECT: "project"}
CHUNK_BYTES = 1024 * 1024


def run(spec: CheckCodeSpec, folder: Folder) -> Json:
    """List the files, and find out whether they hold a model that can be registered.

    Raises:
        EngineError: there are too many files, or one has the name of the record.
    """
    signature, note = _model(folder.outputs, spec.threads)
    if note:
        folder.log(note)
    if spec.asked is not None:
        keep_record(spec.asked, folder, spec.inputs, spec.metrics)
    return {
        "files": files(folder.outputs),
        "signature": signature,
        "note": note,
        "environment": environment(spec.threads),
    }


def keep_record(
    asked: RunCodeSpec,
    folder: Folder,
    inputs: Mapping[str, str],
    metrics: Mapping[str, float],
) -> None:
    """Write the record from which the run can be done again.

    Args:
        asked: what the project was run by.
        folder: with what the project left in `outputs/`.
        inputs: SHA-256 of each file that was in `inputs/`, by name.
        metrics: the last value of each figure.

    Raises:
        EngineError: there are too many files, or the project took the record's name.
    """
    for name in (RECORD, CODE):
        path = folder.path / name
        if path.exists() or path.is_symlink():
            raise EngineError(
                f"The project left {Path(name).name}, which is the name of what the "
                "portal adds; give the file another name."
            )
    left = [Path(file["path"]) for file in files(folder.outputs)]
    # A model comes before what it answers, so that it is named first.
    left.sort(key=lambda path: (not path.stem.startswith("model"), path))
    figures = json.dumps(metrics, sort_keys=True).encode()
    steps = {
        **{_STEPS[name]: inputs[name] for name in (DATA, PROJECT)},
        **{
            path.relative_to("outputs").as_posix(): file_digest(folder, path.as_posix())
            for path in left
        },
        "figures": hashlib.sha256(figures).hexdigest(),
    }
    told = [{"step": step, "digest": digest} for step, digest in steps.items()]
    write_record(asked, folder, told, dict(metrics), inputs)


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


def _model(outputs: Path, threads: int) -> tuple[Json | None, str]:
    """Return the signature of a model that can be evaluated, or say why there is none.

    Where there are both kinds of file, the pipeline counts.
    """
    found = [name for name in (MODEL_FILE, ONNX_FILE) if (outputs / name).is_file()]
    if not found:
        return None, (
            f"There is no {MODEL_FILE} and no {ONNX_FILE}, so there is no model to "
            "register."
        )
    path, told = outputs / found[0], outputs / "signature.json"
    if not told.is_file():
        return None, "There is no signature.json, so the model cannot be registered."
    try:
        if found[0] == MODEL_FILE:
            load_model(path)
            signature = of_pipeline(read_signature(told))
        else:
            signature = read_signature(told)
            OnnxModel(path, signature, threads=threads)
        return signature.to_json(), ""
    except EngineError as error:
        return None, f"The model is kept but cannot be registered: {error.message}"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
