"""People ask for training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.core.queue import enqueue
from apps.datasets.models import DatasetVersion
from apps.experiments.models import Experiment
from apps.jobs.models import JobStatus
from apps.training import rules
from apps.training.checking import check_spec
from apps.training.models import TrainingJob

if TYPE_CHECKING:
    from uuid import UUID

    from apps.accounts.models import User
    from apps.projects.models import Project

MAX_NAME_CHARACTERS = 120


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
    checked = check_spec(spec, experiment.project, dataset_version)
    job = TrainingJob.objects.create(
        experiment=experiment,
        dataset_version=dataset_version,
        name=name,
        spec=checked.to_json(),
        launched_by=by,
        submission_key=submission_key,
    )
    _announce(job, by)
    return job


@transaction.atomic
def relaunch_training(*, job: TrainingJob, by: User) -> TrainingJob:
    """Queue the same training again, after it failed or was cancelled.

    Asked again, the first relaunch is returned; when that fails too, it can be
    relaunched in its turn.

    Raises:
        Invalid: the spec or the data do not fit any more; `fields` says what.
        Refused: only who may launch training.
        WrongState: it has not failed.
    """
    job = (
        TrainingJob.objects.select_for_update(of=("self",), no_key=True)
        .select_related("experiment__project", "dataset_version__dataset")
        .get(pk=job.pk)
    )
    ensure(rules.can_relaunch_training(by, job))
    if first := TrainingJob.objects.filter(relaunch_of=job).first():
        return first
    check_dataset(job.dataset_version, job.project, by)
    again = TrainingJob.objects.create(
        experiment=job.experiment,
        dataset_version=job.dataset_version,
        name=job.name,
        spec=check_spec(job.spec, job.project, job.dataset_version).to_json(),
        launched_by=by,
        relaunch_of=job,
    )
    _announce(again, by, relaunch_of=str(job.pk))
    return again


def _announce(job: TrainingJob, by: User, **facts: str) -> None:
    """Record that a job was launched, and knock for a worker."""
    record(
        EventType.TRAINING_LAUNCHED,
        target=job,
        project=job.project,
        by=by,
        changes={
            "experiment": job.experiment.name,
            "dataset_version": str(job.dataset_version),
            "estimator": job.spec["estimator"],
            "target": job.spec["target"],
            **facts,
        },
    )
    enqueue(job.kind.task, pk=str(job.pk))


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
