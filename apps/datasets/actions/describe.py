"""A dataset's name and words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import difference, record
from apps.core.errors import Invalid
from apps.datasets import rules
from apps.datasets.models import Dataset
from apps.projects.models import Project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.accounts.models import User

EDITABLE = ("title", "description")


@transaction.atomic
def create_dataset(
    *, project: Project, name: str, title: str, description: str, by: User
) -> Dataset:
    """Add a dataset without data.

    Args:
        project: where it belongs for good.
        name: letters, digits, hyphens, underscores; unique in the project.
        title: as people call it.
        description: where the data comes from and what a row is.
        by: somebody who may upload.

    Raises:
        Invalid: the name is taken or a text does not fit.
        Refused: only who may upload.
    """
    # The project row serialises names: two uploads at once never collide.
    project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    ensure(rules.can_create_dataset(by, project))
    dataset = Dataset(
        project=project,
        name=name,
        title=title,
        description=description,
        created_by=by,
    )
    _check_texts(dataset)
    if project.datasets.filter(name=name).exists():
        raise Invalid(
            f"There is a dataset named {name} in this project.",
            fields={"name": "Already in use; choose another."},
        )
    dataset.save()
    record(EventType.DATASET_CREATED, target=dataset, project=project, by=by)
    return dataset


@transaction.atomic
def edit_dataset(*, dataset: Dataset, values: Mapping[str, str], by: User) -> Dataset:
    """Change title and description.

    Args:
        dataset: which.
        values: new `title` and `description`; a missing one stays.
        by: somebody who may edit datasets of the project.

    Raises:
        Invalid: a text does not fit.
        Refused: only who may edit.
    """
    dataset = lock_dataset(dataset)
    ensure(rules.can_edit_dataset(by, dataset))
    before = {name: getattr(dataset, name) for name in EDITABLE}
    wanted = {name: values[name] for name in EDITABLE if name in values}
    changes = difference(before, wanted)
    if changes:
        for name, value in wanted.items():
            setattr(dataset, name, value)
        _check_texts(dataset)
        dataset.save()
        record(
            EventType.DATASET_EDITED,
            target=dataset,
            project=dataset.project,
            by=by,
            changes=changes,
        )
    return dataset


def lock_dataset(dataset: Dataset) -> Dataset:
    """Read the dataset anew and hold its row until the transaction ends."""
    return (
        Dataset.objects.select_for_update(of=("self",), no_key=True)
        .select_related("project")
        .get(pk=dataset.pk)
    )


def _check_texts(dataset: Dataset) -> None:
    try:
        dataset.clean_fields(exclude=["project", "created_by"])
    except ValidationError as error:
        raise Invalid(
            "The description of the dataset needs correcting.",
            fields={
                name: " ".join(texts) for name, texts in error.message_dict.items()
            },
        ) from error
