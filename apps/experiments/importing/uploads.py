"""One run in one file, as people upload it: a zip, JSON or CSV."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO

from django.utils import timezone

from apps.core.blobs import CHUNK_BYTES
from apps.core.errors import Invalid
from apps.core.zips import ZipFault
from apps.experiments.actions.uploading import UploadedRun
from apps.experiments.importing.records import SourceRun, Unreadable
from apps.experiments.importing.run_folders import META, read_run
from apps.experiments.importing.storing import store_file
from apps.experiments.importing.tables import (
    LARGEST_TEXT,
    MOST_POINTS,
    run_of_csv,
    run_of_json,
)
from apps.experiments.importing.trees import ZipTree

READERS = {".json": run_of_json, ".csv": run_of_csv}
# What the zip programs of some systems add.
JUNK_FOLDERS = frozenset({"__MACOSX"})


@contextmanager
def reading_run(content: IO[bytes], file_name: str) -> Iterator[UploadedRun]:
    """Read a run from a file; its artifacts are in the store then.

    Args:
        content: of the file, seekable; open as long as the run is used.
        file_name: its ending says what it is.

    Raises:
        Invalid: it cannot be read, or holds what a run may not hold; the sentence says
            what, where and what to do.
        NoRoom: its artifacts do not fit.
    """
    path = PurePosixPath(file_name.replace("\\", "/"))
    try:
        if path.suffix.lower() == ".zip":
            found = _zipped(content)
        elif read := READERS.get(path.suffix.lower()):
            at = int(timezone.now().timestamp() * 1000)
            found = read(_text(content), path.stem or "run", at)
        else:
            raise Unreadable(
                f"{path.name[:80]} is no .zip, .json or .csv. Zip the folder of the "
                "run."
            )
        yield UploadedRun(
            found,
            [store_file(file) for file in found.files()],
            _digest(content),
            path.name[:200],
        )
    except (Unreadable, ZipFault) as error:
        sentence = f"{error} Nothing was kept."
        raise Invalid(sentence, fields={"file": sentence}) from error


def _zipped(content: IO[bytes]) -> SourceRun:
    tree = ZipTree(content)
    tops = [one for one in tree.folders("") if one not in JUNK_FOLDERS]
    if tree.has(META):
        return _run_in(tree, "")
    inner = [top for top in tops if tree.has(f"{top}/{META}")]
    if len(inner) != 1:
        raise Unreadable(
            f"There must be one {META} at the top of the zip, or in its only folder; "
            f"there are {len(inner)}. Zip the folder of one run."
        )
    return _run_in(tree, inner[0])


def _run_in(tree: ZipTree, folder: str) -> SourceRun:
    run = read_run(tree, folder, most_points=MOST_POINTS)
    if not any(tree.folders(folder)) and not run.parameters:
        raise Unreadable(
            f"Beside {META} there are no params, metrics, tags or artifacts. Zip the "
            "whole folder of the run."
        )
    return run


def _text(content: IO[bytes]) -> str:
    content.seek(0)
    data = content.read(LARGEST_TEXT + 1)
    if len(data) > LARGEST_TEXT:
        raise Unreadable(
            f"The file is larger than {LARGEST_TEXT // 1024**2} MiB. Zip the folder of "
            "the run instead."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"The file is no UTF-8 text (byte {error.start + 1}). Save it as UTF-8."
        ) from error


def _digest(content: IO[bytes]) -> str:
    content.seek(0)
    digest = hashlib.sha256()
    while chunk := content.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()
