"""One run in one file, as people upload it: a zip, JSON or CSV."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, NamedTuple

from django.utils import timezone

from apps.access.checks import ensure
from apps.core.blobs import CHUNK_BYTES
from apps.core.errors import Invalid
from apps.core.zips import ZipFault
from apps.experiments import actions, rules
from apps.experiments.actions.uploading import UploadedRun, uploaded_before
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

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.experiments.models import Experiment, Run

READERS = {".json": run_of_json, ".csv": run_of_csv}
# What the zip programs of some systems add.
JUNK_FOLDERS = frozenset({"__MACOSX"})


class TakenRun(NamedTuple):
    """A run that came in a file, and what there is to say about it."""

    run: Run
    remarks: Sequence[str]


def take_run(
    *, experiment: Experiment, content: IO[bytes], file_name: str, by: User
) -> TakenRun:
    """Record the run in a file; one that came before is found before it is read.

    Args:
        experiment: gets the run.
        content: of the file, seekable.
        file_name: its ending says what it is.
        by: who uploads it.

    Raises:
        Invalid: it cannot be read, or holds what a run may not hold; the sentence says
            what, where and what to do.
        NoRoom: its artifacts do not fit.
        Refused: only who may record runs.
        TooLarge: a file in it is larger than the portal takes.
        WrongState: the experiment is deleted.
    """
    ensure(rules.can_upload_run(by, experiment))
    digest = _digest(content)
    if known := uploaded_before(experiment, digest):
        return TakenRun(known, ())
    path = PurePosixPath(file_name.replace("\\", "/"))
    try:
        found = _read(content, path)
        uploaded = UploadedRun(
            found,
            [store_file(file) for file in found.files()],
            digest,
            path.name[:200],
        )
        run = actions.upload_run(experiment=experiment, uploaded=uploaded, by=by)
    except (Unreadable, ZipFault) as error:
        sentence = f"{error} Nothing was kept."
        raise Invalid(sentence, fields={"file": sentence}) from error
    return TakenRun(run, found.faults.told)


def _read(content: IO[bytes], path: PurePosixPath) -> SourceRun:
    if path.suffix.lower() == ".zip":
        return _zipped(content)
    if read := READERS.get(path.suffix.lower()):
        at = int(timezone.now().timestamp() * 1000)
        return read(_text(content), path.stem or "run", at)
    raise Unreadable(
        f"{path.name[:80]} is no .zip, .json or .csv. Zip the folder of the run."
    )


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
