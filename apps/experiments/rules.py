"""Who may start experiments, record runs and take artifacts away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.access.checks import ALLOWED, Decision, Denied, permitted
from apps.access.permissions import Permission
from apps.datasets.models import DatasetVersion
from apps.experiments.models import Artifact, Experiment, Run
from apps.projects.rules import sees

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from apps.accounts.models import User
    from apps.projects.models import Project


def can_create_experiment(user: User, project: Project) -> Decision:
    """Say whether `user` may start an experiment in `project`."""
    return permitted(user, Permission.EXPERIMENT_CREATE, project)


def can_record_run(user: User, experiment: Experiment) -> Decision:
    """Say whether `user` may add a run to `experiment`."""
    return permitted(user, Permission.RUN_RECORD, experiment.project)


def can_download_artifact(user: User, artifact: Artifact) -> Decision:
    """Say whether `user` may take an artifact away.

    An artifact that holds rows of a dataset asks for what the dataset asks for; those
    of a registered model are seen by who sees the model.
    """
    run = artifact.run
    if artifact.holds_data:
        return can_download_rows(user, run)
    return sees_model(user, run) and permitted(
        user, Permission.MODEL_DOWNLOAD, run.project
    )


def can_download_rows(user: User, run: Run) -> Decision:
    """Say whether `user` may take away rows of the dataset that `run` used."""
    if not (seen := sees_model(user, run)):
        return seen
    if not sees_dataset(user, run):
        return Denied("This file holds rows of a dataset that you were not granted.")
    return permitted(user, Permission.DATASET_DOWNLOAD, run.project)


def sees_dataset(user: User, run: Run) -> bool:
    """Say whether `user` sees the dataset version a run used, if it used one."""
    if run.dataset_version_id is None:
        return True
    visible = DatasetVersion.objects.visible_to(user)
    return visible.filter(pk=run.dataset_version_id).exists()


def seen_versions(user: User, runs: Iterable[Run]) -> set[UUID]:
    """Of the dataset versions that `runs` used, find those `user` sees, at once."""
    used = {run.dataset_version_id for run in runs if run.dataset_version_id}
    visible = DatasetVersion.objects.visible_to(user).filter(pk__in=used)
    return set(visible.values_list("pk", flat=True))


def sees_model(user: User, run: Run) -> Decision:
    """Say whether `user` sees the model that a run was registered as, if it was.

    Asked over the relation: the registry stands above and cannot be imported.
    """
    version: Any = getattr(run, "model_version", None)
    return sees(user, version.model) if version else ALLOWED
