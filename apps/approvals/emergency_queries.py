"""Reads about emergency approvals: which stands, what ends it, who has to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.utils import timezone

from apps.access.checks import project_roles_with
from apps.access.permissions import Permission
from apps.access.roles import AI_OFFICIAL, AUDITOR
from apps.approvals.evidence import Recheck, moved_parts
from apps.approvals.exception_queries import holding
from apps.approvals.models import (
    EmergencyApproval,
    EmergencyMeaning,
    EmergencyStatus,
)
from apps.approvals.policies import PolicyFaulty
from apps.approvals.policy_book import policy_for
from apps.approvals.practices import practices
from apps.approvals.standings import Standing, unsettled
from apps.projects.queries import active_members
from apps.registry.models import ModelVersion, VersionState
from apps.validation.models import Verdict
from apps.validation.queries import latest_report
from apps.validation.rules import no_blocking_finding

if TYPE_CHECKING:
    from apps.accounts.models import User


@dataclass(frozen=True)
class Turn:
    """Where an emergency approval goes by itself, and why.

    Args:
        to: where.
        reason: in one sentence.
        moved: parts of the evidence that changed.
    """

    to: EmergencyStatus
    reason: str
    moved: tuple[dict[str, str], ...] = ()


def emergency_in_force(version: ModelVersion) -> EmergencyApproval | None:
    """Return the emergency approval of `version` that nothing ended yet."""
    found = EmergencyApproval.objects.in_force().filter(version=version)
    return found.select_related("version__model__project").first()


def turn_of(
    emergency: EmergencyApproval, recheck: Recheck = Recheck.ROWS
) -> Turn | None:
    """Say where `emergency`, which is in force, goes by clock or moved evidence."""
    if emergency.ends_at <= timezone.now():
        if emergency.status == EmergencyStatus.CONFIRMED:
            return Turn(EmergencyStatus.EXPIRED, "It was given until this moment.")
        given, wanted = confirmations(emergency), emergency.policy["confirmations"]
        reason = f"Not confirmed in time: {given} of {wanted} confirmations."
        return Turn(EmergencyStatus.LAPSED, reason)
    if moved := moved_parts(emergency, recheck):
        names = ", ".join(part["name"] for part in moved)
        reason = f"Since it was signed, {names} changed."
        return Turn(EmergencyStatus.STALE, reason, tuple(moved))
    return None


def doubt_about(version: ModelVersion) -> str:
    """Say what no emergency goes past, in a sentence; nothing when there is nothing."""
    if version.state == VersionState.REJECTED:
        return "This version was rejected, and an emergency does not change that."
    report = latest_report(version)
    if report is None or report.verdict != Verdict.PASS:
        return (
            "The newest validation report of this version did not pass; an emergency "
            "takes the place of signatures, not of evidence."
        )
    return no_blocking_finding(version).reason


def unmet_practices(version: ModelVersion) -> list[Standing]:
    """List what an ordinary request would need of the minimum practices."""
    try:
        wanted = policy_for(version.project).required_practices
    except PolicyFaulty:  # which does not keep anybody from an emergency
        wanted = tuple(practices())
    return unsettled(version, wanted)


def confirmations(emergency: EmergencyApproval) -> int:
    """Count those who confirmed."""
    return emergency.signatures.filter(meaning=EmergencyMeaning.CONFIRMS).count()


def to_review() -> QuerySet[EmergencyApproval]:
    """Find those that the clock or moved evidence can still end."""
    found = EmergencyApproval.objects.in_force()
    return found.select_related("version__model__project").order_by("pk")


def possible_confirmers(emergency: EmergencyApproval) -> list[User]:
    """List those whose role lets them confirm, by name, whatever they did."""
    roles = project_roles_with(Permission.EMERGENCY_CONFIRM)
    members = active_members(emergency.project, role__in=roles)
    return members + [one for one in holding(AI_OFFICIAL.slug) if one not in members]


def concerned(emergency: EmergencyApproval) -> list[User]:
    """List who has to know: members who see the model, AI officials and auditors."""
    model = emergency.version.model
    members = active_members(emergency.project)
    if model.is_restricted:
        members = [
            one
            for one in members
            if type(model).objects.visible_to(one).filter(pk=model.pk).exists()
        ]
    officials = {*holding(AI_OFFICIAL.slug), *holding(AUDITOR.slug)}
    return [*members, *(officials - set(members))]
