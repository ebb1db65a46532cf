"""What becomes of approvals by the clock, and by evidence that moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.approvals import queries, rules
from apps.approvals.actions.moves import (
    checked_text,
    follows_request,
    locked,
    move,
)
from apps.approvals.actions.telling import present_signers, tell_outcome
from apps.approvals.evidence import Recheck, moved_parts
from apps.approvals.models import ApprovalRequest, ApprovalStatus, Condition
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid

if TYPE_CHECKING:
    from apps.accounts.models import User

_EVENTS = {
    ApprovalStatus.APPROVED: EventType.APPROVAL_REINSTATED,
    ApprovalStatus.EXPIRED: EventType.APPROVAL_EXPIRED,
    ApprovalStatus.LAPSED: EventType.APPROVAL_LAPSED,
    ApprovalStatus.STALE: EventType.APPROVAL_STALE,
    ApprovalStatus.SUSPENDED: EventType.APPROVAL_SUSPENDED,
}


@dataclass(frozen=True)
class _Turn:
    """Where a request goes by itself, and why."""

    to: ApprovalStatus
    reason: str


@transaction.atomic
def review_approval(
    *, approval: ApprovalRequest, by: User, recheck: Recheck = Recheck.ROWS
) -> ApprovalRequest | None:
    """Move a request on if its time is up, its evidence moved or a condition is late.

    Args:
        approval: any request.
        by: a worker.
        recheck: of which stored files the bytes are read again.

    Returns:
        None when it stays where it is.

    Raises:
        Refused: only workers may.
    """
    approval = locked(approval)
    ensure(rules.can_review_approval(by, approval))
    turn = _turn_of(approval, recheck)
    if turn is None:
        return None
    _take(approval, turn, by, {"evidence_digest": approval.evidence_digest})
    return approval


@transaction.atomic
def meet_condition(*, condition: Condition, evidence: str, by: User) -> Condition:
    """Say that a condition is met, and by what; a suspended approval may stand again.

    Args:
        condition: of an approval.
        evidence: what shows it, such as where the report lies.
        by: its owner.

    Raises:
        Invalid: no evidence is given, or it is too long.
        Refused: somebody else must do it.
        WrongState: it is met, or nothing depends on it any more.
    """
    evidence = checked_text(evidence, field="evidence")
    if not evidence:
        sentence = "Say what shows that the condition is met."
        raise Invalid(sentence, fields={"evidence": sentence})
    approval = locked(condition.approval)
    condition = Condition.objects.select_related("owner").get(pk=condition.pk)
    condition.sign_off.stage.request = approval
    ensure(rules.can_meet_condition(by, condition))
    condition.met_at, condition.met_by = timezone.now(), by
    condition.evidence = evidence
    condition.save()
    record(
        EventType.APPROVAL_CONDITION_MET,
        target=approval,
        project=approval.project,
        by=by,
        changes={"condition": condition.text, "due_on": condition.due_on.isoformat()},
        reason=evidence,
    )
    is_suspended = approval.status == ApprovalStatus.SUSPENDED
    if (
        is_suspended
        and follows_request(approval)
        and not queries.late_conditions(approval)
    ):
        reason = "Every condition that was overdue is met."
        _take(approval, _Turn(ApprovalStatus.APPROVED, reason), by, {})
    return condition


def _turn_of(approval: ApprovalRequest, recheck: Recheck) -> _Turn | None:
    now, status = timezone.now(), ApprovalStatus(approval.status)
    if status == ApprovalStatus.IN_REVIEW:
        if approval.due_at and approval.due_at <= now:
            return _Turn(ApprovalStatus.LAPSED, "Nobody decided in time.")
        return None
    if status not in (ApprovalStatus.APPROVED, ApprovalStatus.SUSPENDED):
        return None
    if moved := moved_parts(approval, recheck):
        approval.moved = moved
        names = ", ".join(part["name"] for part in moved)
        return _Turn(ApprovalStatus.STALE, f"Since it was signed, {names} changed.")
    if approval.expires_at and approval.expires_at <= now:
        return _Turn(ApprovalStatus.EXPIRED, "It was given until this day.")
    late = queries.late_conditions(approval)
    if not late or status == ApprovalStatus.SUSPENDED:
        return None
    reason = f"A condition was due on {late[0].due_on:%-d %B %Y}: {late[0].text}"
    return _Turn(ApprovalStatus.SUSPENDED, reason)


def _take(
    approval: ApprovalRequest, turn: _Turn, by: User, changes: dict[str, Any]
) -> None:
    waiting = present_signers(approval)
    move(approval, turn.to, by=by, reason=turn.reason)
    moved = {f"{part['part']}_digest": part["after"] for part in approval.moved}
    record(
        _EVENTS[turn.to],
        target=approval,
        project=approval.project,
        by=by,
        changes=changes | moved,
        reason=turn.reason,
    )
    again = turn.to == ApprovalStatus.APPROVED
    tell_outcome(approval, by=by, also=waiting, again=again)
