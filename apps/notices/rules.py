"""Who may send what people are told out of the portal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import Decision, permitted
from apps.access.permissions import Permission

if TYPE_CHECKING:
    from apps.accounts.models import User


def can_mail_notices(user: User) -> Decision:
    """Say whether `user` may mail notices to people: workers only."""
    return permitted(user, Permission.JOB_RUN, None)
