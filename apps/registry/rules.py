"""Who may register models, describe them and pull their files."""

from __future__ import annotations

from collections.abc import Container
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from apps.access.checks import (
    ALLOWED,
    Decision,
    NotNow,
    permitted,
    roles_of,
)
from apps.access.grants import granted_to
from apps.access.permissions import Permission
from apps.experiments.models import Artifact
from apps.experiments.rules import can_download_artifact
from apps.projects.rules import permitted_with
from apps.registry.models import ModelVersion, RegisteredModel, VersionState

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.experiments.models import Run

MODEL_FILES = ("model.skops", "model.onnx")  # of which the first there is counts
# Formats that run code when they are read.
PICKLE_SUFFIXES = frozenset(
    {".ckpt", ".cloudpickle", ".dill", ".joblib", ".pickle", ".pkl", ".pt", ".pth"}
)
EDITABLE_STATES = frozenset({VersionState.DRAFT, VersionState.VALIDATED})


def can_register_version(user: User, run: Run) -> Decision:
    """Say whether `user` may register the model that `run` left behind."""
    decision = permitted(user, Permission.MODEL_REGISTER, run.project)
    if not decision:
        return decision
    if ModelVersion.objects.filter(run=run).exists():
        return NotNow("The model of this run is registered already.")
    paths = set(run.artifacts.values_list("path", flat=True))
    if model_file(paths) is None:
        files = " and no ".join(MODEL_FILES)
        return NotNow(f"This run has no model: it left no {files}.")
    if not run.summary.get("signature"):
        return NotNow("This run does not say what its model takes and answers.")
    if pickles := sorted(path for path in paths if _is_pickle(path)):
        return NotNow(
            f"The file {pickles[0]} can run code when it is read, so it cannot be "
            "registered. Record the run without it."
        )
    return ALLOWED


def model_file(paths: Container[str]) -> str | None:
    """Return the path of the file that is the model, among those a run left."""
    return next((name for name in MODEL_FILES if name in paths), None)


def _is_pickle(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in PICKLE_SUFFIXES


def can_edit_card(user: User, version: ModelVersion) -> Decision:
    """Say whether `user` may write on the card: not while or after it is reviewed."""
    decision = permitted_with(user, Permission.MODEL_EDIT_CARD, version.model)
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
    artifact = Artifact(run=version.run, path=path)
    if not artifact.holds_data and not roles_of(user, version.project):
        granted = granted_to(user, RegisteredModel).filter(pk=version.model_id)
        if granted.exists():
            return ALLOWED
    return can_download_artifact(user, artifact)


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
