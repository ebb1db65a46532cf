"""A folder `mlruns`: one folder for each experiment, and in it one for each run."""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path

from apps.experiments.importing.model_folders import read_model
from apps.experiments.importing.records import (
    Faults,
    Lost,
    SourceExperiment,
    SourceModel,
    SourceRun,
    Unreadable,
)
from apps.experiments.importing.run_folders import (
    META,
    read_meta,
    read_run,
    read_values,
)
from apps.experiments.importing.trees import FolderTree, Tree
from apps.experiments.models import ItemKind

TRASH = ".trash"  # where experiments lie that were put aside
# Folders of an experiment that are no runs.
RESERVED = frozenset({"tags", "datasets", "traces", "models"})


class MlrunsFolder:
    """What MLflow's file store keeps.

    Args:
        root: the folder itself.

    Raises:
        Unreadable: it is no folder, or none with experiments.
    """

    def __init__(self, root: Path):
        if not root.is_dir():
            raise Unreadable(f"{root} is no folder that can be read.")
        self._root = root.resolve()
        self._tree = FolderTree(self._root)
        self._folders: dict[str, str] = {}  # of the experiments that were given
        if not any(self._experiment_folders()):
            raise Unreadable(
                f"{root} holds no experiments of MLflow: there is no folder with a "
                f"{META} in it. Name the folder mlruns itself."
            )

    @property
    def tree(self) -> Tree:
        """Its files."""
        return self._tree

    @property
    def label(self) -> str:
        """The folder, as an address."""
        return self._root.as_uri()

    def experiments(self) -> Iterator[SourceExperiment | Lost]:
        """Give its experiments, deleted ones too."""
        self._folders.clear()
        for folder in self._experiment_folders():
            source_id = folder.rpartition("/")[2]
            if source_id in self._folders:
                sentence = f"{folder} is a copy of it, and is left out."
                yield Lost(source_id, sentence, ItemKind.EXPERIMENT)
                continue
            self._folders[source_id] = folder
            yield self._experiment(folder)

    def runs(
        self, experiment: SourceExperiment, done: Container[str]
    ) -> Iterator[SourceRun | Lost]:
        """Give the runs of an experiment, deleted ones too, oldest first."""
        folder = self._folders[experiment.source_id]
        began = [
            (self._start_of(f"{folder}/{name}"), name)
            for name in self._tree.folders(folder)
            if name not in RESERVED
            and name not in done
            and self._tree.has(f"{folder}/{name}/{META}")
        ]
        for _, name in sorted(began):
            try:
                run: SourceRun | Lost = read_run(
                    self._tree,
                    f"{folder}/{name}",
                    source_id=name,
                    datasets=f"{folder}/datasets",
                )
            except Unreadable as error:
                run = Lost(name, str(error))
            yield run

    def models(
        self, experiment: SourceExperiment, done: Container[str]
    ) -> Iterator[SourceModel | Lost]:
        """Give the logged models of an experiment, deleted ones too."""
        folder = f"{self._folders[experiment.source_id]}/models"
        for name in self._tree.folders(folder):
            if name in done:
                continue
            try:
                model: SourceModel | Lost = read_model(self._tree, f"{folder}/{name}")
            except Unreadable as error:
                model = Lost(name, str(error), ItemKind.MODEL)
            yield model

    def folder_of_run(self, run_id: str) -> str:
        """Find the folder of a run; empty where there is none."""
        return self._below_an_experiment(run_id)

    def folder_of_model(self, model_id: str) -> str:
        """Find the folder of a logged model; empty where there is none."""
        return self._below_an_experiment(f"models/{model_id}")

    def _below_an_experiment(self, path: str) -> str:
        folders = (f"{one}/{path}" for one in self._experiment_folders())
        return next((f for f in folders if self._tree.has(f"{f}/{META}")), "")

    def close(self) -> None:
        """Leave it; nothing is open."""

    def _experiment_folders(self) -> Iterator[str]:
        for above in ("", f"{TRASH}/"):
            for name in self._tree.folders(above.rstrip("/")):
                if self._tree.has(f"{above}{name}/{META}"):
                    yield f"{above}{name}"

    def _experiment(self, folder: str) -> SourceExperiment:
        faults, source_id = Faults(), folder.rpartition("/")[2]
        try:
            meta = read_meta(self._tree, f"{folder}/{META}")
        except Unreadable as error:
            faults.add(str(error))
            meta = {}
        return SourceExperiment(
            source_id=source_id,
            name=str(meta.get("name") or source_id),
            tags=read_values(self._tree, f"{folder}/tags", faults),
            is_deleted=folder.startswith(TRASH)
            or meta.get("lifecycle_stage") == "deleted",
            faults=faults,
        )

    def _start_of(self, folder: str) -> int:
        try:
            given = read_meta(self._tree, f"{folder}/{META}").get("start_time")
        except Unreadable:
            return 0
        return given if isinstance(given, int) else 0
