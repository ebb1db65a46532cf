"""A server of MLflow, asked over its REST API as its own client asks it."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from apps.core.blobs import Readable
from apps.core.zips import MOST_DEEP
from apps.experiments.actions.logging import LoggedPoint
from apps.experiments.importing.records import (
    Faults,
    Lost,
    Malformed,
    ModelFigure,
    ModelUsed,
    SourceExperiment,
    SourceFile,
    SourceGone,
    SourceModel,
    SourceRun,
    Unreadable,
)
from apps.experiments.importing.run_folders import logged_dataset, moment, whole
from apps.experiments.importing.server_connection import NotOffered, ServerConnection
from apps.experiments.models import ItemKind, LoggedModelStatus, ModelUse, RunStatus

API = "/api/2.0/mlflow"
EXPERIMENTS_AT_ONCE = 500
RUNS_AT_ONCE = 100
POINTS_AT_ONCE = 25_000
MOST_FILES = 20_000

Fields = dict[str, Any]
T = TypeVar("T")


class MlflowServer:
    """What a server of MLflow keeps.

    Args:
        connection: with the server.
    """

    def __init__(self, connection: ServerConnection):
        self._connection = connection

    @property
    def label(self) -> str:
        """The address of the server."""
        return self._connection.address

    def experiments(self) -> Iterator[SourceExperiment | Lost]:
        """Give its experiments, deleted ones too.

        Raises:
            Unreadable: the server does not answer as MLflow does.
        """
        asked = {
            "max_results": EXPERIMENTS_AT_ONCE,
            "view_type": "ALL",
            "order_by": ["creation_time ASC"],
        }
        found = self.pages(f"{API}/experiments/search", asked, "experiments")
        for number, one in enumerate(found, start=1):
            name = str(one.get("experiment_id") or f"experiment {number}")
            yield _or_lost(_experiment, one, Lost(name, "", ItemKind.EXPERIMENT))

    def runs(
        self, experiment: SourceExperiment, done: Container[str]
    ) -> Iterator[SourceRun | Lost]:
        """Give the runs of an experiment, deleted ones too, oldest first.

        Raises:
            Unreadable: the server does not answer as MLflow does.
        """
        asked = {
            "experiment_ids": [experiment.source_id],
            "run_view_type": "ALL",
            "max_results": RUNS_AT_ONCE,
            "order_by": ["attributes.start_time ASC"],
        }
        for one in self.pages(f"{API}/runs/search", asked, "runs"):
            run_id = _id_in(one, "run_id")
            if run_id not in done:
                yield _or_lost(self._run, one, _lost(experiment, run_id, ItemKind.RUN))

    def models(
        self, experiment: SourceExperiment, done: Container[str]
    ) -> Iterator[SourceModel | Lost]:
        """Give the logged models of an experiment; servers hide deleted ones.

        Raises:
            Unreadable: the server does not answer as MLflow does.
        """
        asked = {"experiment_ids": [experiment.source_id], "max_results": 50}
        try:
            for one in self.pages(f"{API}/logged-models/search", asked, "models"):
                model_id = _id_in(one, "model_id")
                if model_id not in done:
                    lost = _lost(experiment, model_id, ItemKind.MODEL)
                    yield _or_lost(self._model, one, lost)
        except NotOffered:  # before version 3
            return

    def _model(self, given: Fields) -> SourceModel:
        info, data, faults = _object(given, "info"), _object(given, "data"), Faults()
        model_id = _needed(info, "model_id")
        status = str(info.get("status")).removeprefix("LOGGED_MODEL_")
        is_known = status in LoggedModelStatus.values
        return SourceModel(
            source_id=model_id,
            name=str(info.get("name") or model_id),
            model_type=str(info.get("model_type") or ""),
            status=LoggedModelStatus(status) if is_known else LoggedModelStatus.PENDING,
            source_run=str(info.get("source_run_id") or ""),
            parameters=pairs(data.get("params")),
            tags=pairs(info.get("tags")),
            figures=partial(_figures, _objects(data, "metrics"), faults),
            files=partial(self.files_of_model, model_id, faults),
            faults=faults,
        )

    def close(self) -> None:
        """Leave it."""
        self._connection.close()

    def _run(self, given: Fields) -> SourceRun:
        info, data, faults = _object(given, "info"), _object(given, "data"), Faults()
        run_id, tags = _needed(info, "run_id"), pairs(data.get("tags"))
        name = info.get("run_name") or tags.get("mlflow.runName") or run_id[:8]
        keys = [str(one.get("key")) for one in _objects(data, "metrics")]
        return SourceRun(
            source_id=run_id,
            name=str(name),
            status=_status(info.get("status"), faults),
            started_at=moment(info.get("start_time"), faults),
            ended_at=moment(info.get("end_time"), faults),
            claimed_user=str(info.get("user_id") or ""),
            parameters=pairs(data.get("params")),
            tags=tags,
            inputs=[
                logged_dataset(_object(one, "dataset"), pairs(one.get("tags")))
                for one in _objects(_object(given, "inputs"), "dataset_inputs")
            ],
            models=list(self._models(run_id)),
            is_deleted=info.get("lifecycle_stage") == "deleted",
            points=partial(self._points, run_id, keys, faults),
            files=partial(self.files_of_run, run_id, faults),
            faults=faults,
        )

    def _models(self, run_id: str) -> Iterator[ModelUsed]:
        """Give the models that a run used or made; searches tell only some."""
        answer = self._connection.ask("GET", f"{API}/runs/get", {"run_id": run_id})
        given = _object(answer, "run")
        for one in _objects(_object(given, "inputs"), "model_inputs"):
            yield ModelUsed(str(one.get("model_id")), ModelUse.INPUT)
        for one in _objects(_object(given, "outputs"), "model_outputs"):
            step = whole(one.get("step"))
            yield ModelUsed(str(one.get("model_id")), ModelUse.OUTPUT, step)

    def _points(
        self, run_id: str, keys: list[str], faults: Faults
    ) -> Iterator[LoggedPoint]:
        for key in keys:
            asked = {
                "run_id": run_id,
                "metric_key": key,
                "max_results": str(POINTS_AT_ONCE),
            }
            address = f"{API}/metrics/get-history"
            for one in self.pages(address, asked, "metrics", method="GET"):
                try:
                    yield LoggedPoint(
                        key,
                        int(one.get("timestamp", 0)),
                        int(one.get("step", 0)),
                        float(one.get("value", 0.0)),
                    )
                except (OverflowError, TypeError, ValueError):
                    faults.add(f"a point of {key}: {str(one)[:80]}")

    def files_of_run(
        self, run_id: str, faults: Faults, root: str = ""
    ) -> Iterator[SourceFile]:
        """Give the files of a run at or below a folder of it."""
        return self._files(_run_files(run_id), faults, root)

    def files_of_model(
        self, model_id: str, faults: Faults, root: str = ""
    ) -> Iterator[SourceFile]:
        """Give the files of a logged model at or below a folder of it."""
        return self._files(_model_files(model_id), faults, root)

    def _files(self, place: Place, faults: Faults, root: str) -> Iterator[SourceFile]:
        waiting, count = [(root, 0)], 0
        while waiting:
            folder, depth = waiting.pop()
            for one in self._listed(place, folder):
                path = str(one.get("path"))
                if one.get("is_dir") and depth >= MOST_DEEP:
                    faults.add(f"{path[:200]}: it lies too many folders deep.")
                elif one.get("is_dir"):
                    waiting.append((path, depth + 1))
                else:
                    count += 1
                    yield SourceFile(path, partial(self._download, place, path))
                if count >= MOST_FILES:
                    faults.note(
                        f"It has more than {MOST_FILES:,} files; the rest stay."
                    )
                    return

    def _listed(self, place: Place, folder: str) -> Iterator[Fields]:
        asked = place.fields | ({place.folder_field: folder} if folder else {})
        yield from self.pages(place.listing, asked, "files", method="GET")

    def _download(self, place: Place, path: str) -> AbstractContextManager[Readable]:
        asked = {**place.fields, place.file_field: path}
        return self._connection.download(place.download, asked, path)

    def pages(
        self, path: str, asked: Fields, name: str, *, method: str = "POST"
    ) -> Iterator[Fields]:
        """Ask for a list page by page.

        Args:
            path: of the call.
            asked: its fields.
            name: of the list in the answer.
            method: of HTTP.

        Raises:
            Unreadable: the server does not answer as MLflow does.
        """
        token = ""
        while True:
            page = self._connection.ask(
                method, path, asked | ({"page_token": token} if token else {})
            )
            yield from _objects(page, name)
            following = str(page.get("next_page_token") or "")
            if not following or following == token:
                return
            token = following


@dataclass(frozen=True)
class Place:
    """Where a server lists and hands out the files of something."""

    listing: str
    download: str
    fields: dict[str, str]
    folder_field: str
    file_field: str


def _run_files(run_id: str) -> Place:
    fields = {"run_id": run_id, "run_uuid": run_id}
    return Place(f"{API}/artifacts/list", "/get-artifact", fields, "path", "path")


def _model_files(model_id: str) -> Place:
    below = f"logged-models/{quote(model_id, safe='')}/artifacts"
    return Place(
        f"{API}/{below}/directories",
        f"/ajax-api/2.0/mlflow/{below}/files",
        {},
        "artifact_directory_path",
        "artifact_file_path",
    )


def _figures(given: list[Fields], faults: Faults) -> Iterator[ModelFigure]:
    for one in given:
        try:
            point = LoggedPoint(
                str(one.get("key")),
                int(one.get("timestamp", 0)),
                int(one.get("step", 0)),
                float(one.get("value", 0.0)),
            )
        except (OverflowError, TypeError, ValueError):
            faults.add(f"a point: {str(one)[:80]}")
            continue
        yield ModelFigure(
            str(one.get("run_id")),
            point,
            str(one.get("dataset_name") or ""),
            str(one.get("dataset_digest") or ""),
        )


def _status(given: Any, faults: Faults) -> RunStatus:
    if given not in RunStatus.values:
        faults.note(f"Its status {str(given)[:40]!r} is unknown; kept as finished.")
        return RunStatus.FINISHED
    if given == RunStatus.RUNNING:
        faults.note("It had not ended; what it logs from now on is not here.")
    return RunStatus(given)


def pairs(given: Any) -> dict[str, str]:
    """Read tags or parameters, as servers list them.

    Raises:
        Malformed: they are no list of objects.
    """
    found = _objects({"tags": given}, "tags")
    return {str(one.get("key")): str(one.get("value") or "") for one in found}


def _object(given: Fields, name: str) -> Fields:
    """Take an object of an answer; one that is left out is empty."""
    found = given.get(name, {})
    if not isinstance(found, dict):
        raise Malformed(f"The server does not answer as MLflow does: no {name}.")
    return found


def _objects(given: Fields, name: str) -> list[Fields]:
    """Take a list of objects of an answer; one that is left out is empty."""
    found = given.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Malformed(f"The server does not answer as MLflow does: no {name}.")
    return found


def _needed(given: Fields, name: str) -> str:
    found = given.get(name)
    if not isinstance(found, str) or not found:
        raise Malformed(f"The server does not answer as MLflow does: no {name}.")
    return found


def _id_in(given: Fields, name: str) -> str:
    """Find the id of a run or a model; empty where none is told."""
    info = given.get("info")
    return str(info.get(name) or "") if isinstance(info, dict) else ""


def _lost(experiment: SourceExperiment, source_id: str, kind: ItemKind) -> Lost:
    """Say what is lost; what has no id is told of its experiment."""
    if source_id:
        return Lost(source_id, "", kind)
    return Lost(experiment.source_id, f"A {kind}: ", ItemKind.EXPERIMENT)


def _or_lost(read: Callable[[Fields], T], given: Fields, lost: Lost) -> T | Lost:
    """Read one thing of an answer, which leaves the others as they are."""
    try:
        return read(given)
    except SourceGone:
        raise
    except Unreadable as error:
        return lost._replace(reason=f"{lost.reason}{error}")


def _experiment(given: Fields) -> SourceExperiment:
    source_id = _needed(given, "experiment_id")
    return SourceExperiment(
        source_id=source_id,
        name=str(given.get("name") or source_id),
        tags=pairs(given.get("tags")),
        is_deleted=given.get("lifecycle_stage") == "deleted",
    )
