"""Who may launch training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import Decision, NotNow, permitted
from apps.access.permissions import Permission
from apps.jobs.models import JobStatus

if TYPE_CHECKING:
    from apps.accounts.models import User
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
    decision = can_launch_training(user, project)
    if decision and not project.allows_code:
        return NotNow(
            "This project does not let people run their own code. A program manager "
            "of the project can allow it."
        )
    return decision
