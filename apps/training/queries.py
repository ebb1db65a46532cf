"""What a worker needs for training, and what pages and API show of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from apps.core import blobs
from apps.jobs.models import JobStatus
from apps.projects.models import Objective, Project
from apps.training.models import CodeJob, TrainingJob
from engine.spec import ESTIMATORS, TrainSpec

if TYPE_CHECKING:
    from pathlib import Path

    from apps.training.models import CodeJobQuerySet, TrainingJobQuerySet

SECONDS_PER_MINUTE = 60
BYTES_PER_GIBIBYTE = 1024**3
# What no list of jobs with own code shows.
CODE_HEAVY = ("log_tail", "failure_details", "live_metrics", "spec")


def mission_cost(project: Project, task: str | None) -> dict[str, float] | None:
    """Give the stated costs, by which a binary model chooses its threshold."""
    objective = Objective.objects.filter(project=project).first()
    if task != "binary" or objective is None:
        return None
    cost = {"false_alarm": objective.false_alarm_cost, "miss": objective.miss_cost}
    return cost if any(cost.values()) else None


def prepare_training(job: TrainingJob, folder: Path) -> dict[str, Any]:
    """Put the dataset into the job folder and give the engine its spec."""
    blobs.copy_to(
        job.dataset_version.parquet_sha256, folder / "inputs" / "data.parquet"
    )
    _put_fingerprint(job, folder)
    spec: dict[str, Any] = job.spec
    return spec


def _put_fingerprint(job: TrainingJob, folder: Path) -> None:
    """Give the engine the fingerprint of the data, so that it is in the record."""
    if fingerprint := job.dataset_version.fingerprint:
        path = folder / "inputs" / "fingerprint.json"
        path.write_text(json.dumps(fingerprint))


def queue_position(job: TrainingJob) -> int | None:
    """Count which place in the queue a waiting job has, from 1."""
    if job.status != JobStatus.QUEUED:
        return None
    return TrainingJob.objects.filter(status=JobStatus.QUEUED, pk__lte=job.pk).count()


def with_origins(jobs: TrainingJobQuerySet) -> TrainingJobQuerySet:
    """Join what every job is shown with."""
    return jobs.select_related(
        "experiment__project", "dataset_version__dataset", "launched_by", "run"
    )


def spec_facts(job: TrainingJob) -> list[dict[str, Any]]:
    """Say in words what the job was asked to do."""
    spec = TrainSpec.from_json(job.spec)
    estimator = ESTIMATORS[spec.estimator]
    return [
        {"term": "Target", "value": _target(spec)},
        {"term": "Columns used", "value": ", ".join(f.name for f in spec.features)},
        {"term": "Kind of model", "value": estimator.title},
        *(
            {
                "term": parameter.title,
                "value": spec.parameters.get(parameter.name, parameter.default),
            }
            for parameter in estimator.parameters
        ),
        {"term": "Search", "value": _search(spec)},
        {"term": "Rare classes", "value": _class_weight(spec)},
        {"term": "Threshold", "value": _threshold(spec)},
        {
            "term": "Held out for the test",
            "value": f"{spec.test_ratio:.0%} of the rows",
        },
        {"term": "Seed", "value": str(spec.seed)},
        {"term": "Limits", "value": _limits(spec)},
    ]


def _target(spec: TrainSpec) -> str:
    if spec.positive_label is None:
        return spec.target
    return f"{spec.target} (a case is “{spec.positive_label}”)"


def _search(spec: TrainSpec) -> str:
    if spec.search is None:
        return "none, settings as given"
    return f"{spec.search.trials} settings, {spec.search.folds} folds each"


def _class_weight(spec: TrainSpec) -> str:
    return "given more weight" if spec.class_weight else "weighed as they come"


def _threshold(spec: TrainSpec) -> str:
    if spec.task != "binary":
        return "does not apply"
    if spec.cost is None:
        return "0.5"
    return (
        "least mission cost, with a false alarm at "
        f"{spec.cost.false_alarm:g} and a miss at {spec.cost.miss:g}"
    )


def _limits(spec: TrainSpec) -> str:
    minutes = (spec.limits.wall_seconds or 0) / SECONDS_PER_MINUTE
    memory = (spec.limits.memory_bytes or 0) / BYTES_PER_GIBIBYTE
    return f"{minutes:g} minutes, {memory:.3g} GiB of memory"


def with_code_origins(jobs: CodeJobQuerySet) -> CodeJobQuerySet:
    """Join what every job with own code is shown with."""
    return jobs.select_related(
        "experiment__project", "dataset_version__dataset", "launched_by", "run"
    )


def code_facts(job: CodeJob) -> list[dict[str, Any]]:
    """Say in words which code was asked to run, and with what."""
    lock = sorted(job.spec["requirements"].items())
    return [
        {"term": "Function", "value": job.spec["entry"]},
        {"term": "Seed", "value": job.spec["seed"]},
        *(
            {"term": name, "value": value}
            for name, value in sorted(job.spec["parameters"].items())
        ),
        {
            "term": "Packages",
            "value": ", ".join(f"{name} {version}" for name, version in lock)
            or "None are locked",
        },
        {"term": "Digest of the files", "value": job.tree_digest},
        {"term": "SHA-256 of the zip", "value": job.code_sha256},
    ]
