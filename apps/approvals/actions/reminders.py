"""What is said before time is up, and after: once for each person and occasion."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.access.roles import PROGRAM_MANAGER
from apps.approvals import queries, rules
from apps.approvals.actions.telling import present_signers
from apps.approvals.models import ApprovalStatus, Condition
from apps.notices.models import NoticeKind
from apps.notices.notify import LAST_PART, notify
from apps.projects.queries import active_members

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.approvals.models import ApprovalRequest, Stage

# Days before the end of an approval on which people are told of it.
BEFORE_EXPIRY = (7, 30)


@transaction.atomic
def remind_people(*, approval: ApprovalRequest, by: User) -> None:
    """Tell those concerned what falls due under a request, and what is late.

    May be called as often as one likes: nobody is told the same twice.

    Args:
        approval: any request.
        by: a worker.

    Raises:
        Refused: only workers may.
    """
    ensure(rules.can_remind_people(by, approval))
    for stage in queries.open_stages(approval)[:1]:
        _remind_of_stage(approval, stage)
    if approval.status in (ApprovalStatus.APPROVED, ApprovalStatus.SUSPENDED):
        _remind_of_expiry(approval)
    if approval.status in queries.WATCHED:
        waiting = Condition.objects.of(approval).filter(met_at=None)
        for condition in waiting.select_related("owner", "sign_off__stage__request"):
            _remind_of_condition(approval, condition)


def _remind_of_stage(approval: ApprovalRequest, stage: Stage) -> None:
    if stage.due_at is None or stage.due_days is None:
        return
    left, day = stage.due_at - timezone.now(), _day(stage.due_at)
    if left <= timedelta():
        notify(
            to=[*present_signers(approval), *_managers(approval)],
            kind=NoticeKind.STAGE_OVERDUE,
            target=approval,
            sentence=f"{approval.version}: {stage.title} was to be signed by {day} and "
            "is overdue.",
            once=str(stage.pk),
        )
    elif left <= LAST_PART * timedelta(days=stage.due_days):
        notify(
            to=present_signers(approval),
            kind=NoticeKind.STAGE_DUE_SOON,
            target=approval,
            sentence=f"{approval.version}: {stage.title} is to be signed by {day}.",
            once=str(stage.pk),
        )


def _remind_of_expiry(approval: ApprovalRequest) -> None:
    if approval.expires_at is None or approval.closed_at is None:
        return
    left = approval.expires_at - timezone.now()
    given = approval.expires_at - approval.closed_at
    passed = [days for days in BEFORE_EXPIRY if left <= timedelta(days=days) < given]
    if not passed:
        return
    concerned = {approval.requested_by, *_managers(approval)}
    notify(
        to=queries.seeing(approval, concerned),
        kind=NoticeKind.APPROVAL_EXPIRES_SOON,
        target=approval,
        sentence=f"The {approval} ends on {_day(approval.expires_at)}. Have a new "
        "report made and ask again, if the model is still needed.",
        once=f"{approval.pk}:{passed[0]}",
    )


def _remind_of_condition(approval: ApprovalRequest, condition: Condition) -> None:
    today, due_on = timezone.localdate(), condition.due_on
    given = due_on - timezone.localdate(condition.sign_off.signed_at)
    late = due_on < today
    if not late and due_on - today > LAST_PART * given:
        return
    day = f"{due_on:%-d %B %Y}"
    notify(
        to=queries.seeing(approval, [condition.owner]),
        kind=NoticeKind.CONDITION_OVERDUE if late else NoticeKind.CONDITION_DUE_SOON,
        target=condition,
        sentence=f"Your condition of the {approval} "
        + (f"was due on {day} and is overdue." if late else f"is due on {day}."),
        once=str(condition.pk),
    )


def _managers(approval: ApprovalRequest) -> list[User]:
    return active_members(approval.project, role=PROGRAM_MANAGER.slug)


def _day(at: datetime) -> str:
    return f"{timezone.localtime(at):%-d %B %Y}"
