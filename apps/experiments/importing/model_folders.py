"""The folder of one logged model, as MLflow's file store of version 3 writes it.

As that of a run; a line of a metric is `timestamp value step run [dataset digest]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from apps.experiments.actions.logging import LoggedPoint
from apps.experiments.importing.records import (
    Faults,
    ModelFigure,
    SourceModel,
    Unreadable,
)
from apps.experiments.importing.run_folders import (
    META,
    read_files,
    read_meta,
    read_values,
)
from apps.experiments.importing.trees import Tree, read_lines
from apps.experiments.models import LoggedModelStatus

# Of MLflow's enumeration of states, which the folder holds as numbers.
STATES = {
    1: LoggedModelStatus.PENDING,
    2: LoggedModelStatus.READY,
    3: LoggedModelStatus.UPLOAD_FAILED,
}
WITHOUT_DATASET, WITH_DATASET = 4, 6  # words in the line of a point


def read_model(tree: Tree, folder: str) -> SourceModel:
    """Read the folder of a model; figures and files wait until they are asked for.

    Raises:
        Unreadable: its `meta.yaml` is missing or no YAML.
    """
    meta, faults = read_meta(tree, f"{folder}/{META}"), Faults()
    source_id = folder.rpartition("/")[2]
    return SourceModel(
        source_id=source_id,
        name=str(meta.get("name") or source_id),
        model_type=str(meta.get("model_type") or ""),
        status=STATES.get(meta.get("status", 0), LoggedModelStatus.PENDING),
        source_run=str(meta.get("source_run_id") or ""),
        parameters=read_values(tree, f"{folder}/params", faults),
        tags=read_values(tree, f"{folder}/tags", faults),
        is_deleted=meta.get("lifecycle_stage") == "deleted",
        figures=partial(_figures, tree, f"{folder}/metrics", faults),
        files=partial(
            read_files,
            tree,
            f"{folder}/artifacts",
            {"artifact_uri": meta.get("artifact_location")},
            faults,
        ),
        faults=faults,
    )


def _figures(tree: Tree, folder: str, faults: Faults) -> Iterator[ModelFigure]:
    for key in tree.files(folder, faults):
        path = f"{folder}/{key}"
        try:
            for number, line in enumerate(read_lines(tree, path), start=1):
                if line.strip():
                    yield from _figure(key, line, f"{path}, line {number}", faults)
        except Unreadable as error:
            faults.add(str(error))


def _figure(key: str, line: bytes, where: str, faults: Faults) -> Iterator[ModelFigure]:
    text = line.decode(errors="replace").strip()
    parts = text.split(" ")
    try:
        if len(parts) != WITHOUT_DATASET and len(parts) < WITH_DATASET:
            raise ValueError
        point = LoggedPoint(key, int(parts[0]), int(parts[2]), float(parts[1]))
    except ValueError:
        faults.add(f"{where}: {text[:40]!r} is not `timestamp value step run`.")
        return
    # The name of a dataset may have spaces in it.
    name, digest = " ".join(parts[4:-1]), "".join(parts[4:][-1:])
    yield ModelFigure(parts[3], point, name, digest)
