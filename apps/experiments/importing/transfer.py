"""Bringing over what a source keeps, thing by thing, each whole before the next."""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING

from apps.core import blobs
from apps.core.errors import Invalid, TooLarge
from apps.experiments import actions, parts
from apps.experiments.actions import ArtifactFile
from apps.experiments.actions.artifacts import check_path
from apps.experiments.importing.records import Faults, LostRun, Unreadable
from apps.experiments.models import Artifact, ItemKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from apps.accounts.models import User
    from apps.core.blobs import Blob
    from apps.experiments.importing.records import Source, SourceFile, SourceRun
    from apps.experiments.models import ImportedItem, RunImport

OTHER_MEDIA_TYPE = "application/octet-stream"
# Files that are told in one event, and lost when somebody kills the process.
FILES_AT_ONCE = 50
BYTES_AT_ONCE = 256 * 1024 * 1024


def bring_over(
    *, run_import: RunImport, source: Source, by: User, tell: Callable[[str], None]
) -> None:
    """Bring over what is not here yet; what came over earlier is passed by.

    Args:
        run_import: an open import of this source.
        source: the place.
        by: whose rights count.
        tell: gets a sentence about each step.

    Raises:
        NoRoom: the store is full; a later pass goes on.
        Unreadable: the source no longer answers; a later pass goes on.
    """
    lost: list[LostRun] = []
    for found in source.experiments():
        experiment = actions.import_experiment(
            run_import=run_import, found=found, by=by
        )
        done = _whole(run_import, experiment.pk)
        tell(f"{found.name}: {len(done)} runs are here already.")
        count = 0
        for run in source.runs(found, done):
            if isinstance(run, LostRun):
                lost.append(run)
                tell(f"  {run.source_id}: {run.reason}")
                continue
            item = actions.import_run(
                run_import=run_import, experiment=experiment, found=run, by=by
            )
            _bring_files(item, run, by)
            count += 1
            faults = len(item.faults) + len(item.file_faults)
            told = f", {faults} things not" if faults else ""
            tell(f"  {run.name} ({run.source_id}): came over{told}.")
        is_new = experiment.created_at >= run_import.started_at
        if found.is_deleted and (count or is_new):
            actions.delete_experiment(experiment=experiment, by=by)
        tell(f"{found.name}: {count} runs came over.")
    actions.link_parents(run_import=run_import, by=by)
    actions.end_import(run_import=run_import, lost=lost, by=by)


def _whole(run_import: RunImport, experiment: UUID) -> frozenset[str]:
    items = run_import.items.filter(
        kind=ItemKind.RUN, experiment=experiment, is_whole=True
    )
    return frozenset(items.values_list("source_id", flat=True))


def _bring_files(item: ImportedItem, found: SourceRun, by: User) -> None:
    """Copy the files that the run lacks, some at a time."""
    kept = Artifact.objects.filter(run=item.run_id)
    have = set(kept.values_list("path", flat=True))
    earlier = set(found.faults.told)
    faults = Faults()
    waiting: list[ArtifactFile] = []
    for file in found.files():
        if file.path in have:
            continue
        try:
            waiting.append(_stored(file))
        except (Invalid, TooLarge, Unreadable) as error:
            faults.add(f"{file.path[:200]}: {error}")
            continue
        have.add(file.path)
        size = sum(one.blob.size_bytes for one in waiting)
        if len(waiting) >= FILES_AT_ONCE or size >= BYTES_AT_ONCE:
            actions.import_artifacts(
                item=item, files=waiting, faults=faults.told, is_whole=False, by=by
            )
            waiting = []
    told = [one for one in found.faults.told if one not in earlier]
    actions.import_artifacts(
        item=item,
        files=waiting,
        faults=told + faults.told,
        is_whole=not faults.told,
        by=by,
    )


def _stored(file: SourceFile) -> ArtifactFile:
    check_path(file.path)
    media_type = mimetypes.guess_type(file.path)[0] or OTHER_MEDIA_TYPE
    return ArtifactFile(file.path, _blob(file), media_type)


def _blob(file: SourceFile) -> Blob:
    watch = parts.limiting(blobs.local_folder())
    with file.open() as content:
        return blobs.store_stream(content, on_bytes=watch)
