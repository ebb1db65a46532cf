"""Who may ask for an approval, and who may sign it: never somebody who took part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.access.checks import ALLOWED, Decision, Denied, NotNow, permitted, roles_of
from apps.access.permissions import Permission
from apps.access.roles import ADMINISTRATOR, ROLES
from apps.accounts.models import User
from apps.approvals import emergency_rules, exception_rules, queries
from apps.approvals.discussion import MAX_REPLIES
from apps.approvals.evidence import Recheck, changed_parts
from apps.approvals.models import NEVER_SIGNING, ApprovalStatus
from apps.approvals.policies import policy_for
from apps.approvals.standings import unsettled
from apps.projects.queries import active_members
from apps.projects.rules import permitted_with, sees
from apps.registry.models import CARD_SECTIONS, VersionState
from apps.validation.models import Verdict
from apps.validation.queries import latest_report
from apps.validation.rules import no_blocking_finding
from engine.spec import PROMISES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.approvals.models import (
        ApprovalRequest,
        Comment,
        Condition,
        Delegation,
        SignOff,
        Stage,
    )
    from apps.approvals.queries import Deed
    from apps.projects.models import Project
    from apps.registry.models import ModelVersion
    from apps.validation.models import ValidationReport

_NOT_VALIDATED = {
    VersionState.DRAFT: "This version is not validated yet: it needs a validation "
    "report whose checks pass.",
    VersionState.IN_REVIEW: "An approval request for this version is open.",
    VersionState.APPROVED: "This version is approved already.",
    VersionState.REJECTED: "This version was rejected. Register a new version with "
    "what was asked for.",
    VersionState.SUSPENDED: "This version is suspended. Have a new validation report "
    "made; when it passes, ask again.",
    VersionState.STALE: "The approval of this version is stale. Have a new validation "
    "report made; when it passes, ask again.",
}


@dataclass(frozen=True)
class Signer:
    """Somebody who holds the role of the present stage, and whether they may sign."""

    person: User
    decision: Decision
    # In whose place, if not in their own right.
    stands_for: User | None = None


def can_request_approval(user: User, version: ModelVersion) -> Decision:
    """Say whether `user` may ask for the approval of `version` now."""
    decision = permitted_with(user, Permission.APPROVAL_REQUEST, version.model)
    return decision and _approval_is_possible(version)


def _approval_is_possible(version: ModelVersion) -> Decision:
    if version.state != VersionState.VALIDATED:
        return NotNow(_NOT_VALIDATED[VersionState(version.state)])
    if version.validation_reports.under_way().exists():
        return NotNow("A validation report is being computed; wait for its verdict.")
    report = latest_report(version)
    if report is None or report.verdict != Verdict.PASS:
        return NotNow("The newest validation report of this version did not pass.")
    return no_blocking_finding(version) and _policy_is_met(version, report)


def _policy_is_met(version: ModelVersion, report: ValidationReport) -> Decision:
    """Say whether card and report have what the project's policy asks for."""
    policy = policy_for(version.project)
    empty = [
        CARD_SECTIONS[name]
        for name in policy.required_sections
        if not getattr(version.card, name).strip()
    ]
    if empty:
        return NotNow(
            f"{policy.title} needs these sections of the model card, which are empty: "
            f"{', '.join(empty).lower()}."
        )
    passed = {
        check["measure"]
        for check in report.result["checks"]
        if check["verdict"] == Verdict.PASS
    }
    missing = [
        PROMISES[name].title for name in policy.required_checks if name not in passed
    ]
    if missing:
        return NotNow(
            f"{policy.title} needs checks that the newest report did not pass: "
            f"{', '.join(missing)}. Write them into the validation plan."
        )
    if open_still := unsettled(version, policy.required_practices):
        named = ", ".join(
            f"{one.practice.short} ({one.label.lower()})" for one in open_still
        )
        return NotNow(
            f"{policy.title} needs minimum practices that are neither met nor waived: "
            f"{named}. State them on the page of the version's practices."
        )
    return ALLOWED


def can_withdraw_request(user: User, approval: ApprovalRequest) -> Decision:
    """Say whether `user` may take the request back."""
    if not approval.is_open:
        return NotNow(_closed(approval))
    return permitted_with(user, Permission.APPROVAL_REQUEST, approval.version.model)


def can_reject(user: User, approval: ApprovalRequest) -> Decision:
    """Say whether `user` may reject at the present stage.

    Separation of duties is asked first: who took part reads what they did.
    """
    stages = queries.open_stages(approval)
    if not stages:
        return NotNow(_closed(approval))
    deeds = queries.involvement(approval)
    return (
        _independent(user, stages[0], deeds, "You")
        and _in_turn(user, stages[0], deeds)
        and sees(user, approval.version.model)
    )


can_request_changes = can_reject


def can_sign_off(
    user: User, approval: ApprovalRequest, recheck: Recheck = Recheck.ROWS
) -> Decision:
    """Say whether `user` may sign the present stage: evidence must be unchanged."""
    decision = can_reject(user, approval)
    if decision and (changed := changed_parts(approval, recheck)):
        return NotNow(
            f"The evidence changed since the approval was asked for "
            f"({', '.join(changed)}), so nobody can sign it. Withdraw the request and "
            "ask again."
        )
    return decision and no_blocking_finding(approval.version)


def signers(approval: ApprovalRequest) -> list[Signer]:
    """List who holds the role of the present stage, each with the decision on them."""
    stages = queries.open_stages(approval)
    if not stages:
        return []
    deeds = queries.involvement(approval)
    holders = active_members(approval.project, role=stages[0].role)

    def may(person: User) -> Decision:
        return _independent(person, stages[0], deeds, person.full_name) and sees(
            person, approval.version.model, person.full_name
        )

    return [Signer(person, may(person)) for person in holders] + [
        Signer(
            lent.receiver,
            may(lent.receiver) and _through(lent, stages[0], deeds),
            stands_for=lent.giver,
        )
        for lent in queries.lent_for(stages[0])
        if lent.receiver not in holders
    ]


def delegation_used(user: User, stage: Stage) -> Delegation | None:
    """Return the delegation by which `user` signs `stage`; None in their own right."""
    if _holds(user, stage):
        return None
    deeds = queries.involvement(stage.request)
    lent = queries.lent_for(stage, receiver=user)
    return next((one for one in lent if _through(one, stage, deeds)), None)


def can_delegate_signing(user: User, project: Project) -> Decision:
    """Say whether `user` may let somebody sign in their place: in their own role only.

    What was handed to them they cannot hand on: it gives them no role.
    """
    if ADMINISTRATOR.slug in user.agency_roles:
        return Denied("An administrator can never sign, so there is nothing to hand.")
    return permitted(user, Permission.APPROVAL_SIGN_OFF, project)


def can_stand_in(receiver: User, giver: User, project: Project) -> Decision:
    """Say whether `receiver` could sign in the place of `giver` at all."""
    name = receiver.full_name
    if receiver == giver:
        return Denied("Choose somebody else: you sign in your own place anyway.")
    if receiver not in active_members(project):
        return Denied(f"{name} is no active member of the project.")
    if barring := NEVER_SIGNING.intersection(receiver.agency_roles):
        titles = " and ".join(ROLES[slug].title.lower() for slug in sorted(barring))
        return Denied(f"{name} is {titles} and can never sign.")
    return ALLOWED


def can_revoke_delegation(user: User, delegation: Delegation) -> Decision:
    """Say whether `user` may end a delegation: who gave it, and program managers."""
    return revocable(user, delegation.project, [delegation])[0][1]


def revocable(
    user: User, project: Project, delegations: Sequence[Delegation]
) -> list[tuple[Delegation, Decision]]:
    """Say of each delegation of a project whether `user` may end it; one query."""
    manages = permitted(user, Permission.MEMBER_MANAGE, project)
    return [(one, _may_revoke(user, one, manages)) for one in delegations]


def _may_revoke(user: User, delegation: Delegation, manages: Decision) -> Decision:
    if delegation.standing in ("revoked", "over"):
        return NotNow(f"This delegation is {delegation.standing} already.")
    return ALLOWED if delegation.giver_id == user.pk else manages


def can_withdraw_sign_off(user: User, sign_off: SignOff) -> Decision:
    """Say whether `user` may take this signature back."""
    approval = sign_off.stage.request
    if sign_off.signer_id != user.pk:
        return Denied(f"Only {sign_off.signer_name} can take this signature back.")
    if not approval.is_open:
        return NotNow(_closed(approval))
    if hasattr(sign_off, "withdrawal"):
        return NotNow("This signature is withdrawn already.")
    return ALLOWED


def can_revoke_approval(user: User, approval: ApprovalRequest) -> Decision:
    """Say whether `user` may end an approval that stands."""
    if approval.status not in (ApprovalStatus.APPROVED, ApprovalStatus.SUSPENDED):
        return NotNow("Only an approval that stands can be ended.")
    return permitted(user, Permission.APPROVAL_SIGN_OFF, approval.project)


def can_review_approval(user: User, approval: ApprovalRequest) -> Decision:
    """Say whether `user` may move a request on by the clock: workers only."""
    return permitted(user, Permission.JOB_RUN, approval.project)


can_remind_people = can_review_approval
can_state_practice = exception_rules.can_state_practice
can_grant_waiver = exception_rules.can_grant_waiver
can_revoke_waiver = exception_rules.can_revoke_waiver
can_report_waiver = exception_rules.can_report_waiver
can_remind_of_waiver = exception_rules.can_remind_of_waiver
can_declare_emergency = emergency_rules.can_declare_emergency
can_confirm_emergency = emergency_rules.can_confirm_emergency
can_end_emergency = emergency_rules.can_end_emergency
can_review_emergency = emergency_rules.can_review_emergency
can_remind_of_emergency = emergency_rules.can_review_emergency


def can_meet_condition(user: User, condition: Condition) -> Decision:
    """Say whether `user` may say that a condition is met."""
    if condition.met_at:
        return NotNow("This condition is met already.")
    if hasattr(condition.sign_off, "withdrawal"):
        return NotNow("The signature under this condition was taken back.")
    if condition.owner_id != user.pk:
        return Denied(f"Only {condition.owner.full_name} can say that it is met.")
    return sees(user, condition.approval.version.model)


def can_write_comment(
    user: User, approval: ApprovalRequest, reply_to: Comment | None = None
) -> Decision:
    """Say whether `user` may write about a request, or answer in a thread of it."""
    decision = permitted_with(user, Permission.APPROVAL_DISCUSS, approval.version.model)
    if not decision or reply_to is None:
        return decision
    if reply_to.request_id != approval.pk:
        return Denied("This thread belongs to another request.")
    if reply_to.replies.count() >= MAX_REPLIES:
        return NotNow("This thread is full. Begin a new one.")
    return ALLOWED


def can_withdraw_comment(user: User, comment: Comment) -> Decision:
    """Say whether `user` may mark a comment as withdrawn: only who wrote it."""
    if comment.author_id != user.pk:
        return Denied("Only who wrote a comment can withdraw it.")
    if comment.withdrawn_at:
        return NotNow("This comment is withdrawn already.")
    return ALLOWED


def _closed(approval: ApprovalRequest) -> str:
    return f"This request is {approval.get_status_display().lower()} and closed."


def _independent(user: User, stage: Stage, deeds: Sequence[Deed], who: str) -> Decision:
    return exception_rules.independent(user, deeds, who, meaning=stage.meaning)


def _in_turn(user: User, stage: Stage, deeds: Sequence[Deed]) -> Decision:
    if _holds(user, stage):
        return ALLOWED
    lent = queries.lent_for(stage, receiver=user)
    through = [_through(one, stage, deeds) for one in lent]
    if through:
        return next((decision for decision in through if decision), through[0])
    project = stage.request.project
    if not (may := permitted(user, Permission.APPROVAL_SIGN_OFF, project)):
        return may
    held = roles_of(user, project)
    mine = " and ".join(role.title.lower() for role in held)
    return Denied(
        f"The stage {stage.title} is signed in the role of "
        f"{ROLES[stage.role].title.lower()}; you are {mine} here."
    )


def _holds(user: User, stage: Stage) -> bool:
    held = roles_of(user, stage.request.project)
    return stage.role in {role.slug for role in held}


def _through(lent: Delegation, stage: Stage, deeds: Sequence[Deed]) -> Decision:
    """Nobody does through another what they may not do themselves."""
    decision = _independent(lent.giver, stage, deeds, lent.giver.full_name)
    if decision:
        return ALLOWED
    return Denied(f"Not in the place of {lent.giver.full_name}: {decision.reason}")
