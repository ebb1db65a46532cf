"""Who may take the trail out of the portal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import (
    ALLOWED,
    Decision,
    Denied,
    NotNow,
    has_agency_permission,
    project_roles_with,
)
from apps.access.permissions import Permission
from apps.audit.body import flaw_of
from apps.audit.models import AuditEvent, Checkpoint, Leaf
from apps.audit.retention.rules import (
    can_approve_prune,
    can_archive_segment,
    can_download_archive,
    can_lift_hold,
    can_place_hold,
    can_prune_segment,
    can_request_prune,
    can_withdraw_prune,
)

if TYPE_CHECKING:
    from apps.accounts.models import User

__all__ = [
    "can_accept_flawed_event",
    "can_approve_prune",
    "can_archive_segment",
    "can_download_archive",
    "can_export_audit_bundle",
    "can_export_audit_trail",
    "can_lift_hold",
    "can_place_hold",
    "can_prune_segment",
    "can_record_refusal",
    "can_record_view",
    "can_request_prune",
    "can_withdraw_prune",
]


def can_export_audit_trail(user: User) -> Decision:
    """Say whether `user` may export the part of the trail that they may export."""
    roles = project_roles_with(Permission.AUDIT_EXPORT)
    if (
        has_agency_permission(user, Permission.AUDIT_EXPORT)
        or user.memberships.filter(role__in=roles).exists()
    ):
        return ALLOWED
    return Denied("Only an auditor or a program manager can export the audit trail.")


def can_export_audit_bundle(user: User) -> Decision:
    """Say whether `user` may take out the whole sealed trail with its evidence."""
    if not has_agency_permission(user, Permission.AUDIT_EXPORT):
        return Denied("Only an auditor can export the whole trail with its evidence.")
    if not Checkpoint.objects.exists():
        return NotNow("Nothing is sealed yet. Start the sealer and try again.")
    return ALLOWED


def can_accept_flawed_event(user: User, event: AuditEvent) -> Decision:
    """Say whether `user` may let an event be sealed that was changed before."""
    if not has_agency_permission(user, Permission.AUDIT_ACCEPT_FLAW):
        return Denied("Only an administrator can accept a flawed audit event.")
    if Leaf.objects.filter(event=event).exists():
        return NotNow("This event is sealed already.")
    if not flaw_of(event):
        return NotNow("Nothing is wrong with this event.")
    return ALLOWED


def can_record_view(user: User) -> Decision:
    """Say that everybody's looks at the trail are recorded."""
    return ALLOWED


def can_record_refusal(user: User) -> Decision:
    """Say that everybody's refusals are recorded."""
    return ALLOWED
