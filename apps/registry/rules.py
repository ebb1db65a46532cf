"""Who may register models, describe them and pull their files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.access.checks import (
    ALLOWED,
    Decision,
    Denied,
    NotNow,
    permitted,
    roles_of,
)
from apps.access.grants import granted_to
from apps.access.permissions import Permission
from apps.experiments.models import Artifact
from apps.experiments.rules import can_start_import, sees_dataset
from apps.projects.rules import permitted_with
from apps.registry import queries
from apps.registry.candidates import candidates_of
from apps.registry.manifests import MLMODEL, MODEL_FILES
from apps.registry.models import (
    Alias,
    AliasName,
    ModelVersion,
    RegisteredModel,
    Stage,
    VersionState,
)

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.experiments.models import Run, RunImport
    from apps.projects.models import Project

EDITABLE_STATES = frozenset({VersionState.DRAFT, VersionState.VALIDATED})
_CHAMPION_MOVES = (
    "The alias champion says which version is approved for use; it moves with the last "
    "signature under an approval request and in no other way."
)


def can_create_model(user: User, project: Project) -> Decision:
    """Say whether `user` may take a name for a model of `project`."""
    return permitted(user, Permission.MODEL_REGISTER, project)


def can_change_model(user: User, model: RegisteredModel) -> Decision:
    """Say whether `user` may change what is known of `model`."""
    return _may_register(user, model) and not_deleted(model)


def _may_register(user: User, model: RegisteredModel) -> Decision:
    return permitted_with(user, Permission.MODEL_REGISTER, model)


def not_deleted(thing: RegisteredModel | ModelVersion) -> Decision:
    """Say whether `thing` was not put aside meanwhile, since it was found."""
    return NotNow(f"{thing} is deleted.") if thing.deleted_at else ALLOWED


can_rename_model = can_describe_model = can_change_model
can_set_model_tag = can_delete_model_tag = can_create_version = can_change_model


def can_import_registered_model(user: User, run_import: RunImport) -> Decision:
    """Say whether `user` may go on with an import, and register what it brings."""
    return can_start_import(user, run_import.project) and can_create_model(
        user, run_import.project
    )


can_import_version = can_import_registered_model


def can_delete_model(user: User, model: RegisteredModel) -> Decision:
    """Say whether `user` may put `model` aside: nothing governed may refer to it."""
    decision = _may_register(user, model)
    if not decision or model.deleted_at:
        return decision
    if kind := queries.governed_by(model):
        return Denied(_of_record(model, kind))
    for version in model.versions.active().order_by("number"):
        if not (decision := can_delete_version(user, version)):
            return decision
    return ALLOWED


def can_change_version(user: User, version: ModelVersion) -> Decision:
    """Say whether `user` may change what is said of `version`."""
    return _may_register(user, version.model) and not_deleted(version)


can_describe_version = can_set_version_tag = can_delete_version_tag = can_change_version


def can_delete_version(user: User, version: ModelVersion) -> Decision:
    """Say whether `user` may put `version` aside: nothing governed may refer to it."""
    if not (decision := _may_register(user, version.model)):
        return decision
    if queries.is_champion(version):
        return Denied(f"{version} is champion and cannot be deleted.")
    if version.stage == Stage.PRODUCTION:
        return Denied(f"{version} is in Production and cannot be deleted.")
    if kind := queries.governed_by(version):
        return Denied(_of_record(version, kind))
    return ALLOWED


def _of_record(thing: RegisteredModel | ModelVersion, kind: str) -> str:
    return f"{thing} cannot be deleted: there is a {kind}, which refers to it."


def can_set_alias(
    user: User, version: ModelVersion, name: str, approval: Decision
) -> Decision:
    """Say whether `user` may let `name` stand for `version`.

    Args:
        user: who asks.
        version: that would bear the name.
        name: free, or the governed `champion`.
        approval: what the approvals of the version say, and where to go.
    """
    decision = can_change_version(user, version)
    if decision and name == AliasName.CHAMPION and not queries.is_champion(version):
        return Denied(f"{_CHAMPION_MOVES} {approval.reason}")
    return decision


def can_delete_alias(user: User, alias: Alias, approval: Decision) -> Decision:
    """Say whether `user` may take a name away; see `can_set_alias`."""
    decision = can_change_model(user, alias.model)
    if decision and alias.name == AliasName.CHAMPION:
        return Denied(f"{_CHAMPION_MOVES} {approval.reason}")
    return decision


def can_move_stage(
    user: User, version: ModelVersion, stage: Stage, approval: Decision
) -> Decision:
    """Say whether `user` may put `version` into `stage`; see `can_set_alias`."""
    decision = can_change_version(user, version)
    if decision and stage == Stage.PRODUCTION and not approval:
        return Denied(
            "Only a version whose approval is in force stands in Production. "
            f"{approval.reason}"
        )
    return decision and can_archive(version) if stage == Stage.ARCHIVED else decision


def can_archive(version: ModelVersion) -> Decision:
    """Say whether anybody may archive `version`: not while it is champion."""
    if queries.is_champion(version):
        return Denied(f"{version} is champion and cannot be archived.")
    return ALLOWED


def can_register_version(user: User, run: Run) -> Decision:
    """Say whether `user` may register the model that `run` left behind."""
    decision = permitted(user, Permission.MODEL_REGISTER, run.project)
    if decision and run.deleted_at:
        return NotNow("This run is deleted; restore it first.")
    if decision and not candidates_of(run):
        files = ", no ".join((*MODEL_FILES, MLMODEL))
        return NotNow(
            f"This run has no model: it left no {files} and no pickle, and logged none."
        )
    return decision


def can_edit_card(user: User, version: ModelVersion) -> Decision:
    """Say whether `user` may write on the card: not while or after it is reviewed."""
    decision = permitted_with(user, Permission.MODEL_EDIT_CARD, version.model)
    decision = decision and not_deleted(version)
    if decision and version.state not in EDITABLE_STATES:
        return NotNow(
            f"This version is {version.get_state_display().lower()}; its card is part "
            "of what is signed and cannot change."
        )
    return decision


def can_download_model_file(user: User, version: ModelVersion, path: str) -> Decision:
    """Say whether `user` may take the file at `path` of `version` away.

    Members need the permission. Somebody outside of the project who was granted the
    model was granted its files with it, but never the rows it was tested on.
    """
    holds_data = Artifact(path=path).holds_data
    if not holds_data and not roles_of(user, version.project):
        granted = granted_to(user, RegisteredModel).filter(key=version.model_id)
        if granted.exists():
            return ALLOWED
    if not holds_data:
        return permitted_with(user, Permission.MODEL_DOWNLOAD, version.model)
    if version.run and not sees_dataset(user, version.run):
        return Denied("This file holds rows of a dataset that you were not granted.")
    return permitted_with(user, Permission.DATASET_DOWNLOAD, version.model)


def file_decisions(
    user: User, version: ModelVersion
) -> list[tuple[dict[str, Any], Decision]]:
    """Pair each file of the manifest with whether `user` may take it away.

    Decisions differ only between files with and without data, so two are made.
    """
    made: dict[bool, Decision] = {}
    pairs = []
    for entry in version.manifest:
        holds_data = Artifact(path=entry["path"]).holds_data
        if holds_data not in made:
            made[holds_data] = can_download_model_file(user, version, entry["path"])
        pairs.append((entry, made[holds_data]))
    return pairs
