"""People ask for training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.core.queue import enqueue
from apps.datasets.models import DatasetVersion
from apps.experiments.models import Experiment
from apps.jobs.models import JobStatus
from apps.training import queries, rules
from apps.training.models import TrainingJob
from engine.spec import SpecError, TrainSpec

if TYPE_CHECKING:
    from uuid import UUID

    from apps.accounts.models import User
    from apps.projects.models import Project

MAX_NAME_CHARACTERS = 120
MAX_OUTPUT_BYTES = 4 * 1024**3


@transaction.atomic
def launch_training(
    *,
    experiment: Experiment,
    dataset_version: DatasetVersion,
    name: str,
    spec: dict[str, Any],
    by: User,
    submission_key: UUID | None = None,
) -> TrainingJob:
    """Queue a training job.

    Args:
        experiment: where its run will be recorded.
        dataset_version: of the same project, visible to `by`, read completely.
        name: of the job and of its run.
        spec: as `engine.spec.TrainSpec.from_json` takes it. A missing `cost` is taken
            from the objective of the project; limits are filled in from the settings.
        by: somebody who may launch training.
        submission_key: asked for again with the same key, the first job is returned.

    Raises:
        Invalid: spec or data do not fit; `fields` says what.
        Refused: only who may launch training.
    """
    # The experiment's row serialises launches: a double click finds the first job.
    experiment = (
        Experiment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("project")
        .get(pk=experiment.pk)
    )
    ensure(rules.can_launch_training(by, experiment.project))
    if first := _launched_before(experiment, submission_key, by):
        return first
    check_name(name)
    check_dataset(dataset_version, experiment.project, by)
    checked = _checked(spec, experiment.project)
    _check_columns(checked, dataset_version)
    job = TrainingJob.objects.create(
        experiment=experiment,
        dataset_version=dataset_version,
        name=name,
        spec=checked.to_json(),
        launched_by=by,
        submission_key=submission_key,
    )
    record(
        EventType.TRAINING_LAUNCHED,
        target=job,
        project=experiment.project,
        by=by,
        changes={
            "experiment": experiment.name,
            "dataset_version": str(dataset_version),
            "estimator": checked.estimator,
            "target": checked.target,
        },
    )
    enqueue(job.kind.task, pk=str(job.pk))
    return job


def _launched_before(
    experiment: Experiment, submission_key: UUID | None, by: User
) -> TrainingJob | None:
    if submission_key is None:
        return None
    first = TrainingJob.objects.filter(submission_key=submission_key).first()
    if first and (first.experiment_id, first.launched_by_id) != (experiment.pk, by.pk):
        raise Invalid(
            "This form was used before for another job. Open it anew.",
            fields={"submission_key": "Used before."},
        )
    return first


def check_name(name: str) -> None:
    """Refuse a name that is empty, too long or not readable.

    Raises:
        Invalid: it is.
    """
    if not name.strip() or len(name) > MAX_NAME_CHARACTERS or "\0" in name:
        raise Invalid(
            f"Give the training a name of up to {MAX_NAME_CHARACTERS} characters.",
            fields={"name": "Empty, too long or not readable."},
        )


def check_dataset(version: DatasetVersion, project: Project, by: User) -> None:
    """Refuse data that are not of the project, not visible, or not ready.

    Raises:
        Invalid: they are.
    """
    usable = DatasetVersion.objects.visible_to(by).filter(
        pk=version.pk, dataset__project=project
    )
    if not usable.exists():
        raise Invalid(
            "Choose a dataset version of this project that you can see.",
            fields={"dataset_version": "Not one of this project's."},
        )
    if version.status != JobStatus.SUCCEEDED:
        raise Invalid(
            f"The {version} is not ready; wait until it is read.",
            fields={"dataset_version": "Not ready."},
        )


def _checked(spec: dict[str, Any], project: Project) -> TrainSpec:
    """Complete the spec and check it as the engine will."""
    limits = {name: value for name, value in _given_limits(spec).items() if value}
    ceilings = {
        "memory_bytes": settings.JOB_MEMORY_BYTES,
        "wall_seconds": settings.JOB_WALL_SECONDS,
        "cpu_seconds": settings.JOB_WALL_SECONDS * settings.JOB_THREADS,
        "file_bytes": MAX_OUTPUT_BYTES,
    }
    completed = {
        "cost": queries.mission_cost(project, spec.get("task")),
        **spec,
        "threads": settings.JOB_THREADS,
        "limits": {**ceilings, **limits},
    }
    try:
        checked = TrainSpec.from_json(completed)
    except SpecError as error:
        raise Invalid(
            f"The training cannot be launched: {error}",
            fields={error.field: error.problem},
        ) from error
    for name, ceiling in ceilings.items():
        if getattr(checked.limits, name) > ceiling:
            raise Invalid(
                f"The limit {name} is above what this portal allows.",
                fields={f"limits.{name}": f"At most {ceiling:,}."},
            )
    return checked


def _given_limits(spec: dict[str, Any]) -> dict[str, Any]:
    limits = spec.get("limits") or {}
    if not isinstance(limits, dict):
        raise Invalid(
            "The limits must be an object.", fields={"limits": "Must be an object."}
        )
    return limits


def _check_columns(spec: TrainSpec, version: DatasetVersion) -> None:
    known = set(version.column_names)
    if spec.target not in known:
        raise Invalid(
            f"The dataset has no column {spec.target} to learn.",
            fields={"target": "Not a column of the dataset."},
        )
    unknown = [feature.name for feature in spec.features if feature.name not in known]
    if unknown:
        raise Invalid(
            f"The dataset has no column {unknown[0]}.",
            fields={"features": f"Not columns of the dataset: {', '.join(unknown)}."},
        )
