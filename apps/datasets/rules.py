"""Who may bring data in, describe it and take it away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import Decision, NotNow, permitted
from apps.access.permissions import Permission
from apps.datasets.models import Dataset, DatasetContent, DatasetVersion, VersionDiff
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


def can_save_contract(user: User, dataset: Dataset) -> Decision:
    """Say whether `user` may change what new versions are held to."""
    return permitted_with(user, Permission.DATASET_EDIT, dataset)


def can_keep_fingerprint(user: User, version: DatasetVersion) -> Decision:
    """Say whether `user` may add a fingerprint to `version`: workers, what lacks."""
    if version.status != JobStatus.SUCCEEDED:
        return NotNow("The version was not read, so it has no content to digest.")
    if version.fingerprint and version.fingerprint.get("unordered"):
        return NotNow("The version has its fingerprint; it never changes.")
    return permitted(user, Permission.JOB_RUN, version.project)


def can_request_diff(user: User, version: DatasetVersion) -> Decision:
    """Say whether `user` may have `version` compared; the answer shows its rows."""
    decision = permitted_with(user, Permission.DATASET_DOWNLOAD, version.dataset)
    if decision and version.status != JobStatus.SUCCEEDED:
        return NotNow(f"Version {version.number} was not read, so it has no rows.")
    return decision


def can_download_diff(user: User, diff: VersionDiff) -> Decision:
    """Say whether `user` may take the changed rows away."""
    if diff.status != JobStatus.SUCCEEDED:
        return NotNow("The versions are not compared yet.")
    return permitted_with(user, Permission.DATASET_DOWNLOAD, diff.dataset)


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
