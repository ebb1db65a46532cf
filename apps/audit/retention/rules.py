"""Who may archive, hold back and remove parts of the trail, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.utils import timezone

from apps.access.checks import ALLOWED, Decision, Denied, NotNow, permitted
from apps.access.permissions import Permission
from apps.audit.event_types import EventType
from apps.audit.models import AuditEvent, Head
from apps.audit.retention import queries
from apps.audit.retention.holds import obstacle_to_pruning
from apps.audit.retention.models import (
    PruneRequest,
    PruneStatus,
    Segment,
    sees_retention,
)
from apps.audit.retention.period import kept_since
from apps.audit.transparency.pruning import SEGMENT_LEAVES, segment_leaves

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.audit.retention.models import LegalHold

GRACE: Final = timedelta(days=7)  # in which an agreed removal can still be stopped


def can_see_retention(user: User) -> Decision:
    """Say whether `user` may see what is kept, held and removed."""
    if sees_retention(user):
        return ALLOWED
    return Denied("Only auditors and administrators see how long the trail is kept.")


def can_archive_segment(
    user: User, number: int, leaves: int = SEGMENT_LEAVES
) -> Decision:
    """Say whether a segment may be archived now."""
    span, head = segment_leaves(number, leaves=leaves), Head.objects.first()
    if head is None or head.size < span.stop:
        return NotNow(f"Segment {number} is not complete yet.")
    if Segment.objects.filter(pk=number).exists():
        return NotNow(f"Segment {number} is archived already.")
    within = AuditEvent.objects.filter(
        leaf__leaf_index__range=(span.start, span.stop - 1)
    )
    if within.filter(at__gte=kept_since()).exists():
        return NotNow(
            f"Segment {number} has events of the retention time; it can be archived "
            "when the last of them is older."
        )
    return permitted(user, Permission.AUDIT_ARCHIVE, None)


def can_download_archive(user: User) -> Decision:
    """Say whether `user` may take an archive out of the portal."""
    return permitted(user, Permission.AUDIT_EXPORT, None)


def can_request_prune(user: User, segment: Segment) -> Decision:
    """Say whether `user` may ask that a segment be removed."""
    asked = queries.open_request(segment)
    if asked and asked.status == PruneStatus.DONE:
        return NotNow("This segment is removed already.")
    if asked:
        return NotNow("Its removal is asked for already.")
    if not queries.sealed_events(segment, EventType.AUDIT_SEGMENT_ARCHIVED).exists():
        return NotNow("The event that it was archived is not sealed yet.")
    return permitted(user, Permission.AUDIT_PRUNE, None) and _free(segment)


def can_approve_prune(user: User, prune: PruneRequest) -> Decision:
    """Say whether `user` is the second person, and nothing keeps the segment."""
    if user.pk == prune.requested_by_id:
        return Denied("You asked for this, so somebody else must agree.")
    if prune.status != PruneStatus.WAITING:
        return NotNow("This request has been decided already.")
    decision = permitted(user, Permission.AUDIT_APPROVE_PRUNE, None)
    return decision and _free(prune.segment)


def can_withdraw_prune(user: User, prune: PruneRequest) -> Decision:
    """Say whether `user` may stop a removal that was asked for or agreed."""
    if not prune.is_open:
        return NotNow("This request has ended; what is removed stays removed.")
    decision = permitted(user, Permission.AUDIT_PRUNE, None)
    return decision or permitted(user, Permission.AUDIT_APPROVE_PRUNE, None)


def can_prune_segment(user: User, prune: PruneRequest) -> Decision:
    """Say whether what two people agreed to may be carried out now."""
    if prune.status != PruneStatus.APPROVED or prune.decided_at is None:
        return NotNow("Nobody agreed to this.")
    if timezone.now() < prune.decided_at + GRACE:
        return NotNow(
            f"It can be stopped until {prune.decided_at + GRACE:%d %B %Y %H:%M} UTC."
        )
    agreed = queries.sealed_events(prune.segment, EventType.AUDIT_PRUNE_APPROVED)
    if not agreed.exists():
        return NotNow("The agreement is not sealed yet.")
    decision = permitted(user, Permission.AUDIT_ARCHIVE, None)
    return decision and _free(prune.segment)


def can_place_hold(user: User) -> Decision:
    """Say whether `user` may hold something back from removal and erasure."""
    return permitted(user, Permission.AUDIT_HOLD, None)


def can_lift_hold(user: User, hold: LegalHold) -> Decision:
    """Say whether `user` may end a hold."""
    if hold.lifted_at is not None:
        return NotNow("This hold is lifted already.")
    return can_place_hold(user)


def _free(segment: Segment) -> Decision:
    obstacle = obstacle_to_pruning(segment)
    return NotNow(obstacle) if obstacle else ALLOWED
