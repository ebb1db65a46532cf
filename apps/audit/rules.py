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
from apps.audit.models import AuditEvent, Checkpoint, Key, Leaf
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
from apps.audit.rotation import announced_key

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.audit.recovery import Loss

# Every action of this app finds its rule here, by its name.
__all__ = [
    "can_approve_prune",
    "can_archive_segment",
    "can_download_archive",
    "can_lift_hold",
    "can_place_hold",
    "can_prune_segment",
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


def can_see_protection(user: User) -> Decision:
    """Say whether `user` may read what protects the trail and what does not."""
    if has_agency_permission(user, Permission.AUDIT_READ):
        return ALLOWED
    return Denied("Only an auditor can see how the trail is protected.")


def can_accept_flawed_event(user: User, event: AuditEvent) -> Decision:
    """Say whether `user` may let an event be sealed that was changed before."""
    if not has_agency_permission(user, Permission.AUDIT_ACCEPT_FLAW):
        return Denied("Only an administrator can accept a flawed audit event.")
    if Leaf.objects.filter(event=event).exists():
        return NotNow("This event is sealed already.")
    if not flaw_of(event):
        return NotNow("Nothing is wrong with this event.")
    return ALLOWED


def can_rotate_signing_key(user: User) -> Decision:
    """Say whether `user` may announce another key for the trail."""
    if not has_agency_permission(user, Permission.AUDIT_ROTATE_KEY):
        return Denied("Only an administrator can replace the signing key.")
    signing = Key.objects.filter(to_size=None)
    if not signing:
        return NotNow("Nothing is signed yet.")
    announced = announced_key(signing[0].origin)
    if len(signing) > 1 or announced not in {"", signing[0].vkey}:
        return NotNow("The last announced key does not sign alone yet.")
    return ALLOWED


def can_accept_loss(user: User, loss: Loss) -> Decision:
    """Say whether `user` may let the trail go on without events that were signed."""
    if not has_agency_permission(user, Permission.AUDIT_ACCEPT_LOSS):
        return Denied("Only an administrator can accept the loss of audit events.")
    if loss.kept.size >= loss.published_size:
        return NotNow(
            f"Nothing is lost: the database holds {loss.kept.size} sealed events, "
            f"and {loss.published_size} were published."
        )
    return ALLOWED


def can_stream_audit_trail(user: User) -> Decision:
    """Say whether `user` may pull the whole sealed trail, event by event."""
    if not has_agency_permission(user, Permission.AUDIT_EXPORT):
        return Denied("Only an auditor can pull the whole audit trail.")
    return ALLOWED


def can_see_streams(user: User) -> Decision:
    """Say whether `user` may know which systems get the trail."""
    needed = (Permission.AUDIT_EXPORT, Permission.AUDIT_MOVE_STREAM)
    if any(has_agency_permission(user, permission) for permission in needed):
        return ALLOWED
    return Denied("Only an auditor or an administrator sees where the trail is sent.")


def can_move_stream(user: User, next_index: int, size: int) -> Decision:
    """Say whether `user` may let a stream go on from another leaf."""
    if not has_agency_permission(user, Permission.AUDIT_MOVE_STREAM):
        return Denied("Only an administrator can move a stream of the audit trail.")
    if not 0 <= next_index <= size:
        return NotNow(f"A stream can go on from leaf 0 to {size}, not {next_index}.")
    return ALLOWED


def can_record_heartbeat(user: User) -> Decision:
    """Say whether `user` may report that the portal is alive."""
    if user.kind != "service":
        return Denied("Only the portal's own account reports that it is alive.")
    return ALLOWED


def can_see_standing(user: User) -> Decision:
    """Say whether `user` may ask the trail who could do what."""
    if not has_agency_permission(user, Permission.AUDIT_READ):
        return Denied(
            "Only who reads the whole audit trail, such as an auditor, can see who "
            "could do what: the answer takes events of all projects."
        )
    return ALLOWED


def can_prove_event(user: User, event: AuditEvent) -> Decision:
    """Say whether `user` may have the proof of `event`: whoever may read it may."""
    if AuditEvent.objects.visible_to(user).filter(pk=event.pk).exists():
        return ALLOWED
    return Denied("Only who may read an event can have its proof.")


def can_record_view(user: User) -> Decision:
    """Say that everybody's looks at the trail are recorded."""
    return ALLOWED


def can_record_refusal(user: User) -> Decision:
    """Say that everybody's refusals are recorded."""
    return ALLOWED
