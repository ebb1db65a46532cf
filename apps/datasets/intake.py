"""How the file of a version comes into the folder of its job, telling how far it is."""

from __future__ import annotations

import time
from pathlib import Path

from django.template.defaultfilters import filesizeformat

from apps.accounts.actions import service_account
from apps.core import blobs
from apps.core.disk import telling_no_room
from apps.core.sandbox import STATUS_AFTER, Outcome, Progress, Watch
from apps.datasets import actions, sources
from apps.datasets.actions.imports import check_importable
from apps.datasets.models import DatasetVersion

TELL_SECONDS = 1.0


class _Stopped(Exception):
    """The worker shall not go on; the argument says how the job ends."""


def bring_in(version: DatasetVersion, folder: Path, watch: Watch) -> Outcome | None:
    """Put the file of a version into the folder of its job.

    A file of a source is stored first, unless an earlier attempt did that.

    Returns:
        None, or the outcome when the job was cancelled or given to another worker.

    Raises:
        SourceError: the source does not have the file as it was asked for.
    """
    path = folder / "inputs" / "original"
    total = version.original_bytes
    try:
        if version.original_sha256:
            tell = _teller(watch, "Fetching the file", total)
            blobs.copy_to(version.original_sha256, path, tell)
        else:
            _import(version, path, watch)
    except _Stopped as stop:
        return Outcome(str(stop), folder)
    return None


def _import(version: DatasetVersion, path: Path, watch: Watch) -> None:
    total = version.original_bytes
    source = sources.source_of(version.project, version.source_name)
    entry = source.entry(version.source_path)
    check_importable(entry)
    blobs.require_room(entry.size_bytes or 0)
    with telling_no_room(), path.open("wb") as target:
        copying = _teller(watch, f"Copying from {version.source_name}", total)
        source.copy(version.source_path, target, copying)
    storing = _teller(watch, "Storing the file", total)
    blob = blobs.store_path(path, on_bytes=storing)
    kept = actions.keep_original(version=version, blob=blob, by=service_account())
    if kept is None:
        raise _Stopped("lost")


def _teller(watch: Watch, stage: str, total: int) -> blobs.OnBytes:
    """Make a callback that tells, once a second, how many bytes there are."""
    told = 0.0

    def tell(done: int) -> None:
        nonlocal told
        if time.monotonic() - told < TELL_SECONDS:
            return
        told = time.monotonic()
        sizes = map(filesizeformat, (done, total))
        words = f"{stage}: {' of '.join(sizes)}"
        answer = watch(Progress(ratio=min(done / max(total, 1), 1.0), stage=words))
        if answer != "go on":
            raise _Stopped(STATUS_AFTER.get(answer, answer))

    return tell
