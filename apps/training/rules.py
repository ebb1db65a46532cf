"""Who may launch training, and have it done again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import ALLOWED, Decision, NotNow, permitted
from apps.access.permissions import Permission
from apps.experiments.rules import can_download_rows, sees_model
from apps.jobs.models import JobStatus
from apps.training import records

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.experiments.models import Run
    from apps.projects.models import Project
    from apps.training.models import TrainingJob

_WITHOUT_RUN = {JobStatus.FAILED, JobStatus.CANCELLED}


def can_launch_training(user: User, project: Project) -> Decision:
    """Say whether `user` may launch training in `project`."""
    return permitted(user, Permission.TRAINING_LAUNCH, project)


def can_relaunch_training(user: User, job: TrainingJob) -> Decision:
    """Say whether `user` may launch the same training again."""
    decision = permitted(user, Permission.TRAINING_LAUNCH, job.project)
    if decision and job.status not in _WITHOUT_RUN:
        return NotNow("Only a training that failed or was cancelled is launched again.")
    return decision


def can_launch_code(user: User, project: Project) -> Decision:
    """Say whether `user` may run own code on the data of `project` now."""
    return can_launch_training(user, project) and code_is_allowed(project)


def code_is_allowed(project: Project) -> Decision:
    """Say whether people's own code may run on the data of `project` now."""
    if project.allows_code:
        return ALLOWED
    return NotNow(
        "This project does not let people run their own code. A program manager of "
        "the project can allow it."
    )


def can_request_regeneration(user: User, run: Run) -> Decision:
    """Say whether `user` may have `run` done again now."""
    decision = permitted(user, Permission.REGENERATION_REQUEST, run.project)
    return decision and sees_model(user, run) and _regeneration_is_possible(run)


def _regeneration_is_possible(run: Run) -> Decision:
    if not (kept := _has_record(run)):
        return kept
    if run.regenerations.under_way().exists():
        return NotNow(
            "This run is being regenerated already; wait for it or cancel it."
        )
    return code_is_allowed(run.project) if records.runs_code(run) else ALLOWED


def can_download_regeneration_bundle(user: User, run: Run) -> Decision:
    """Say whether `user` may take away what is needed to do `run` again.

    That is the data and the model, so it asks for what both ask for.
    """
    if not (kept := _has_record(run)):
        return kept
    return can_download_rows(user, run)


def _has_record(run: Run) -> Decision:
    if records.is_kept(run):
        return ALLOWED
    return NotNow(
        "This run kept no record to regenerate it from. Launch its training here again."
    )
