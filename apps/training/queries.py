"""What a worker needs for training, and what pages and API show of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.core import blobs
from apps.projects.models import Objective, Project
from apps.training.models import TrainingJob

if TYPE_CHECKING:
    from pathlib import Path

    from apps.training.models import TrainingJobQuerySet


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
    spec: dict[str, Any] = job.spec
    return spec


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
