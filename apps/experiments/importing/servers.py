"""A server of MLflow, asked over its REST API as its own client asks it."""

from __future__ import annotations

from collections.abc import Container, Iterator
from functools import partial
from typing import Any

from apps.experiments.actions.logging import LoggedPoint
from apps.experiments.importing.asking import Asking
from apps.experiments.importing.records import (
    Faults,
    LostRun,
    SourceExperiment,
    SourceFile,
    SourceRun,
    Unreadable,
)
from apps.experiments.importing.run_folders import logged_dataset, moment
from apps.experiments.models import RunStatus

API = "/api/2.0/mlflow"
EXPERIMENTS_AT_ONCE = 500
RUNS_AT_ONCE = 100
POINTS_AT_ONCE = 25_000
MOST_FILES = 20_000
MOST_FOLDERS_DEEP = 40

Fields = dict[str, Any]


class MlflowServer:
    """What a server of MLflow keeps.

    Args:
        asking: the way to the server.
    """

    def __init__(self, asking: Asking):
        self._asking = asking

    @property
    def label(self) -> str:
        """The address of the server."""
        return self._asking.address

    def experiments(self) -> Iterator[SourceExperiment]:
        """Give its experiments, deleted ones too.

        Raises:
            Unreadable: the server does not answer as MLflow does.
        """
        asked = {
            "max_results": EXPERIMENTS_AT_ONCE,
            "view_type": "ALL",
            "order_by": ["creation_time ASC"],
        }
        for one in self._pages(f"{API}/experiments/search", asked, "experiments"):
            yield SourceExperiment(
                source_id=str(one.get("experiment_id")),
                name=str(one.get("name") or one.get("experiment_id")),
                tags=_pairs(one.get("tags")),
                is_deleted=one.get("lifecycle_stage") == "deleted",
            )

    def runs(
        self, experiment: SourceExperiment, done: Container[str]
    ) -> Iterator[SourceRun | LostRun]:
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
        for one in self._pages(f"{API}/runs/search", asked, "runs"):
            if str(one.get("info", {}).get("run_id")) not in done:
                yield self._run(one)

    def close(self) -> None:
        """Leave it."""
        self._asking.close()

    def _run(self, given: Fields) -> SourceRun:
        info, data, faults = given.get("info", {}), given.get("data", {}), Faults()
        run_id, tags = str(info.get("run_id")), _pairs(data.get("tags"))
        name = info.get("run_name") or tags.get("mlflow.runName") or run_id[:8]
        keys = [str(one.get("key")) for one in data.get("metrics", ())]
        outputs = given.get("outputs", {}).get("model_outputs", ())
        if outputs:
            faults.note(f"Logged models that did not come over: {len(outputs)}.")
        return SourceRun(
            source_id=run_id[:250],
            name=str(name),
            status=_status(info.get("status"), faults),
            started_at=moment(info.get("start_time"), faults),
            ended_at=moment(info.get("end_time"), faults),
            claimed_user=str(info.get("user_id") or ""),
            parameters=_pairs(data.get("params")),
            tags=tags,
            inputs=[
                logged_dataset(one.get("dataset", {}), _pairs(one.get("tags")))
                for one in given.get("inputs", {}).get("dataset_inputs", ())
            ],
            is_deleted=info.get("lifecycle_stage") == "deleted",
            points=partial(self._points, run_id, keys, faults),
            files=partial(self._files, run_id, faults),
            faults=faults,
        )

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
            for one in self._pages(address, asked, "metrics", method="GET"):
                try:
                    yield LoggedPoint(
                        key,
                        int(one.get("timestamp", 0)),
                        int(one.get("step", 0)),
                        float(one.get("value", 0.0)),
                    )
                except (TypeError, ValueError):
                    faults.add(f"a point of {key}: {str(one)[:80]}")

    def _files(self, run_id: str, faults: Faults) -> Iterator[SourceFile]:
        waiting, count = [("", 0)], 0
        while waiting:
            folder, depth = waiting.pop()
            for one in self._listed(run_id, folder):
                path = str(one.get("path"))
                if one.get("is_dir") and depth < MOST_FOLDERS_DEEP:
                    waiting.append((path, depth + 1))
                elif not one.get("is_dir"):
                    count += 1
                    yield SourceFile(path, partial(self._download, run_id, path))
                if count >= MOST_FILES:
                    faults.note(
                        f"It has more than {MOST_FILES:,} files; the rest stay."
                    )
                    return

    def _listed(self, run_id: str, folder: str) -> Iterator[Fields]:
        asked = {"run_id": run_id} | ({"path": folder} if folder else {})
        yield from self._pages(f"{API}/artifacts/list", asked, "files", method="GET")

    def _download(self, run_id: str, path: str) -> Any:
        asked = {"run_id": run_id, "run_uuid": run_id, "path": path}
        return self._asking.download("/get-artifact", asked)

    def _pages(
        self, path: str, asked: Fields, name: str, *, method: str = "POST"
    ) -> Iterator[Fields]:
        token = ""
        while True:
            page = self._asking.ask(
                method, path, asked | ({"page_token": token} if token else {})
            )
            rows = page.get(name, [])
            if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
                raise Unreadable(f"{path} does not answer as MLflow does.")
            yield from rows
            following = str(page.get("next_page_token") or "")
            if not following or following == token:
                return
            token = following


def _status(given: Any, faults: Faults) -> RunStatus:
    if given not in RunStatus.values:
        faults.note(f"Its status {str(given)[:40]!r} is unknown; kept as finished.")
        return RunStatus.FINISHED
    if given == RunStatus.RUNNING:
        faults.note("It had not ended; what it logs from now on is not here.")
    return RunStatus(given)


def _pairs(given: Any) -> dict[str, str]:
    return {str(one.get("key")): str(one.get("value") or "") for one in given or ()}
