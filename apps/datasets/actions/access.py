"""Who sees a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from guardian.shortcuts import assign_perm, remove_perm

from apps.access.checks import ensure
from apps.access.grants import view_permission
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.datasets import queries, rules
from apps.datasets.actions.describe import lock_dataset
from apps.datasets.models import Dataset

if TYPE_CHECKING:
    from apps.accounts.models import User

_VIEW = view_permission(Dataset)


@transaction.atomic
def restrict_dataset(*, dataset: Dataset, by: User) -> Dataset:
    """Hide a dataset from members without a grant; its creator and `by` get one.

    Raises:
        Refused: only who may grant access.
        WrongState: it is restricted already.
    """
    dataset = lock_dataset(dataset)
    ensure(rules.can_restrict_dataset(by, dataset))
    dataset.is_restricted = True
    dataset.save()
    for person in {dataset.created_by, by}:
        assign_perm(_VIEW, person, dataset)
    record(
        EventType.DATASET_RESTRICTED,
        target=dataset,
        project=dataset.project,
        by=by,
        changes={
            "is_restricted": [False, True],
            "people": sorted(person.label for person in {dataset.created_by, by}),
        },
    )
    return dataset


@transaction.atomic
def open_dataset(*, dataset: Dataset, by: User) -> Dataset:
    """Show a dataset to all members again; the single grants end.

    Raises:
        Refused: only who may grant access.
        WrongState: it is open already.
    """
    dataset = lock_dataset(dataset)
    ensure(rules.can_open_dataset(by, dataset))
    dataset.is_restricted = False
    dataset.save()
    for person in queries.granted_people(dataset):
        remove_perm(_VIEW, person, dataset)
    record(
        EventType.DATASET_OPENED,
        target=dataset,
        project=dataset.project,
        by=by,
        changes={"is_restricted": [True, False]},
    )
    return dataset


@transaction.atomic
def grant_dataset(*, dataset: Dataset, person: User, by: User) -> Dataset:
    """Let a member of the project see a restricted dataset.

    Raises:
        Invalid: `person` is no member, or has access already.
        Refused: only who may grant access.
        WrongState: the dataset is open to all members.
    """
    dataset = lock_dataset(dataset)
    ensure(rules.can_grant_dataset(by, dataset))
    if not dataset.project.memberships.filter(user=person).exists():
        raise Invalid(
            f"{person.full_name} is no member of this project. Add them first.",
            fields={"email": "Not a member of this project."},
        )
    if queries.granted_people(dataset).filter(pk=person.pk).exists():
        raise Invalid(
            f"{person.full_name} has access already.",
            fields={"email": "Has access already."},
        )
    assign_perm(_VIEW, person, dataset)
    record(
        EventType.DATASET_GRANTED,
        target=dataset,
        project=dataset.project,
        by=by,
        changes={"person": person.label},
    )
    return dataset


@transaction.atomic
def revoke_dataset_grant(*, dataset: Dataset, person: User, by: User) -> Dataset:
    """Take away that somebody sees a restricted dataset.

    Raises:
        Invalid: `person` has no access of their own.
        Refused: only who may grant access, and never their own.
        WrongState: the dataset is open to all members.
    """
    dataset = lock_dataset(dataset)
    ensure(rules.can_revoke_dataset_grant(by, dataset, person))
    if not queries.granted_people(dataset).filter(pk=person.pk).exists():
        raise Invalid(f"{person.full_name} was not given access to this dataset.")
    remove_perm(_VIEW, person, dataset)
    record(
        EventType.DATASET_GRANT_REVOKED,
        target=dataset,
        project=dataset.project,
        by=by,
        changes={"person": person.label},
    )
    return dataset
