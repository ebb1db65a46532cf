"""What a version is made of: files by path and digest, frozen when it is registered."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from apps.experiments.models import StoredFile

MODEL_FILES = ("model.skops", "model.onnx")  # of which the first there is counts
MLMODEL = "MLmodel"
# Rows that a run held out, by which its model is measured.
EVALUATION_FILES = frozenset({"predictions.parquet", "test.parquet"})

Entry = dict[str, Any]


def model_file(names: Container[str]) -> str | None:
    """Return the name of the file that is the model, among those there are."""
    return next((name for name in MODEL_FILES if name in names), None)


def manifest_of(files: Iterable[StoredFile], root: str) -> list[Entry]:
    """List files at or below `root` by their path from there, sorted by path.

    Args:
        files: of a run, or of a logged model.
        root: a folder or a file among them; empty for all.
    """
    found = []
    for file in files:
        path = path_below(file.path, root)
        if path is not None:
            found.append(_entry(file, path))
    return sorted(found, key=lambda entry: str(entry["path"]))


def path_below(path: str, root: str) -> str | None:
    """Say where `path` lies from `root` on; None outside of it."""
    if not root:
        return path
    if path == root:
        return PurePosixPath(path).name
    inside = path.removeprefix(f"{root}/")
    return inside if inside != path else None


def evaluation_files_of(files: Iterable[StoredFile], root: str | None) -> list[Entry]:
    """List the held-out rows outside of `root`, sorted by path; None holds nothing."""
    found = [
        _entry(file, file.path)
        for file in files
        if file.file_name in EVALUATION_FILES
        and (root is None or path_below(file.path, root) is None)
    ]
    return sorted(found, key=lambda entry: str(entry["path"]))


def uppermost(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Find entries by the last part of their path; of equal ones the uppermost."""
    deepest_first = sorted(entries, key=lambda entry: -entry["path"].count("/"))
    return {entry["path"].rpartition("/")[2]: entry for entry in deepest_first}


def _entry(file: StoredFile, path: str) -> Entry:
    return {
        "path": path,
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
        "media_type": file.media_type,
    }
