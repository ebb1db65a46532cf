"""What a policy would have made of requests that were made under another one.

It asks the rules that decide requests, with what stood in the records of each. What no
record keeps (the words of a card that changed since, who held which role that day) is
left out, and said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Prefetch

from apps.access.roles import ROLES
from apps.approvals import rules
from apps.approvals.deeds import making
from apps.approvals.models import (
    CONSENTING,
    ONCE_APPROVED,
    ApprovalRequest,
    ApprovalStatus,
    SignOff,
    SignOffDecision,
    Stage,
)
from apps.approvals.policy_rules import has_checks
from apps.core.rest import Page, keyset_page

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.approvals.deeds import Deed
    from apps.approvals.policies import Policy, PolicyStage

REQUESTS_SHOWN = 25
_REFUSING = (SignOffDecision.REJECT, SignOffDecision.REQUEST_CHANGES)


@dataclass(frozen=True)
class Replay:
    """How one request would have gone.

    Attributes:
        approval: the request.
        was_approved: whether it was ever approved.
        would_be: whether the signatures that it got would have approved it.
        reasons: why it would not have been approved, in sentences.
        notes: what else would have been different.
    """

    approval: ApprovalRequest
    was_approved: bool
    would_be: bool
    reasons: list[str]
    notes: list[str] = field(default_factory=list)

    @property
    def differs(self) -> bool:
        """Say whether it would have ended otherwise."""
        return self.was_approved != self.would_be

    @property
    def outcome(self) -> str:
        """How it would have ended, in words."""
        if self.would_be:
            return "Approved as before" if self.was_approved else "Approved"
        return "Not approved" if self.was_approved else "Not approved, as before"


@dataclass(frozen=True)
class Rehearsal:
    """A page of requests replayed, newest first."""

    replays: list[Replay]
    next_cursor: str | None

    @property
    def differing(self) -> int:
        """How many of this page would have ended otherwise."""
        return sum(replay.differs for replay in self.replays)


def rehearse(policy: Policy, *, viewer: User, after: str | None = None) -> Rehearsal:
    """Replay a page of the requests that `viewer` can see under `policy`.

    Args:
        policy: in force or not.
        viewer: who asks.
        after: cursor of the last request seen.
    """
    given = SignOff.objects.filter(withdrawal=None).select_related("stage", "signer")
    given = given.prefetch_related("conditions").order_by("signed_at")
    stages = Stage.objects.order_by("position").prefetch_related(
        Prefetch("sign_offs", queryset=given)
    )
    visible = (
        ApprovalRequest.objects.visible_to(viewer)
        .select_related("version__model__project", "report")
        .prefetch_related(Prefetch("stages", queryset=stages))
    )
    page: Page = keyset_page(visible, after=after, limit=REQUESTS_SHOWN)
    deeds = making(page.rows)
    replays = [_replay(policy, one, deeds[one.pk]) for one in page.rows]
    return Rehearsal(replays, page.next_cursor)


def _replay(policy: Policy, approval: ApprovalRequest, deeds: list[Deed]) -> Replay:
    given = [
        sign_off
        for stage in approval.stages.all()
        for sign_off in stage.sign_offs.all()
    ]
    reasons = [
        *_bars(policy, approval),
        *_refusals(policy, given),
        *_gaps(policy, given, deeds),
        *_delay(policy, approval),
    ]
    return Replay(
        approval=approval,
        was_approved=approval.status in ONCE_APPROVED,
        would_be=not reasons and approval.status != ApprovalStatus.WITHDRAWN,
        reasons=reasons,
        notes=_notes(policy, approval),
    )


def _bars(policy: Policy, approval: ApprovalRequest) -> list[str]:
    decision = has_checks(policy, approval.report)
    return [] if decision else [decision.reason]


def _refusals(policy: Policy, given: Sequence[SignOff]) -> list[str]:
    """List refusals by people whom this policy would have asked as well."""
    asked = {stage.role for stage in policy.stages}
    return [
        f"{SignOffDecision(one.decision).label} at the stage {one.stage.title}."
        for one in given
        if one.decision in _REFUSING and one.stage.role in asked
    ]


def _gaps(policy: Policy, given: Sequence[SignOff], deeds: Sequence[Deed]) -> list[str]:
    """Say which stages would lack signatures; each signature counts once."""
    left = [one for one in given if one.decision in CONSENTING]
    gaps = []
    for stage in policy.stages:
        faults, counted = [], 0
        for sign_off in [one for one in left if one.stage.role == stage.role]:
            if counted == stage.required:
                break
            if fault := _fault(policy, stage, sign_off, deeds):
                faults.append(fault)
            else:
                left.remove(sign_off)
                counted += 1
        if counted < stage.required:
            role = ROLES[stage.role].title.lower()
            missing = f"{stage.title} has {counted} of {stage.required} by {role}."
            gaps.append(" ".join([missing, *faults]))
    return gaps


def _fault(
    policy: Policy, stage: PolicyStage, given: SignOff, deeds: Sequence[Deed]
) -> str:
    """Say why a signature would not have counted; nothing when it would."""
    signer, terms = given.signer, policy.conditions
    before = [deed for deed in deeds if deed.at <= given.signed_at]
    may = rules.independent(signer, stage.meaning, before, given.signer_name)
    if not may:
        return may.reason
    named = {address.lower() for address in stage.people}
    if named and signer.email.lower() not in named:
        return f"{given.signer_name} is not named for this stage."
    if stage.comment == "always" and not given.comment:
        return f"{given.signer_name} signed without a comment."
    conditions = given.conditions.all()
    if conditions and not terms.allowed:
        return f"{given.signer_name} signed under conditions, which it does not allow."
    latest = given.signed_at.date() + timedelta(days=terms.max_days)
    if any(condition.due_on > latest for condition in conditions):
        return f"{given.signer_name} set a condition that falls due too late."
    return ""


def _delay(policy: Policy, approval: ApprovalRequest) -> list[str]:
    """Say whether it would have lapsed before it was decided."""
    if policy.request_days is None or approval.closed_at is None:
        return []
    took = approval.closed_at - approval.requested_at
    if took <= timedelta(days=policy.request_days):
        return []
    return [f"It took {took.days} days; after {policy.request_days} it lapses."]


def _notes(policy: Policy, approval: ApprovalRequest) -> list[str]:
    notes = []
    if policy.required_sections:
        notes.append("Sections of the model card are asked for, which no record keeps.")
    if policy.required_practices:
        notes.append("Statements on practices are asked for; they are left out here.")
    if approval.expires_at and approval.closed_at:
        until = approval.expires_at
        days = policy.validity_days
        now = approval.closed_at + timedelta(days=days) if days else None
        if now is None or now.date() != until.date():
            said = f"until {now:%-d %B %Y}" if now else "without an end"
            notes.append(f"It would hold {said}, not until {until:%-d %B %Y}.")
    return notes
