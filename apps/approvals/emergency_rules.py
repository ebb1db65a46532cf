"""Who may let a version serve in an emergency, and who confirms that."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from apps.access.checks import ALLOWED, Decision, Denied, NotNow, permitted
from apps.access.permissions import Permission
from apps.approvals.deeds import deeds_on
from apps.approvals.emergency_queries import (
    doubt_about,
    emergency_in_force,
    possible_confirmers,
    turn_of,
)
from apps.approvals.exception_rules import independent
from apps.approvals.models import (
    ApprovalRequest,
    ApprovalStatus,
    EmergencyApproval,
    EmergencyMeaning,
    EmergencyStatus,
)
from apps.approvals.policy_book import emergency_policy
from apps.projects.rules import permitted_with, sees
from apps.registry.models import VersionState
from apps.registry.queries import twins_of

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.approvals.deeds import Deed
    from apps.registry.models import ModelVersion

# Where somebody decided against the version, no emergency goes past them.
_DECIDED_AGAINST = {
    ApprovalStatus.REVOKED: "The approval of this version was ended by a person. Ask "
    "for a new one.",
    ApprovalStatus.REJECTED: "A version with these files was rejected, and an "
    "emergency does not change that.",
    ApprovalStatus.CHANGES_REQUESTED: "Its reviewers asked for changes. Make them, "
    "and ask again.",
}


def can_declare_emergency(user: User, version: ModelVersion) -> Decision:
    """Say whether `user` may let `version` serve without the ordinary signatures."""
    decision = permitted_with(user, Permission.EMERGENCY_DECLARE, version.model)
    decision = decision and independent(user, deeds_on(version))
    return decision and _emergency_is_possible(version)


def _emergency_is_possible(version: ModelVersion) -> Decision:
    if version.quarantine:
        return NotNow(version.quarantine)
    if version.state == VersionState.APPROVED:
        return NotNow("This version is approved already.")
    if emergency_in_force(version):
        return NotNow("An emergency approval of this version is in force.")
    quiet_days = emergency_policy().quiet_days
    since = timezone.now() - timedelta(days=quiet_days)
    # The same files under another number or name are no other model.
    twins = twins_of(version)
    earlier = EmergencyApproval.objects.filter(
        version__in=twins, declared_at__gte=since
    )
    if earlier.exists():
        return NotNow(
            f"This version, or another with its files, had an emergency approval "
            f"within {quiet_days} days. Ask for an ordinary one."
        )
    if version.validation_reports.under_way().exists():
        return NotNow("A validation report is being computed; wait for its verdict.")
    if doubt := doubt_about(version):
        return NotNow(doubt)
    newest = ApprovalRequest.objects.filter(version__in=twins).order_by("-pk").first()
    against = newest and _DECIDED_AGAINST.get(ApprovalStatus(newest.status))
    return NotNow(against) if against else ALLOWED


def can_confirm_emergency(user: User, emergency: EmergencyApproval) -> Decision:
    """Say whether `user` may confirm that `emergency` was right."""
    decision = _confirmable(emergency)
    decision = decision and permitted_with(
        user, Permission.EMERGENCY_CONFIRM, emergency.version.model
    )
    return decision and _independent_of_all(
        user, emergency, deeds_on(emergency.version)
    )


def confirmers(emergency: EmergencyApproval) -> list[tuple[User, Decision]]:
    """Pair who could confirm by role with whether they may; none once confirmed."""
    if emergency.status != EmergencyStatus.DECLARED:
        return []
    deeds, model = deeds_on(emergency.version), emergency.version.model
    return [
        (
            one,
            _independent_of_all(one, emergency, deeds, one.full_name)
            and sees(one, model, one.full_name),
        )
        for one in possible_confirmers(emergency)
    ]


def can_end_emergency(user: User, emergency: EmergencyApproval) -> Decision:
    """Say whether `user` may end an emergency approval before its hour."""
    if not emergency.is_in_force:
        return NotNow(_over(emergency))
    return permitted_with(user, Permission.EMERGENCY_CONFIRM, emergency.version.model)


def can_review_emergency(user: User, emergency: EmergencyApproval) -> Decision:
    """Say whether `user` may move it on by the clock, and remind: workers only."""
    return permitted(user, Permission.JOB_RUN, emergency.project)


def _confirmable(emergency: EmergencyApproval) -> Decision:
    if emergency.status != EmergencyStatus.DECLARED:
        return NotNow(_over(emergency))
    if turn := turn_of(emergency):
        return NotNow(f"This emergency approval is over. {turn.reason}")
    doubt = doubt_about(emergency.version)
    return NotNow(doubt) if doubt else ALLOWED


def _independent_of_all(
    user: User, emergency: EmergencyApproval, deeds: list[Deed], who: str = "You"
) -> Decision:
    for given in emergency.signatures.all():
        if given.signer_id == user.pk:
            did = "gave" if given.meaning == EmergencyMeaning.DECLARES else "confirmed"
            return Denied(f"{who} {did} it, so somebody else must confirm.")
    return independent(user, deeds, who)


def _over(emergency: EmergencyApproval) -> str:
    return f"This emergency approval is {emergency.get_status_display().lower()}."
