"""Bringing over what a source keeps, thing by thing, each whole before the next."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import DataError

from apps.core.errors import Invalid, NoRoom, PortalError, TooLarge
from apps.experiments import actions
from apps.experiments.actions.importing import paths_of
from apps.experiments.importing.records import (
    Faults,
    Lost,
    SourceGone,
    SourceModel,
    Unreadable,
)
from apps.experiments.importing.storing import store_file
from apps.experiments.models import ItemKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from apps.accounts.models import User
    from apps.experiments.actions import ArtifactFile
    from apps.experiments.importing.records import (
        Source,
        SourceExperiment,
        SourceFile,
        SourceRun,
    )
    from apps.experiments.models import (
        Experiment,
        ImportedItem,
        RunImport,
    )

# Files that are told in one event, and lost when somebody kills the process.
FILES_AT_ONCE = 50
BYTES_AT_ONCE = 256 * 1024 * 1024


def bring_over(
    *, run_import: RunImport, source: Source, by: User, tell: Callable[[str], None]
) -> list[Lost]:
    """Bring over what is not here yet; what came over earlier is passed by.

    The pass goes on with registered models, which end it.

    Args:
        run_import: an open import of this source.
        source: the place.
        by: whose rights count.
        tell: gets a sentence about each step.

    Returns:
        What could not be read at all.

    Raises:
        NoRoom: the store is full; a later pass goes on.
        Unreadable: the source does not say which experiments it has, or no longer
            answers; a later pass goes on.
    """
    lost: list[Lost] = []
    for found in source.experiments():
        if isinstance(found, Lost):
            lost.append(found)
            tell(f"{found.source_id}: {found.reason}")
            continue
        with _losing(lost, tell, found.source_id, ItemKind.EXPERIMENT):
            experiment = actions.import_experiment(
                run_import=run_import, found=found, by=by
            )
            _ExperimentImport(run_import, experiment, by, tell, lost).bring(
                source, found
            )
            if found.is_deleted:
                actions.put_experiment_aside(run_import=run_import, found=found, by=by)
    actions.link_parents(run_import=run_import, by=by)
    actions.link_models(run_import=run_import, by=by)
    return lost


@contextmanager
def _losing(
    lost: list[Lost], tell: Callable[[str], None], source_id: str, kind: ItemKind
) -> Iterator[None]:
    """Let the rest come over when one thing cannot.

    Raises:
        NoRoom: nothing else would fit either.
        SourceGone: nothing else can be read either.
    """
    try:
        yield
    except (NoRoom, SourceGone):
        raise
    except (DataError, PortalError, Unreadable) as error:
        lost.append(Lost(source_id, str(error), kind))
        tell(f"  {source_id}: {error}")


@dataclass(frozen=True)
class _ExperimentImport:
    """One experiment on its way."""

    run_import: RunImport
    experiment: Experiment
    by: User
    tell: Callable[[str], None]
    lost: list[Lost]

    def bring(self, source: Source, found: SourceExperiment) -> None:
        """Bring its runs over, then its models, which name runs."""
        for kind, read in (
            (ItemKind.RUN, source.runs),
            (ItemKind.MODEL, source.models),
        ):
            done = self._whole(kind)
            if done:
                self.tell(f"{found.name}: {len(done)} {kind}s are here already.")
            count = 0
            for one in read(found, done):
                if isinstance(one, Lost):
                    self.lost.append(one)
                    self.tell(f"  {one.source_id}: {one.reason}")
                    continue
                with _losing(self.lost, self.tell, one.source_id, kind):
                    self._bring_one(one)
                    count += 1
            self.tell(f"{found.name}: {count} {kind}s came over.")

    def _whole(self, kind: ItemKind) -> frozenset[str]:
        items = self.run_import.items.filter(
            kind=kind, experiment=self.experiment, is_whole=True
        )
        return frozenset(items.values_list("source_id", flat=True))

    def _bring_one(self, found: SourceRun | SourceModel) -> None:
        if isinstance(found, SourceModel):
            item = self._bring_model(found)
        else:
            item = actions.import_run(
                run_import=self.run_import,
                experiment=self.experiment,
                found=found,
                by=self.by,
            )
            item = _bring_files(item, found, self.by)
        faults = len(item.faults) + len(item.file_faults)
        told = f"; remarks: {faults}" if faults else ""
        self.tell(f"  {found.name} ({found.source_id}): came over{told}.")

    def _bring_model(self, found: SourceModel) -> ImportedItem:
        item = actions.import_logged_model(
            run_import=self.run_import,
            experiment=self.experiment,
            found=found,
            by=self.by,
        )
        item = _bring_files(item, found, self.by)
        if item.model and item.is_whole:
            actions.finish_logged_model(
                model=item.model, status=found.status, by=self.by
            )
            if found.is_deleted:
                actions.delete_logged_model(model=item.model, by=self.by)
        return item


def _bring_files(
    item: ImportedItem, found: SourceRun | SourceModel, by: User
) -> ImportedItem:
    """Copy the files that a run or a model lacks, some at a time."""
    have = paths_of(item)
    earlier = set(found.faults.told)
    faults = Faults()
    waiting: list[ArtifactFile] = []
    for file in _as_far_as_told(found.files(), faults):
        if file.path in have:
            continue
        try:
            waiting.append(store_file(file))
        except SourceGone:
            raise
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
    return actions.import_artifacts(
        item=item,
        files=waiting,
        faults=told + faults.told,
        is_whole=not faults.told,
        by=by,
    )


def _as_far_as_told(
    files: Iterator[SourceFile], faults: Faults
) -> Iterator[SourceFile]:
    try:
        yield from files
    except SourceGone:
        raise
    except Unreadable as error:
        faults.add(f"files that were not listed: {error}")
