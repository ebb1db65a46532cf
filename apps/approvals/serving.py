"""The gate that whatever serves a version asks at every load, through every door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from apps.access.checks import ALLOWED, Decision, NotNow
from apps.approvals.emergency_queries import (
    doubt_about,
    emergency_in_force,
    turn_of,
)
from apps.approvals.evidence import Recheck, changed_parts
from apps.approvals.models import ApprovalRequest, ApprovalStatus, Waiver
from apps.approvals.practices import practices
from apps.approvals.standings import waivers_under

if TYPE_CHECKING:
    from apps.approvals.models import EmergencyApproval
    from apps.registry.models import ModelVersion


def serving_decision(version: ModelVersion) -> Decision:
    """Say whether `version` may serve now.

    The evidence is looked at anew each time, the files of the model byte for byte: an
    approval that nobody has marked as stale yet does not serve either. Where there is
    no ordinary approval, an emergency approval in force decides.
    """
    approval = approval_in_force(version)
    if approval is not None:
        return _by_approval(version, approval)
    emergency = emergency_in_force(version)
    return _by_emergency(emergency) if emergency else NotNow(_why_not(version))


def _by_emergency(emergency: EmergencyApproval) -> Decision:
    version = emergency.version
    if turn := turn_of(emergency, Recheck.MODEL):
        return NotNow(f"The {emergency} is over. {turn.reason}")
    if doubt := doubt_about(version):
        return NotNow(f"The {emergency} does not count now. {doubt}")
    return ALLOWED


def _by_approval(version: ModelVersion, approval: ApprovalRequest) -> Decision:
    if approval.expires_at and approval.expires_at <= timezone.now():
        return NotNow(
            f"The approval of {version} ended on {approval.expires_at:%-d %B %Y}. "
            "Ask for a new one."
        )
    if ended := ended_waivers(approval):
        return NotNow(
            f"The approval of {version} rests on a waiver that does not count any "
            f"more: {', '.join(ended)}. Ask for a new one."
        )
    if changed := changed_parts(approval, Recheck.MODEL):
        return NotNow(
            f"The approval of {version} is stale: since it was signed, "
            f"{', '.join(changed)} changed. Ask for a new one."
        )
    return ALLOWED


def approval_in_force(version: ModelVersion) -> ApprovalRequest | None:
    """Return the newest request for `version` that stands approved."""
    approved = ApprovalRequest.objects.filter(
        version=version, status=ApprovalStatus.APPROVED
    )
    return approved.order_by("-pk").first()


def ended_waivers(approval: ApprovalRequest) -> list[str]:
    """Name the practices whose waiver was signed for and is revoked or over."""
    under = waivers_under(approval.evidence)
    if not under:
        return []
    waivers = {one["waiver"] for one in under}
    active = {
        str(key)
        for key in Waiver.objects.active()
        .filter(pk__in=waivers)
        .values_list("pk", flat=True)
    }
    return [
        practices()[one["practice"]].short
        for one in under
        if one["waiver"] not in active
    ]


def _why_not(version: ModelVersion) -> str:
    newest = ApprovalRequest.objects.filter(version=version).order_by("-pk").first()
    if newest is None:
        return f"Nobody has asked for the approval of {version} yet."
    reason = f": {newest.status_reason}" if newest.status_reason else "."
    return f"The request for {version} is {newest.get_status_display().lower()}{reason}"
