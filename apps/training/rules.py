"""Who may launch training, stop it, and carry it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import Decision, NotNow, permitted
from apps.access.permissions import Permission
from apps.training.models import TrainingJob

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.projects.models import Project


def can_launch_training(user: User, project: Project) -> Decision:
    """Say whether `user` may launch training in `project`."""
    return permitted(user, Permission.TRAINING_LAUNCH, project)


def can_cancel_training(user: User, job: TrainingJob) -> Decision:
    """Say whether `user` may stop `job`; not only its launcher may."""
    decision = permitted(user, Permission.TRAINING_LAUNCH, job.project)
    if decision and job.is_final:
        return NotNow("This training has ended, so there is nothing to cancel.")
    if decision and job.cancel_requested_at:
        return NotNow("Cancelling was asked for; the worker stops in a moment.")
    return decision


def can_run_training(user: User, job: TrainingJob) -> Decision:
    """Say whether `user` may carry `job` out: workers only."""
    return permitted(user, Permission.JOB_RUN, job.project)


can_start_training = can_finish_training = can_run_training
can_requeue_training = can_resend_training = can_run_training
