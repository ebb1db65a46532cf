"""Whose files an artifact path names, and what may be done with them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from uuid import UUID

from apps.access.checks import ensure
from apps.core.errors import Refused
from apps.experiments import actions, rules
from apps.experiments.actions.artifacts import check_place
from apps.experiments.models import Artifact, LoggedModelFile, StoredFile
from apps.mlflow_api.errors import absent
from apps.mlflow_api.paths import safe_path
from apps.mlflow_api.registry_names import versions
from apps.registry.actions import download_model_file
from apps.registry.queries import manifest_entry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from apps.accounts.models import User
    from apps.experiments.actions import ArtifactFile
    from apps.experiments.models import LoggedModel, Run
    from apps.mlflow_api.caller import Caller
    from apps.registry.models import ModelVersion

File = TypeVar("File", bound=StoredFile)

NO_ARTIFACTS = "No artifacts are kept under this path."
_ID = "[0-9a-f]{32}"
_OF_RUN = re.compile(
    rf"(?P<experiment>{_ID})/(?P<run>{_ID})/artifacts(?:/(?P<rest>.*))?", re.DOTALL
)
_OF_MODEL = re.compile(
    rf"(?P<experiment>{_ID})/models/(?P<model>m-{_ID})/artifacts(?:/(?P<rest>.*))?",
    re.DOTALL,
)

_OF_VERSION = re.compile(
    rf"registry/(?P<model>{_ID})/(?P<number>[1-9][0-9]{{0,8}})(?:/(?P<rest>.*))?",
    re.DOTALL,
)
_FROZEN = "The files of a registered version never change; register another version."


class FileOwner(Protocol):
    """Something with files, as one caller may use them."""

    def listing(self, folder: str) -> list[dict[str, Any]]:
        """List what lies directly in a folder, by name; see `listing`."""

    def ensure_may_add(self, path: str) -> None:
        """Refuse who may not add a file under this path, before anything is read."""

    def add(self, file: ArtifactFile) -> None:
        """Keep a file under its path."""

    def delete(self, path: str) -> None:
        """Take a file out."""

    def take(self, path: str) -> StoredFile:
        """Hand a file out, and keep who took it."""


@dataclass(frozen=True)
class RunFiles:
    """The artifacts of a run."""

    run: Run
    user: User

    def files(self) -> QuerySet[Artifact]:
        return self.run.artifacts.all()

    def listing(self, folder: str) -> list[dict[str, Any]]:
        return listing(self.files(), folder, whole_paths=False)

    def ensure_may_add(self, path: str) -> None:
        ensure(rules.can_log_artifact(self.user, self.run))
        check_place(self.files(), path)

    def add(self, file: ArtifactFile) -> None:
        actions.log_artifact(run=self.run, file=file, by=self.user)

    def delete(self, path: str) -> None:
        actions.delete_artifact(artifact=found(self.files(), path), by=self.user)

    def take(self, path: str) -> Artifact:
        artifact = found(self.files(), path)
        return actions.download_artifact(artifact=artifact, by=self.user)


@dataclass(frozen=True)
class ModelFiles:
    """The files of a logged model."""

    model: LoggedModel
    user: User

    def files(self) -> QuerySet[LoggedModelFile]:
        return self.model.files.all()

    def listing(self, folder: str) -> list[dict[str, Any]]:
        return listing(self.files(), folder, whole_paths=False)

    def ensure_may_add(self, path: str) -> None:
        ensure(rules.can_log_model_file(self.user, self.model))
        check_place(self.files(), path)

    def add(self, file: ArtifactFile) -> None:
        actions.log_model_file(model=self.model, file=file, by=self.user)

    def delete(self, path: str) -> None:
        actions.delete_model_file(file=found(self.files(), path), by=self.user)

    def take(self, path: str) -> LoggedModelFile:
        file = found(self.files(), path)
        return actions.download_logged_model_file(file=file, by=self.user)


@dataclass(frozen=True)
class VersionFiles:
    """The frozen files of a version of a registered model."""

    version: ModelVersion
    user: User

    def listing(self, folder: str) -> list[dict[str, Any]]:
        above = f"{folder}/" if folder else ""
        rows = [
            (entry["path"], entry["size_bytes"])
            for entry in self.version.manifest
            if entry["path"].startswith(above)
        ]
        return _told(rows, above, whole_paths=False)

    def ensure_may_add(self, path: str) -> None:
        raise Refused(_FROZEN)

    def add(self, file: ArtifactFile) -> None:
        raise Refused(_FROZEN)

    def delete(self, path: str) -> None:
        raise Refused(_FROZEN)

    def take(self, path: str) -> Artifact:
        if manifest_entry(self.version, path) is None:
            raise absent(f"No such artifact: '{path[:200]}'")
        entry = download_model_file(version=self.version, path=path, by=self.user)
        return Artifact(**entry)


def owner_of(caller: Caller, path: str) -> tuple[FileOwner, str]:
    """Say whose files a path names, and where among them it points.

    Raises:
        MlflowError: the path is not safe, or the caller sees no such owner.
    """
    plain = safe_path(path).rstrip("/")
    if match := _OF_VERSION.fullmatch(plain):
        version = _version(caller, UUID(match["model"]), int(match["number"]))
        return VersionFiles(version, caller.user), match["rest"] or ""
    owner: Run | LoggedModel
    files: FileOwner
    if match := _OF_RUN.fullmatch(plain):
        owner = caller.run(match["run"])
        files = RunFiles(owner, caller.user)
    elif match := _OF_MODEL.fullmatch(plain):
        owner = caller.logged_model(match["model"])
        files = ModelFiles(owner, caller.user)
    else:
        raise absent(NO_ARTIFACTS)
    if owner.experiment_id.hex != match["experiment"]:
        raise absent(NO_ARTIFACTS)
    return files, match["rest"] or ""


def _version(caller: Caller, model: UUID, number: int) -> ModelVersion:
    named = versions(caller).filter(model=model, number=number)
    found = named.defer(None).first()  # the manifest is what is needed of it
    if found is None:
        raise absent(NO_ARTIFACTS)
    return found


def found(files: QuerySet[File], path: str) -> File:
    """Find a file by its path.

    Raises:
        MlflowError: there is none.
    """
    file = files.filter(path=path).first()
    if file is None:
        raise absent(f"No such artifact: '{path[:200]}'")
    return file


def listing(
    files: QuerySet[File], folder: str, *, whole_paths: bool
) -> list[dict[str, Any]]:
    """List what lies directly in a folder, folders included, by name.

    Args:
        files: of one owner.
        folder: empty for all that lies at the top.
        whole_paths: tell paths from the top, not names alone.
    """
    above = f"{folder}/" if folder else ""
    rows = files.filter(path__startswith=above).order_by("path")
    found = rows.values_list("path", "size_bytes")
    return _told(found, above, whole_paths=whole_paths)


def _told(
    rows: Iterable[tuple[str, int]], above: str, *, whole_paths: bool
) -> list[dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {}
    for path, size in rows:
        name, slash, _ = path.removeprefix(above).partition("/")
        told[name] = {"path": above + name if whole_paths else name}
        told[name]["is_dir"] = bool(slash)
        if not slash:
            told[name]["file_size"] = size
    return list(told.values())
