"""Who may launch training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import Decision, NotNow, permitted
from apps.access.permissions import Permission

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.projects.models import Project


def can_launch_training(user: User, project: Project) -> Decision:
    """Say whether `user` may launch training in `project`."""
    return permitted(user, Permission.TRAINING_LAUNCH, project)


def can_launch_code(user: User, project: Project) -> Decision:
    """Say whether `user` may run own code on the data of `project` now."""
    decision = can_launch_training(user, project)
    if decision and not project.allows_code:
        return NotNow(
            "This project does not let people run their own code. A program manager "
            "of the project can allow it."
        )
    return decision
