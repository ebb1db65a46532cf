"""Registered models, made from finished training jobs."""

from apps.core.digests import canonical_digest
from apps.experiments.models import Run
from apps.registry import actions, promotion
from apps.registry.models import AliasName, ModelVersion, VersionState
from tests.factories import training


def run_with_model(project, by, **asked) -> Run:
    """A run that can be registered; `asked` as for a training job."""
    return training.finished_job(project, by, **asked).run


def model_version(
    project, by, name: str = "damage", description: str = "", **asked
) -> ModelVersion:
    """The next version of the model `name`, from a run of its own."""
    return actions.register_version(
        project=project,
        run=run_with_model(project, by, **asked),
        model_name=name,
        description=description,
        by=by,
    )


def moved(version: ModelVersion, by, *states: VersionState) -> ModelVersion:
    """Walk a version through `states`, as validation and approvals would."""
    for state in states:
        promotion.move_version(version=version, to=state, by=by)
    return version


def without_file(version: ModelVersion, path: str) -> ModelVersion:
    """The version as if its run had not left one of its files."""
    kept = [entry for entry in version.manifest if entry["path"] != path]
    ModelVersion.objects.filter(pk=version.pk).update(manifest=kept)
    version.refresh_from_db()
    return version


def with_file(version: ModelVersion, path: str) -> ModelVersion:
    """The version as if its run had left one more file, so that it has no twin."""
    manifest = [*version.manifest, {**version.manifest[0], "path": path}]
    ModelVersion.objects.filter(pk=version.pk).update(
        manifest=manifest, manifest_digest=canonical_digest(manifest)
    )
    version.refresh_from_db()
    return version


def champion(project, by, name: str = "damage") -> ModelVersion:
    """An approved version that holds the champion alias, without its approval."""
    version = moved(
        model_version(project, by, name),
        by,
        VersionState.VALIDATED,
        VersionState.IN_REVIEW,
        VersionState.APPROVED,
    )
    promotion.move_alias(version=version, alias=AliasName.CHAMPION, by=by)
    return version
