"""Who may launch training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import Decision, permitted
from apps.access.permissions import Permission

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.projects.models import Project


def can_launch_training(user: User, project: Project) -> Decision:
    """Say whether `user` may launch training in `project`."""
    return permitted(user, Permission.TRAINING_LAUNCH, project)
