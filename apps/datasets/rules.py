"""Who may bring data in, describe it and take it away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import Decision, NotNow, permitted
from apps.access.permissions import Permission
from apps.datasets.models import Dataset, DatasetContent, DatasetVersion
from apps.jobs.models import JobStatus
from apps.projects.rules import permitted_with

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.projects.models import Project


def can_create_dataset(user: User, project: Project) -> Decision:
    """Say whether `user` may add a dataset to `project`."""
    return permitted(user, Permission.DATASET_UPLOAD, project)


can_upload_dataset = can_create_dataset


def can_edit_dataset(user: User, dataset: Dataset) -> Decision:
    """Say whether `user` may change title and description."""
    return permitted_with(user, Permission.DATASET_EDIT, dataset)


def can_upload_version(user: User, dataset: Dataset) -> Decision:
    """Say whether `user` may add a version to `dataset`."""
    return permitted_with(user, Permission.DATASET_UPLOAD, dataset)


def can_download_version(
    user: User, version: DatasetVersion, content: DatasetContent
) -> Decision:
    """Say whether `user` may take the file away."""
    if content == DatasetContent.PARQUET and version.status != JobStatus.SUCCEEDED:
        return NotNow("There is no Parquet file until the upload was read.")
    return permitted_with(user, Permission.DATASET_DOWNLOAD, version.dataset)
