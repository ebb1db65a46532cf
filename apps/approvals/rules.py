"""Who may ask for an approval, and who may sign it: never somebody who took part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.access.checks import ALLOWED, Decision, Denied, NotNow, permitted, roles_of
from apps.access.permissions import Permission
from apps.access.roles import ROLES
from apps.accounts.models import User
from apps.approvals import (
    delegation_rules,
    emergency_rules,
    exception_rules,
    policy_rules,
    queries,
)
from apps.approvals.deeds import involvement
from apps.approvals.discussion import MAX_REPLIES
from apps.approvals.evidence import Recheck, changed_parts
from apps.approvals.models import ApprovalStatus
from apps.projects.queries import active_members
from apps.projects.rules import permitted_with, sees
from apps.registry.models import VersionState
from apps.validation.models import Verdict
from apps.validation.queries import latest_plan, latest_report
from apps.validation.rules import no_blocking_finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.approvals.deeds import Deed
    from apps.approvals.models import (
        ApprovalRequest,
        Comment,
        Condition,
        Delegation,
        SignOff,
        Stage,
    )
    from apps.registry.models import ModelVersion

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
    if version.quarantine:
        return NotNow(version.quarantine)
    if version.state != VersionState.VALIDATED:
        return NotNow(_NOT_VALIDATED[VersionState(version.state)])
    if version.validation_reports.under_way().exists():
        return NotNow("A validation report is being computed; wait for its verdict.")
    report = latest_report(version)
    if report is None or report.verdict != Verdict.PASS:
        return NotNow("The newest validation report of this version did not pass.")
    if not report.decides:
        return NotNow(
            f"Plan {report.plan.number} says that only a report on the sealed rows "
            "decides; the newest one was measured on others."
        )
    if report.plan != (plan := latest_plan(version.model)):
        return NotNow(
            f"The newest report was made by plan {report.plan.number}, and {plan} was "
            "written since. Have a report made by that."
        )
    return no_blocking_finding(version) and policy_rules.policy_is_met(version, report)


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
    deeds = involvement(approval)
    return (
        independent(user, stages[0].meaning, deeds, "You")
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
    deeds = involvement(approval)
    stage = stages[0]
    holders = active_members(approval.project, role=stage.role)
    own = [person for person in holders if _is_named(person, stage)]
    lent = [one for one in queries.lent_for(stage) if one.receiver not in own]
    receivers = {one.receiver for one in lent}

    def may(person: User) -> Decision:
        name = person.full_name
        decision = independent(person, stage.meaning, deeds, name)
        return decision and sees(person, approval.version.model, name)

    return [
        *(Signer(person, may(person)) for person in own),
        *(
            Signer(
                one.receiver,
                may(one.receiver) and _through(one, stage, deeds),
                stands_for=one.giver,
            )
            for one in lent
        ),
        *(
            Signer(person, _is_named(person, stage))
            for person in holders
            if person not in own and person not in receivers
        ),
    ]


def delegation_used(user: User, stage: Stage) -> Delegation | None:
    """Return the delegation by which `user` signs `stage`; None in their own right."""
    if _holds(user, stage) and _is_named(user, stage):
        return None
    deeds = involvement(stage.request)
    lent = queries.lent_for(stage, receiver=user)
    return next((one for one in lent if _through(one, stage, deeds)), None)


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
can_write_policy = policy_rules.can_write_policy
can_enact_policy = policy_rules.can_enact_policy
can_delegate_signing = delegation_rules.can_delegate_signing
can_stand_in = delegation_rules.can_stand_in
can_revoke_delegation = delegation_rules.can_revoke_delegation
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
    if condition.approval.status not in queries.WATCHED:
        return NotNow("Nothing depends on this condition any more.")
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


def independent(user: User, meaning: str, deeds: Sequence[Deed], who: str) -> Decision:
    """Say whether `user` did nothing that bars them from signing with a `meaning`.

    Args:
        user: who would sign.
        meaning: of the stage.
        deeds: what people did to what is signed.
        who: the subject of the sentence of refusal.
    """
    return exception_rules.independent(user, deeds, who, meaning=meaning)


def _in_turn(user: User, stage: Stage, deeds: Sequence[Deed]) -> Decision:
    holds = _holds(user, stage)
    if holds and _is_named(user, stage):
        return ALLOWED
    lent = queries.lent_for(stage, receiver=user)
    through = [_through(one, stage, deeds) for one in lent]
    if through:
        return next((decision for decision in through if decision), through[0])
    if holds:
        return _is_named(user, stage)
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


def _is_named(user: User, stage: Stage) -> Decision:
    """Say whether the policy lets every holder of the role sign, or `user`."""
    named = stage.people.all()
    if not named or user in named:
        return ALLOWED
    names = ", ".join(sorted(person.full_name for person in named))
    return Denied(f"The policy names who signs the stage {stage.title}: {names}.")


def _through(lent: Delegation, stage: Stage, deeds: Sequence[Deed]) -> Decision:
    """Nobody does through another what they may not do themselves."""
    decision = independent(lent.giver, stage.meaning, deeds, lent.giver.full_name)
    if decision:
        return ALLOWED
    return Denied(f"Not in the place of {lent.giver.full_name}: {decision.reason}")
