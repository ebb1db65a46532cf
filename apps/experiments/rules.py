"""Who may start experiments, record runs and take artifacts away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.access.checks import ALLOWED, Decision, Denied, NotNow, permitted
from apps.access.permissions import Permission
from apps.datasets.models import DatasetVersion
from apps.experiments.models import GROWING, Artifact, Experiment, Run, RunImport
from apps.projects.models import Project
from apps.projects.rules import sees

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from apps.accounts.models import User
    from apps.experiments.models import LoggedModel, LoggedModelFile, StoredFile

_DOWNLOAD = Permission.MODEL_DOWNLOAD
_EVIDENCE = (
    "This run was registered as a model, whose evidence it is; the files that it had "
    "do not change any more. Log to a new run."
)


def can_create_experiment(user: User, project: Project) -> Decision:
    """Say whether `user` may start an experiment in `project`."""
    return permitted(user, Permission.EXPERIMENT_CREATE, project)


def can_change_experiment(user: User, experiment: Experiment) -> Decision:
    """Say whether `user` may rename or tag `experiment` now."""
    if experiment.deleted_at:
        return NotNow("This experiment is deleted; restore it first.")
    return can_create_experiment(user, experiment.project)


can_rename_experiment = can_set_experiment_tag = can_change_experiment
can_delete_experiment_tag = can_change_experiment


def can_delete_experiment(user: User, experiment: Experiment) -> Decision:
    """Say whether `user` may put `experiment` aside, with all its runs."""
    used = Run.objects.filter(experiment=experiment).became_models()
    if used.exists():
        return Denied(
            "A run of this experiment was registered as a model, whose evidence it "
            "is; it cannot be deleted."
        )
    return can_create_experiment(user, experiment.project)


def can_restore_experiment(user: User, experiment: Experiment) -> Decision:
    """Say whether `user` may bring `experiment` back."""
    return can_create_experiment(user, experiment.project)


def can_start_run(user: User, experiment: Experiment) -> Decision:
    """Say whether `user` may begin a run in `experiment` now."""
    if experiment.deleted_at:
        return NotNow("This experiment is deleted; restore it first.")
    return can_record_run(user, experiment)


def can_log_batch(user: User, run: Run) -> Decision:
    """Say whether `user` may add to `run` what it measures.

    Scripts log on after they registered a model, and autologging registers before it is
    done, so a registered run is protected from when it ends.
    """
    if run.deleted_at:
        return NotNow(
            f"The run {run.pk.hex} must be in the 'active' state, and it is deleted; "
            "restore it first."
        )
    if run.ended_at and _became_model(run):
        return Denied(
            "This run has ended and was registered as a model, whose evidence it is; "
            "it does not change any more. Log to a new run."
        )
    return _can_write(user, run)


can_update_run = can_set_run_tags = can_delete_run_tag = can_log_batch
can_log_inputs = can_log_run_models = can_add_to_model_history = can_log_batch


def can_log_artifact(user: User, run: Run, path: str | None = None) -> Decision:
    """Say whether `user` may add a file to `run`, or replace the one at `path`.

    Clients go on logging to a run whose model they registered; what was there then
    stays as it is.
    """
    if path and _became_model(run) and run.artifacts.filter(path=path).exists():
        return Denied(_EVIDENCE)
    return can_log_batch(user, run)


def can_delete_artifact(user: User, run: Run) -> Decision:
    """Say whether `user` may take files out of `run`."""
    return Denied(_EVIDENCE) if _became_model(run) else can_log_batch(user, run)


def can_delete_run(user: User, run: Run) -> Decision:
    """Say whether `user` may put `run` aside."""
    if _became_model(run):
        return Denied(
            "This run was registered as a model, whose evidence it is; it cannot be "
            "deleted."
        )
    return _can_write(user, run)


def can_restore_run(user: User, run: Run) -> Decision:
    """Say whether `user` may bring `run` back."""
    if run.experiment.deleted_at:
        return NotNow("The experiment of this run is deleted; restore that first.")
    return _can_write(user, run)


def can_upload_run(user: User, experiment: Experiment) -> Decision:
    """Say whether `user` may record a run from a file in `experiment` now."""
    return can_start_run(user, experiment)


def can_start_import(user: User, project: Project) -> Decision:
    """Say whether `user` may bring runs over to `project` from elsewhere."""
    return can_create_experiment(user, project) and permitted(
        user, Permission.RUN_RECORD, project
    )


def can_import_run(user: User, run_import: RunImport) -> Decision:
    """Say whether `user` may go on with an import."""
    return can_start_import(user, run_import.project)


can_import_experiment = can_put_experiment_aside = can_import_run
can_import_logged_model = can_import_run
can_import_artifacts = can_link_parents = can_link_models = can_end_import = (
    can_import_run
)


def can_tag_runs(user: User, run: Run) -> Decision:
    """Say whether `user` may tag `run` as one of many."""
    return _of_many(run, can_set_run_tags(user, run))


def can_delete_runs(user: User, run: Run) -> Decision:
    """Say whether `user` may put `run` aside as one of many."""
    return _of_many(run, can_delete_run(user, run))


def can_restore_runs(user: User, run: Run) -> Decision:
    """Say whether `user` may bring `run` back as one of many."""
    return _of_many(run, can_restore_run(user, run))


def _of_many(run: Run, decision: Decision) -> Decision:
    """Name the run that a reason is about."""
    if decision:
        return decision
    kind = NotNow if isinstance(decision, NotNow) else Denied
    return kind(f"{run.name}: {decision.reason} None of the chosen runs changes.")


def can_create_logged_model(
    user: User, experiment: Experiment, source_run: Run | None
) -> Decision:
    """Say whether `user` may log a model to `experiment`, saved by `source_run`."""
    decision = can_start_run(user, experiment)
    return can_log_batch(user, source_run) if decision and source_run else decision


def can_change_logged_model(user: User, model: LoggedModel) -> Decision:
    """Say whether `user` may change what is known of a logged model."""
    if model.deleted_at:
        return NotNow(f"Model {model.public_id} is deleted.")
    return can_record_run(user, model.experiment)


can_finish_logged_model = can_set_logged_model_tags = can_change_logged_model
can_delete_logged_model_tag = can_add_logged_model_parameters = can_change_logged_model


def can_log_model_file(user: User, model: LoggedModel) -> Decision:
    """Say whether `user` may change the files of a logged model."""
    versions: Any = model.model_versions
    if versions.active().exists():
        return Denied(
            f"Model {model.public_id} was registered, and its files are evidence; they "
            "do not change any more. Log a new model."
        )
    return can_change_logged_model(user, model)


can_delete_model_file = can_delete_logged_model = can_log_model_file


def can_close_old_segments(user: User) -> Decision:
    """Say whether `user` may end what scripts left open."""
    return permitted(user, Permission.JOB_RUN, None)


def can_repeat_update(user: User, run: Run) -> Decision:
    """Say whether `user` may say of an ended `run` again what is known already."""
    return _can_write(user, run)


def _can_write(user: User, run: Run) -> Decision:
    if run.source not in GROWING:
        return Denied(_recorded_whole(run))
    return can_record_run(user, run.experiment)


def protections(run: Run) -> list[str]:
    """Say why a run does not change any more, whoever asks; nothing when it may."""
    reasons = []
    if run.source not in GROWING:
        reasons.append(_recorded_whole(run))
    if _became_model(run):
        reasons.append(
            "This run was registered as a model, whose evidence it is: it cannot be "
            "deleted, and its files do not change."
        )
    if run.deleted_at:
        reasons.append("This run was put aside; restore it before you change it.")
    return reasons


def _recorded_whole(run: Run) -> str:
    return (
        f"This run was recorded whole ({run.get_source_display().lower()}) and is "
        "protected: it never changes. Log to a run of your own."
    )


def _became_model(run: Run) -> bool:
    return Run.objects.filter(pk=run.pk).became_models().exists()


def can_record_run(user: User, experiment: Experiment) -> Decision:
    """Say whether `user` may add a run to `experiment`."""
    return permitted(user, Permission.RUN_RECORD, experiment.project)


def can_download_artifact(user: User, artifact: Artifact) -> Decision:
    """Say whether `user` may take an artifact away.

    An artifact that holds rows of a dataset asks for what the dataset asks for; those
    of a registered model are seen by who sees the model.
    """
    return _can_download(user, artifact, artifact.run)


def can_download_logged_model_file(user: User, file: LoggedModelFile) -> Decision:
    """Say whether `user` may take a file of a logged model away.

    It asks for what a file of the run asks for that saved the model.
    """
    model = file.model
    if not (seen := _sees_models(user, model)):
        return seen
    if model.source_run:
        return _can_download(user, file, model.source_run)
    needed = Permission.DATASET_DOWNLOAD if file.holds_data else _DOWNLOAD
    return permitted(user, needed, model.project)


def _can_download(user: User, file: StoredFile, run: Run) -> Decision:
    if file.holds_data:
        return can_download_rows(user, run)
    return sees_model(user, run) and permitted(user, _DOWNLOAD, run.project)


def can_download_runs(user: User, project: Project) -> Decision:
    """Say whether `user` may take away what is told of runs: whoever sees them may."""
    if Project.objects.visible_to(user).filter(pk=project.pk).exists():
        return ALLOWED
    return Denied("Only who sees this project takes away what is told of its runs.")


can_download_comparison = can_download_runs


def can_download_import(user: User, run_import: RunImport) -> Decision:
    """Say whether `user` may take away what is told of an import."""
    return can_download_runs(user, run_import.project)


can_preview_artifact = can_download_artifact
can_preview_logged_model_file = can_download_logged_model_file


def can_download_rows(user: User, run: Run) -> Decision:
    """Say whether `user` may take away rows of the dataset that `run` used."""
    if not (seen := sees_model(user, run)):
        return seen
    if not sees_dataset(user, run):
        return Denied("This file holds rows of a dataset that you were not granted.")
    return permitted(user, Permission.DATASET_DOWNLOAD, run.project)


def sees_dataset(user: User, run: Run) -> bool:
    """Say whether `user` sees the dataset version a run used, if it used one."""
    if run.dataset_version_id is None:
        return True
    visible = DatasetVersion.objects.visible_to(user)
    return visible.filter(pk=run.dataset_version_id).exists()


def seen_versions(user: User, runs: Iterable[Run]) -> set[UUID]:
    """Of the dataset versions that `runs` used, find those `user` sees, at once."""
    used = {run.dataset_version_id for run in runs if run.dataset_version_id}
    visible = DatasetVersion.objects.visible_to(user).filter(pk__in=used)
    return set(visible.values_list("pk", flat=True))


def sees_model(user: User, run: Run) -> Decision:
    """Say whether `user` sees the models that a run was registered as, if it was.

    Asked over the relation: the registry stands above and cannot be imported.
    """
    return _sees_models(user, run)


def _sees_models(user: User, origin: Any) -> Decision:
    """Say whether `user` sees every model that a run or a logged model became."""
    versions = origin.model_versions.active().select_related("model__project")
    for version in versions.distinct("model").order_by("model"):
        if not (seen := sees(user, version.model)):
            return seen
    return ALLOWED
