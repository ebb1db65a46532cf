"""Files of runs that are logged while they happen."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from django.db import transaction

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.experiments import rules
from apps.experiments.actions.checks import LONGEST_PATH, check_text, invalid
from apps.experiments.actions.segments import lock_run
from apps.experiments.models import Artifact, Run, StoredFile

if TYPE_CHECKING:
    from django.db.models import Manager

    from apps.accounts.models import User
    from apps.experiments.actions.recording import ArtifactFile

File = TypeVar("File", bound=StoredFile)


class PathTaken(Invalid):
    """A file would lie where a folder is, or in a folder that is a file."""


@transaction.atomic
def log_artifact(*, run: Run, file: ArtifactFile, by: User) -> Artifact:
    """Keep a stored file under its path in a run, in place of what was there.

    Raises:
        Invalid: no file can have this path.
        PathTaken: a folder has it, or a file is where its folder would be.
        Refused: only who may record runs; or the run is protected.
        WrongState: the run is deleted.
    """
    check_path(file.path)
    run = lock_run(run)
    ensure(rules.can_log_artifact(by, run))
    artifact, before = keep_file(run.artifacts, file)
    if artifact.sha256 != before:
        record(
            EventType.RUN_ARTIFACT_LOGGED,
            target=run,
            project=run.project,
            by=by,
            changes={file.path: [before, artifact.sha256]},
        )
    return artifact


@transaction.atomic
def delete_artifact(*, artifact: Artifact, by: User) -> Run:
    """Take a file out of a run.

    Raises:
        Refused: only who may record runs; or the run is protected.
        WrongState: the run is deleted.
    """
    run = lock_run(artifact.run)
    ensure(rules.can_delete_artifact(by, run))
    deleted, _ = Artifact.objects.filter(pk=artifact.pk).delete()
    if deleted:
        record(
            EventType.RUN_ARTIFACT_DELETED,
            target=run,
            project=run.project,
            by=by,
            changes={artifact.path: [artifact.sha256, None]},
        )
    return run


def check_path(path: str) -> None:
    """Take a path that stays inside its run.

    Raises:
        Invalid: it is empty, too long, absolute, or has `.` or `..` or signs in it that
            are not shown.
    """
    check_text("artifacts", path, LONGEST_PATH)
    parts = PurePosixPath(path).parts
    is_plain = "/".join(parts) == path and "\\" not in path and path.isprintable()
    if not is_plain or not parts or ".." in parts:
        raise invalid(
            "artifacts",
            f"{path[:40]!r} cannot be the path of an artifact: give a relative path "
            "such as model/model.onnx, without . or .. in it.",
        )


def keep_file(files: Manager[File], file: ArtifactFile) -> tuple[File, str | None]:
    """Keep a stored file among the `files` of a locked owner.

    Returns:
        Its row, and the digest of what had this path before.

    Raises:
        PathTaken: a folder has the path, or a file is where its folder would be.
    """
    _check_place(files, file.path)
    before = files.filter(path=file.path).first()
    if before and before.sha256 == file.blob.sha256:
        return before, before.sha256
    kept, _ = files.update_or_create(
        path=file.path,
        defaults={
            "sha256": file.blob.sha256,
            "size_bytes": file.blob.size_bytes,
            "media_type": file.media_type,
        },
    )
    return kept, before.sha256 if before else None


def _check_place(files: Manager[File], path: str) -> None:
    above = [str(folder) for folder in PurePosixPath(path).parents][:-1]
    if files.filter(path__in=above).exists():
        raise PathTaken(f"{path} cannot be kept: a part of its path is a file.")
    if files.filter(path__startswith=f"{path}/").exists():
        raise PathTaken(f"{path} cannot be kept: it is a folder here.")
