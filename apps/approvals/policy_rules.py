"""What a policy asks for before anybody asks, and who writes policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.access.checks import ALLOWED, Decision, NotNow, permitted
from apps.access.permissions import Permission
from apps.access.roles import ROLES
from apps.approvals import queries
from apps.approvals.policies import Policy, PolicyFaulty
from apps.approvals.policy_book import policy_for
from apps.approvals.standings import unsettled
from apps.registry.models import CARD_SECTIONS
from apps.validation.models import Verdict
from engine.spec import PROMISES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.accounts.models import User
    from apps.approvals.models import PolicyVersion
    from apps.approvals.policy_book import InForce
    from apps.projects.models import Project
    from apps.registry.models import ModelVersion
    from apps.validation.models import ValidationReport


def policy_is_met(version: ModelVersion, report: ValidationReport) -> Decision:
    """Say whether card and report have what the project's policy asks for."""
    try:
        policy = policy_for(version.project)
    except PolicyFaulty as error:
        return NotNow(
            f"The approval policy in force cannot be used: {error} An AI official must "
            "put a corrected version in force."
        )
    sections = {name: getattr(version.card, name) for name in CARD_SECTIONS}
    return (
        _has_sections(policy, sections)
        and has_checks(policy, report)
        and _has_practices(policy, version)
        and _has_signers(policy, version.project)
    )


def _has_sections(policy: Policy, sections: Mapping[str, str]) -> Decision:
    """Say whether the model card says what the policy asks for."""
    names = [name for name in policy.required_sections if not sections[name].strip()]
    if not names:
        return ALLOWED
    empty = ", ".join(CARD_SECTIONS[name] for name in names).lower()
    return NotNow(
        f"{policy.title} needs these sections of the model card, which are empty: "
        f"{empty}."
    )


def has_checks(policy: Policy, report: ValidationReport) -> Decision:
    """Say whether the report passed what the policy asks for."""
    passed = {
        check["measure"]
        for check in report.result["checks"]
        if check["verdict"] == Verdict.PASS
    }
    names = [name for name in policy.required_checks if name not in passed]
    if not names:
        return ALLOWED
    missing = ", ".join(PROMISES[name].title for name in names)
    return NotNow(
        f"{policy.title} needs checks that the newest report did not pass: "
        f"{missing}. Write them into the validation plan."
    )


def _has_practices(policy: Policy, version: ModelVersion) -> Decision:
    """Say whether the minimum practices that the policy asks for are met or waived."""
    left = unsettled(version, policy.required_practices)
    if not left:
        return ALLOWED
    named = ", ".join(f"{one.practice.short} ({one.label.lower()})" for one in left)
    return NotNow(
        f"{policy.title} needs minimum practices that are neither met nor waived: "
        f"{named}. State them on the page of the version's practices."
    )


def _has_signers(policy: Policy, project: Project) -> Decision:
    """Say whether enough of the people whom the policy names hold their role here."""
    for stage in policy.stages:
        if not stage.people:
            continue
        found = len(queries.holders_of(project, stage))
        if found < stage.required:
            return NotNow(
                f"{policy.title} names who signs the stage {stage.title}: "
                f"{', '.join(stage.people)}. As {ROLES[stage.role].title.lower()} of "
                f"this project it needs {stage.required} of them, and there "
                f"{'is' if found == 1 else 'are'} {found}."
            )
    return ALLOWED


def can_write_policy(user: User) -> Decision:
    """Say whether `user` may write a version of an approval policy."""
    return permitted(user, Permission.POLICY_EDIT, None)


def can_enact_policy(user: User, version: PolicyVersion, before: InForce) -> Decision:
    """Say whether `user` may put a version in force in the place of `before`."""
    if before.enactment and before.enactment.version_id == version.pk:
        return NotNow("This version is in force already.")
    return can_write_policy(user)
