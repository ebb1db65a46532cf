"""Experiments: started, renamed, tagged, put aside and brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.experiments import rules
from apps.experiments.actions.checks import (
    LONGEST_EXPERIMENT_TAG,
    check_key,
    check_text,
    shortened,
)
from apps.experiments.actions.tags import delete_tag, write_tags
from apps.experiments.models import Experiment, ExperimentTag, Run
from apps.projects.models import Project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.accounts.models import User

LONGEST_EXPERIMENT = 500


class NameTaken(Invalid):
    """Another experiment of the project bears this name."""


@transaction.atomic
def create_experiment(
    *,
    project: Project,
    name: str,
    by: User,
    description: str = "",
    tags: Mapping[str, str] | None = None,
) -> Experiment:
    """Start a group of runs.

    Raises:
        Invalid: the name is empty or too long, or a tag cannot be kept.
        NameTaken: the project has such an experiment, which may be deleted.
        Refused: only who may create experiments.
    """
    project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    ensure(rules.can_create_experiment(by, project))
    _check_name(project, name)
    kept = {key: _tag_value(key, value) for key, value in (tags or {}).items()}
    experiment = Experiment.objects.create(
        project=project, name=name, description=description, created_by=by
    )
    ExperimentTag.objects.bulk_create(
        ExperimentTag(experiment=experiment, key=key, value=value)
        for key, value in kept.items()
    )
    record(
        EventType.EXPERIMENT_CREATED,
        target=experiment,
        project=project,
        by=by,
        changes={"tags": {k: shortened(v) for k, v in kept.items()}} if kept else None,
    )
    return experiment


@transaction.atomic
def rename_experiment(*, experiment: Experiment, name: str, by: User) -> Experiment:
    """Give an experiment another name.

    Raises:
        Invalid: the name is empty or too long.
        NameTaken: the project has such an experiment.
        Refused: only who may create experiments.
        WrongState: it is deleted.
    """
    project = Project.objects.select_for_update(no_key=True).get(
        pk=experiment.project_id
    )
    experiment = _locked(experiment)
    ensure(rules.can_rename_experiment(by, experiment))
    if name == experiment.name:
        return experiment
    _check_name(project, name)
    before, experiment.name = experiment.name, name
    _touch(experiment)
    record(
        EventType.EXPERIMENT_RENAMED,
        target=experiment,
        project=project,
        by=by,
        changes={"name": [before, name]},
    )
    return experiment


@transaction.atomic
def delete_experiment(*, experiment: Experiment, by: User) -> Experiment:
    """Put an experiment and its runs aside; nothing is lost.

    Raises:
        Refused: only who may create experiments; or a run of it became a model.
    """
    experiment = _locked(experiment)
    ensure(rules.can_delete_experiment(by, experiment))
    if experiment.deleted_at:
        return experiment
    experiment.deleted_at = timezone.now()
    _touch(experiment)
    runs = Run.objects.filter(experiment=experiment).active()
    count = runs.update(deleted_at=experiment.deleted_at)
    record(
        EventType.EXPERIMENT_DELETED,
        target=experiment,
        project=experiment.project,
        by=by,
        changes={"runs": count},
    )
    return experiment


@transaction.atomic
def restore_experiment(*, experiment: Experiment, by: User) -> Experiment:
    """Bring an experiment back, with the runs that were put aside together with it.

    Raises:
        Refused: only who may create experiments.
    """
    experiment = _locked(experiment)
    ensure(rules.can_restore_experiment(by, experiment))
    if experiment.deleted_at is None:
        return experiment
    runs = Run.objects.filter(experiment=experiment, deleted_at=experiment.deleted_at)
    count = runs.update(deleted_at=None)
    experiment.deleted_at = None
    _touch(experiment)
    record(
        EventType.EXPERIMENT_RESTORED,
        target=experiment,
        project=experiment.project,
        by=by,
        changes={"runs": count},
    )
    return experiment


@transaction.atomic
def set_experiment_tag(
    *, experiment: Experiment, key: str, value: str, by: User
) -> Experiment:
    """Say a word about an experiment, or another one in place of it.

    Raises:
        Invalid: the key or the value cannot be kept.
        Refused: only who may create experiments.
        WrongState: the experiment is deleted.
    """
    experiment = _locked(experiment)
    ensure(rules.can_set_experiment_tag(by, experiment))
    changes = write_tags(experiment.tags, {key: _tag_value(key, value)})
    if changes:
        _touch(experiment)
        record(
            EventType.EXPERIMENT_TAG_SET,
            target=experiment,
            project=experiment.project,
            by=by,
            changes=changes,
        )
    return experiment


@transaction.atomic
def delete_experiment_tag(*, tag: ExperimentTag, by: User) -> Experiment:
    """Take a word about an experiment back.

    Raises:
        Refused: only who may create experiments.
        WrongState: the experiment is deleted.
    """
    experiment = _locked(tag.experiment)
    ensure(rules.can_delete_experiment_tag(by, experiment))
    if changes := delete_tag(tag):
        _touch(experiment)
        record(
            EventType.EXPERIMENT_TAG_DELETED,
            target=experiment,
            project=experiment.project,
            by=by,
            changes=changes,
        )
    return experiment


def _locked(experiment: Experiment) -> Experiment:
    rows = Experiment.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("project").get(pk=experiment.pk)


def _touch(experiment: Experiment) -> None:
    experiment.updated_at = timezone.now()
    experiment.save()


def _check_name(project: Project, name: str) -> None:
    check_text("name", name, LONGEST_EXPERIMENT)
    taken = project.experiments.filter(name=name).first()
    if taken:
        what = "a deleted experiment" if taken.deleted_at else "an experiment"
        raise NameTaken(
            f"There is {what} named {name} in this project.",
            fields={"name": "Already in use; choose another."},
        )


def _tag_value(key: str, value: str) -> str:
    check_key("tags", key)
    check_text("tags", value, LONGEST_EXPERIMENT_TAG, may_be_empty=True)
    return value
