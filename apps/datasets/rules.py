"""Who may bring data in, describe it and take it away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import ALLOWED, Decision, Denied, NotNow, permitted
from apps.access.permissions import Permission
from apps.datasets import queries
from apps.datasets.models import (
    Dataset,
    DatasetContent,
    DatasetVersion,
    Upload,
    UploadState,
    VersionDiff,
)
from apps.jobs.models import JobStatus
from apps.projects.rules import permitted_with, sees

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
    if not version.original_sha256:
        return NotNow("There is no file until a worker has brought it in.")
    if content == DatasetContent.PARQUET and version.status != JobStatus.SUCCEEDED:
        return NotNow("There is no Parquet file until the upload was read.")
    if content == DatasetContent.ORIGINAL and version.seal:
        return Denied(
            "The file as uploaded holds the sealed rows, which only workers read. "
            "Download the Parquet file, which has all others."
        )
    return permitted_with(user, Permission.DATASET_DOWNLOAD, version.dataset)


def can_import_dataset(user: User, project: Project) -> Decision:
    """Say whether `user` may look into sources and import from them."""
    return permitted(user, Permission.DATASET_IMPORT, project)


def can_import_version(user: User, dataset: Dataset) -> Decision:
    """Say whether `user` may import the next version of `dataset`."""
    return permitted_with(user, Permission.DATASET_IMPORT, dataset)


def can_keep_original(user: User, version: DatasetVersion) -> Decision:
    """Say whether `user` may keep the file that was brought in: workers only."""
    return permitted(user, Permission.JOB_RUN, version.project)


def can_download_errors(user: User, version: DatasetVersion) -> Decision:
    """Say whether `user` may take away the list of what is wrong: who reads it."""
    if version.status != JobStatus.FAILED:
        return NotNow("There are errors to list only when a file could not be read.")
    return permitted_with(user, Permission.PROJECT_READ, version.dataset)


def can_start_upload(user: User, project: Project, dataset: Dataset | None) -> Decision:
    """Say whether `user` may begin to send a file, for a dataset or a new one."""
    if dataset:
        return can_upload_version(user, dataset)
    return can_upload_dataset(user, project)


def can_append_chunk(user: User, upload: Upload) -> Decision:
    """Say whether `user` may send more of the file."""
    return _its_owner(user, upload) and (
        can_start_upload(user, upload.project, upload.dataset)
    )


def can_complete_upload(user: User, upload: Upload) -> Decision:
    """Say whether `user` may make the file a version, all of it having come."""
    decision = can_append_chunk(user, upload)
    if decision and not upload.is_received:
        missing = upload.size_bytes - upload.received_bytes
        return NotNow(f"{missing:,} bytes of the file are still to be sent.")
    return decision


def can_cancel_upload(user: User, upload: Upload) -> Decision:
    """Say whether `user` may give an upload up: who began it, member or not."""
    return _its_owner(user, upload)


def can_expire_upload(user: User, upload: Upload) -> Decision:
    """Say whether `user` may remove what nobody went on with: workers only."""
    return permitted(user, Permission.JOB_RUN, upload.project)


def _its_owner(user: User, upload: Upload) -> Decision:
    if upload.owner_id != user.pk:
        return Denied("Only who began this upload can go on with it.")
    if upload.state != UploadState.OPEN:
        state = upload.get_state_display().lower()
        return NotNow(f"This upload is {state}; send the file as a new one.")
    return ALLOWED


def can_write_datasheet(user: User, dataset: Dataset) -> Decision:
    """Say whether `user` may state what the data is: who edits it, and its steward."""
    newest = queries.newest_datasheet(dataset)
    if newest and newest.steward_id == user.pk and newest.has_steward:
        return sees(user, dataset)
    return can_edit_dataset(user, dataset)


def can_decide_hint(user: User, dataset: Dataset) -> Decision:
    """Say whether `user` may decide what in `dataset` is personal: its steward."""
    newest = queries.newest_datasheet(dataset)
    steward = newest.steward if newest and newest.has_steward else None
    if steward is None:
        return NotNow(
            "Name a member of the project as steward in the datasheet first; the "
            "steward decides what is personal data."
        )
    if steward.pk != user.pk:
        return Denied(
            f"Only the steward of this dataset, {steward.full_name}, can decide what "
            "is personal data."
        )
    return sees(user, dataset)


def can_upload_sealed_part(user: User, version: DatasetVersion) -> Decision:
    """Say whether `user` may add rows to `version` that only workers read."""
    decision = permitted_with(user, Permission.DATASET_UPLOAD, version.dataset)
    if decision and version.status != JobStatus.SUCCEEDED:
        return NotNow("Sealed rows are added to a version that was read.")
    if decision and queries.sealed_part_of(version):
        return NotNow(
            f"Version {version.number} has a sealed part, which never changes."
        )
    return decision


def can_set_sealed_budget(user: User, project: Project) -> Decision:
    """Say whether `user` may limit looks at sealed data: the program manager."""
    return permitted(user, Permission.SEALED_BUDGET_SET, project)
