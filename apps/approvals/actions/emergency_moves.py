"""How an emergency approval gets from state to state, and who is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.approvals.emergency_queries import concerned
from apps.approvals.models import (
    ApprovalStatus,
    EmergencyApproval,
    EmergencyStatus,
)
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.notices.models import NoticeKind
from apps.notices.notify import notify

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.approvals.models import ApprovalRequest

_EVENTS = {
    EmergencyStatus.ENDED: EventType.EMERGENCY_ENDED,
    EmergencyStatus.EXPIRED: EventType.EMERGENCY_EXPIRED,
    EmergencyStatus.LAPSED: EventType.EMERGENCY_LAPSED,
    EmergencyStatus.STALE: EventType.EMERGENCY_STALE,
}
# Decisions of the ordinary way after which no emergency stands beside it.
_ENDINGS = {
    ApprovalStatus.APPROVED: "The version was approved in the ordinary way.",
    ApprovalStatus.REJECTED: "The version was rejected.",
    ApprovalStatus.REVOKED: "The approval of the version was ended.",
}


def end_with_request(approval: ApprovalRequest, *, by: User) -> None:
    """End the emergency approval of a version whose request was decided.

    Args:
        approval: moved already; its version is locked.
        by: who decided.
    """
    reason = _ENDINGS.get(ApprovalStatus(approval.status))
    if reason is None:
        return
    standing = EmergencyApproval.objects.select_for_update().in_force()
    for emergency in standing.filter(version=approval.version_id):
        emergency.version = approval.version
        close(emergency, EmergencyStatus.ENDED, reason, by=by)


def close(
    emergency: EmergencyApproval,
    to: EmergencyStatus,
    reason: str,
    *,
    by: User,
    changes: dict[str, Any] | None = None,
) -> None:
    """End a locked emergency approval, record it and tell everybody concerned.

    Args:
        emergency: in force.
        to: lapsed, expired, stale or ended.
        reason: in one sentence.
        by: who ended it, or the worker whose clock it was.
        changes: further facts of the event.

    Raises:
        WrongState: it cannot get there.
    """
    emergency.advance(to, reason)
    emergency.save()
    record(
        _EVENTS[to],
        target=emergency,
        project=emergency.project,
        by=by,
        changes={"evidence_digest": emergency.evidence_digest, **(changes or {})},
        reason=reason,
    )
    notify(
        to=[person for person in concerned(emergency) if person != by],
        kind=NoticeKind.EMERGENCY_OVER,
        target=emergency,
        sentence=f"{emergency.version} no longer serves by emergency: it is "
        f"{to.label.lower()}.",
    )
