"""The folder of one run, as MLflow's file store of versions 1 to 3 writes it.

`meta.yaml`, and below `params`, `metrics` and `tags` one file for each key, which may
have slashes in it. A line of a metric is `timestamp value [step [dataset digest]]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from apps.core.blobs import Readable
from apps.core.plain_yaml import YamlFault, load_yaml
from apps.experiments.actions.checks import STEP_LIMIT
from apps.experiments.actions.logging import LoggedDataset, LoggedPoint
from apps.experiments.importing.records import (
    Faults,
    ModelUsed,
    SourceFile,
    SourceRun,
    TooManyPoints,
    Unreadable,
)
from apps.experiments.importing.trees import (
    LARGEST_META,
    LARGEST_VALUE,
    Tree,
    read_lines,
    read_text,
)
from apps.experiments.models import ModelUse, RunStatus

META = "meta.yaml"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Of MLflow's enumeration of states, which the folder holds as numbers.
STATES = {
    1: RunStatus.RUNNING,
    2: RunStatus.SCHEDULED,
    3: RunStatus.FINISHED,
    4: RunStatus.FAILED,
    5: RunStatus.KILLED,
}
# Kinds of inputs.
DATASET, MODEL = "DATASET", "MODEL"
MOST_VALUES = 20_000  # parameters, or tags, of a run
SHORTEST, WITH_STEP, WITH_DATASET = 2, 3, 5  # words in the line of a point


def read_meta(tree: Tree, path: str) -> dict[str, Any]:
    """Read what a run, an experiment or a dataset says of itself.

    Raises:
        Unreadable: the file is missing, or no mapping in plain YAML.
    """
    try:
        found = load_yaml(read_text(tree, path, LARGEST_META))
    except YamlFault as error:
        raise Unreadable(f"{path}: {error}") from error
    if not isinstance(found, dict):
        raise Unreadable(f"{path} must say `name: value` on each line.")
    return found


def read_run(
    tree: Tree,
    folder: str,
    *,
    source_id: str = "",
    datasets: str = "",
    most_points: int | None = None,
) -> SourceRun:
    """Read the folder of a run; its points and files wait until they are asked for.

    Args:
        tree: holds the folder.
        folder: the path of the run in it; empty for the top.
        source_id: of the run; where it is empty, what the run says of itself counts.
        datasets: the folder of the datasets that inputs name; empty for none.
        most_points: lines in all its metrics; reading more raises TooManyPoints. None
            for any number.

    Raises:
        Unreadable: its `meta.yaml` is missing or no YAML.
    """
    below = f"{folder}/" if folder else ""
    meta, faults = read_meta(tree, f"{below}{META}"), Faults()
    tags = read_values(tree, f"{below}tags", faults)
    said = str(meta.get("run_id") or meta.get("run_uuid") or "")
    if source_id and said not in ("", source_id):
        faults.note(f"It calls itself {said[:80]}; the name of its folder counts.")
    source_id = source_id or said or folder.rpartition("/")[2]
    name = meta.get("run_name") or meta.get("name") or tags.get("mlflow.runName")
    files = partial(read_files, tree, f"{below}artifacts", meta, faults)
    return SourceRun(
        source_id=source_id,
        name=str(name or source_id[:8]),
        status=_status(meta.get("status"), faults),
        started_at=moment(meta.get("start_time"), faults),
        ended_at=moment(meta.get("end_time"), faults),
        claimed_user=str(meta.get("user_id") or ""),
        parameters=read_values(tree, f"{below}params", faults),
        tags=tags,
        inputs=list(_inputs(tree, f"{below}inputs", datasets, faults)),
        models=list(_models(tree, below)),
        is_deleted=meta.get("lifecycle_stage") == "deleted",
        points=partial(_points, tree, f"{below}metrics", faults, most_points),
        files=files,
        faults=faults,
    )


def moment(given: Any, faults: Faults) -> datetime | None:
    """Read milliseconds since 1970; what is none becomes a fault."""
    if given in (None, "", 0):
        return None
    try:
        return EPOCH + timedelta(milliseconds=int(given))
    except (OverflowError, TypeError, ValueError):
        faults.add(f"the time {str(given)[:40]!r}: it is no moment.")
        return None


def _status(given: Any, faults: Faults) -> RunStatus:
    status = STATES.get(given) if isinstance(given, int) else None
    if given in RunStatus.values:
        status = RunStatus(given)
    if status is None:
        faults.note(f"Its status {str(given)[:40]!r} is unknown; kept as finished.")
        return RunStatus.FINISHED
    if status == RunStatus.RUNNING:
        faults.note("It had not ended; what it logs from now on is not here.")
    return status


def read_values(tree: Tree, folder: str, faults: Faults) -> dict[str, str]:
    """Read parameters or tags: a small file for each key.

    Args:
        tree: holds the folder.
        folder: the path of it.
        faults: gets what cannot be read.
    """
    found: dict[str, str] = {}
    for key in tree.files(folder, faults):
        if len(found) >= MOST_VALUES:
            faults.add(f"{folder}: there are more than {MOST_VALUES:,}.")
            break
        try:
            found[key] = read_text(tree, f"{folder}/{key}", LARGEST_VALUE)
        except Unreadable as error:
            faults.add(str(error))
    return found


def _points(
    tree: Tree, folder: str, faults: Faults, most: int | None
) -> Iterator[LoggedPoint]:
    count = 0
    for key in tree.files(folder, faults):
        path = f"{folder}/{key}"
        try:
            for number, line in enumerate(read_lines(tree, path), start=1):
                count += 1
                if most and count > most:
                    raise TooManyPoints(f"{path}, line {number}", most)
                if line.strip():
                    yield from _point(key, line, f"{path}, line {number}", faults)
        except TooManyPoints:
            raise
        except Unreadable as error:
            faults.add(str(error))


def _point(key: str, line: bytes, where: str, faults: Faults) -> Iterator[LoggedPoint]:
    parts = line.split()
    try:
        if len(parts) not in (SHORTEST, WITH_STEP) and len(parts) < WITH_DATASET:
            raise ValueError
        step = int(parts[2]) if len(parts) >= WITH_STEP else 0
        yield LoggedPoint(key, int(parts[0]), step, float(parts[1]))
    except ValueError:
        shown = line[:40].decode(errors="replace")
        faults.add(f"{where}: {shown!r} is not `timestamp value step`, in numbers.")


def _inputs(
    tree: Tree, folder: str, datasets: str, faults: Faults
) -> Iterator[LoggedDataset]:
    names = tree.folders(folder)
    if names and not datasets:
        faults.note(
            "The data and models that it used are described outside of its folder."
        )
        return
    for name in names:
        try:
            link = read_meta(tree, f"{folder}/{name}/{META}")
            if link.get("source_type") != DATASET:
                continue
            given = read_meta(tree, f"{datasets}/{link.get('source_id')}/{META}")
        except Unreadable as error:
            faults.add(f"a dataset: {error}")
            continue
        tags = link.get("tags")
        yield logged_dataset(given, tags if isinstance(tags, dict) else {})


def _models(tree: Tree, below: str) -> Iterator[ModelUsed]:
    """Give the models that a run used or made."""
    for use, folder in ((ModelUse.INPUT, "inputs"), (ModelUse.OUTPUT, "outputs")):
        for name in tree.folders(f"{below}{folder}"):
            path = f"{below}{folder}/{name}/{META}"
            try:
                link = read_meta(tree, path)
            except Unreadable:
                continue  # told where the datasets are read
            if link.get("source_type") == MODEL:
                yield ModelUsed(str(link.get("source_id")), use)
            elif use == ModelUse.OUTPUT:
                step = whole(link.get("step"))
                yield ModelUsed(str(link.get("destination_id")), use, step)


def whole(given: Any) -> int:
    """Read a step; what is none counts as 0."""
    fits = isinstance(given, int) and -STEP_LIMIT <= given < STEP_LIMIT
    return int(given) if fits else 0


def logged_dataset(given: dict[str, Any], tags: dict[str, Any]) -> LoggedDataset:
    """Make a dataset of what a source says of it."""
    return LoggedDataset(
        name=str(given.get("name") or ""),
        digest=str(given.get("digest") or ""),
        source_type=str(given.get("source_type") or ""),
        source=str(given.get("source") or ""),
        schema=str(given.get("schema") or ""),
        profile=str(given.get("profile") or ""),
        tags={str(key): str(value) for key, value in tags.items()},
    )


def read_files(
    tree: Tree, folder: str, meta: dict[str, Any], faults: Faults
) -> Iterator[SourceFile]:
    empty = True
    for path in tree.files(folder, faults):
        empty = False
        yield SourceFile(path, partial(_opened, tree, f"{folder}/{path}"))
    place = str(meta.get("artifact_uri") or "")
    if empty and urlsplit(place).scheme not in ("", "file"):
        faults.note(
            f"Its files lie at {place[:200]} and were not copied. Import from a server "
            "that can read them."
        )


def _opened(tree: Tree, path: str) -> AbstractContextManager[Readable]:
    return tree.open(path)
