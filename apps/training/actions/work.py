"""A worker carries training out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from apps.core import blobs
from apps.experiments.actions import (
    ArtifactFile,
    MetricPoint,
    RunContent,
    record_run,
)
from apps.experiments.models import RunSource
from apps.jobs.actions import finish_job

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.core.sandbox import Outcome
    from apps.training.models import TrainingJob

SUMMARY_KEYS = (
    *("figures", "signature", "threshold", "rows", "split_digest"),
    *("onnx", "trials_done"),
)


class OutsideOutputs(ValueError):
    """The engine named a file that is not in its folder of outputs."""


def finish_training(
    *, job: TrainingJob, outcome: Outcome, by: User
) -> TrainingJob | None:
    """Keep how a claimed job ended; a success becomes a run.

    Returns:
        None when the job was given to another worker meanwhile.

    Raises:
        OutsideOutputs: the engine named a file that is not its own.
        Refused: only workers may.
    """
    # Files first: storing them takes time, and the row shall not be locked for it.
    artifacts = store_files(outcome)

    def keep(job: TrainingJob) -> dict[str, Any]:
        content = _content(job, outcome, artifacts)
        job.run = record_run(experiment=job.experiment, content=content, by=by)
        job.progress_ratio, job.stage = 1.0, "Finished"
        return {"run": str(job.run.pk)}

    return finish_job(job=job, outcome=outcome, by=by, keep=keep)


def store_files(outcome: Outcome) -> list[ArtifactFile]:
    """Store what a successful engine says it wrote; nothing for other outcomes."""
    outputs = (outcome.folder / "outputs").resolve()
    artifacts = []
    for file in outcome.result.get("files", []):
        path = (outcome.folder / file["path"]).resolve()
        if not path.is_relative_to(outputs):
            raise OutsideOutputs(f"{file['path']} is not among the outputs.")
        name = path.relative_to(outputs).as_posix()
        blob = blobs.store_path(path)
        artifacts.append(ArtifactFile(name, blob, file["media_type"]))
    return artifacts


def _content(
    job: TrainingJob, outcome: Outcome, artifacts: list[ArtifactFile]
) -> RunContent:
    result = outcome.result
    final = [MetricPoint(key, value) for key, value in result["metrics"].items()]
    history = [
        MetricPoint(point["key"], point["value"], point["step"])
        for point in result["metric_history"]
    ]
    record = json.loads((outcome.folder / "outputs" / "record.json").read_text())
    return RunContent(
        name=job.name,
        source=RunSource.TRAINING,
        parameters=result["parameters"],
        metrics=[*final, *history],
        artifacts=artifacts,
        dataset_version=job.dataset_version,
        summary={
            **{key: result[key] for key in SUMMARY_KEYS},
            "search": _searched(result["search"]),
            "environment": _short(record["environment"], "lock"),
            "record": _short(record, "environment", "fingerprint", "metrics", "spec"),
        },
    )


def _searched(search: dict[str, Any] | None) -> dict[str, Any] | None:
    """Say how a search went; its trials are in the metrics."""
    if search is None:
        return None
    score = search["trials"][search["best"] - 1]["score"]
    return {"planned": search["planned"], "best": search["best"], "score": score}


def _short(facts: dict[str, Any], *left_out: str) -> dict[str, Any]:
    """Leave out what is long and in the file `record.json` anyway."""
    return {key: value for key, value in facts.items() if key not in left_out}
