"""Who may take the trail out of the portal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import (
    ALLOWED,
    Decision,
    Denied,
    has_agency_permission,
    project_roles_with,
)
from apps.access.permissions import Permission

if TYPE_CHECKING:
    from apps.accounts.models import User


def can_export_audit_trail(user: User) -> Decision:
    """Say whether `user` may export the part of the trail that they may export."""
    roles = project_roles_with(Permission.AUDIT_EXPORT)
    if (
        has_agency_permission(user, Permission.AUDIT_EXPORT)
        or user.memberships.filter(role__in=roles).exists()
    ):
        return ALLOWED
    return Denied("Only an auditor or a program manager can export the audit trail.")


def can_record_refusal(user: User) -> Decision:
    """Say that everybody's refusals are recorded."""
    return ALLOWED
