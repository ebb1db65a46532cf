"""What a worker needs for training, and what pages and API show of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from apps.core import blobs
from apps.projects.models import Objective, Project
from apps.training.models import CodeJob, TrainingJob

if TYPE_CHECKING:
    from pathlib import Path

    from apps.training.models import CodeJobQuerySet, TrainingJobQuerySet

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


def launchers(jobs: TrainingJobQuerySet) -> list[tuple[str, str]]:
    """List who launched `jobs`, as ids and names."""
    people = jobs.order_by("launched_by__full_name").values_list(
        "launched_by_id", "launched_by__full_name"
    )
    return [(str(pk), name) for pk, name in people.distinct()]


def with_origins(jobs: TrainingJobQuerySet) -> TrainingJobQuerySet:
    """Join what every job is shown with."""
    return jobs.select_related(
        "experiment__project", "dataset_version__dataset", "launched_by", "run"
    )


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
        {"term": "Seed", "value": str(job.spec["seed"])},
        *(
            {"term": name, "value": str(value)}
            for name, value in sorted(job.spec["parameters"].items())
        ),
        {
            "term": "Packages",
            "value": ", ".join(f"{name} {version}" for name, version in lock)
            or "None are locked",
        },
        *([{"term": "Commit", "value": job.commit_id}] if job.commit_id else []),
        {"term": "Digest of the files", "value": job.tree_digest},
        {"term": "SHA-256 of the zip", "value": job.code_sha256},
    ]
