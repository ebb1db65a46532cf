"""Who may bring data in, read it, and decide who else sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import ALLOWED, Decision, Denied, NotNow, permitted
from apps.access.permissions import Permission
from apps.datasets.models import Dataset, DatasetContent, DatasetVersion
from apps.jobs.models import JobStatus

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.projects.models import Project


def can_create_dataset(user: User, project: Project) -> Decision:
    """Say whether `user` may add a dataset to `project`."""
    return permitted(user, Permission.DATASET_UPLOAD, project)


can_upload_dataset = can_create_dataset


def can_edit_dataset(user: User, dataset: Dataset) -> Decision:
    """Say whether `user` may change title and description."""
    return permitted(user, Permission.DATASET_EDIT, dataset.project)


def can_upload_version(user: User, dataset: Dataset) -> Decision:
    """Say whether `user` may add a version to `dataset`."""
    return permitted(user, Permission.DATASET_UPLOAD, dataset.project)


def can_download_version(
    user: User, version: DatasetVersion, content: DatasetContent
) -> Decision:
    """Say whether `user` may take the file away."""
    if content == DatasetContent.PARQUET and version.status != JobStatus.SUCCEEDED:
        return NotNow("There is no Parquet file until the upload was read.")
    return permitted(user, Permission.DATASET_DOWNLOAD, version.project)


def can_restrict_dataset(user: User, dataset: Dataset) -> Decision:
    """Say whether `user` may hide `dataset` from members without a grant."""
    if dataset.is_restricted:
        return NotNow("This dataset is restricted already.")
    return permitted(user, Permission.DATASET_GRANT, dataset.project)


def can_open_dataset(user: User, dataset: Dataset) -> Decision:
    """Say whether `user` may show `dataset` to all members."""
    if not dataset.is_restricted:
        return NotNow("This dataset is open to all members already.")
    return permitted(user, Permission.DATASET_GRANT, dataset.project)


def can_grant_dataset(user: User, dataset: Dataset) -> Decision:
    """Say whether `user` may choose who sees `dataset`."""
    if not dataset.is_restricted:
        return NotNow("All members see this dataset; restrict it first.")
    return permitted(user, Permission.DATASET_GRANT, dataset.project)


def can_revoke_dataset_grant(user: User, dataset: Dataset, person: User) -> Decision:
    """Say whether `user` may take the access of `person` away.

    Never their own: so somebody always remains who can open the dataset again.
    """
    decision = can_grant_dataset(user, dataset)
    if decision and user.pk == person.pk:
        return Denied("You cannot withdraw your own access; somebody else can.")
    return ALLOWED if decision else decision
