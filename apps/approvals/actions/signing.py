"""Signing the present stage of a request, or rejecting there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.accounts.actions import confirm_password
from apps.approvals import queries, rules
from apps.approvals.actions.moves import checked_text, locked, move
from apps.approvals.models import (
    ApprovalRequest,
    ApprovalStatus,
    SignOff,
    SignOffDecision,
    Stage,
)
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.registry import promotion
from apps.registry.models import AliasName

if TYPE_CHECKING:
    from apps.accounts.models import User


def sign_off(
    *, approval: ApprovalRequest, comment: str, password: str, by: User
) -> SignOff:
    """Sign the present stage; the last signature makes the version champion.

    Args:
        approval: an open request.
        comment: may be empty.
        password: of `by`, entered anew.
        by: independent of what is signed, in the role of the stage.

    Raises:
        Invalid: the comment is too long.
        Refused: not this person; the message names what they did.
        WrongPassword: the password is not the signer's; counted against a lock.
        WrongState: the request is closed, or its evidence changed.
    """
    comment = checked_text(comment, field="comment")
    confirm_password(by=by, password=password)
    with transaction.atomic():
        approval = locked(approval)
        ensure(rules.can_sign_off(by, approval))
        stage, *later = queries.open_stages(approval)
        given = _sign(stage, SignOffDecision.APPROVE, comment, by)
        is_last = _complete(stage) and not later
        if is_last:
            move(approval, ApprovalStatus.APPROVED, by=by)
            promotion.move_alias(
                version=approval.version, alias=AliasName.CHAMPION, by=by
            )
        event = (
            EventType.APPROVAL_APPROVED if is_last else EventType.APPROVAL_SIGNED_OFF
        )
        _record_signature(event, given, by)
        return given


def reject(
    *, approval: ApprovalRequest, comment: str, password: str, by: User
) -> SignOff:
    """Reject at the present stage; the request and its version are closed by it.

    Args:
        approval: an open request.
        comment: the reason; must be given.
        password: of `by`, entered anew.
        by: who may sign the stage.

    Raises:
        Invalid: no reason is given, or it is too long.
        Refused: not this person; the message names what they did.
        WrongPassword: the password is not the signer's; counted against a lock.
        WrongState: the request is closed.
    """
    comment = checked_text(comment, field="comment")
    if not comment:
        raise Invalid(
            "Say why you reject, so that the next version can do better.",
            fields={"comment": "Give the reason."},
        )
    confirm_password(by=by, password=password)
    with transaction.atomic():
        approval = locked(approval)
        ensure(rules.can_reject(by, approval))
        stage = queries.open_stages(approval)[0]
        given = _sign(stage, SignOffDecision.REJECT, comment, by)
        move(approval, ApprovalStatus.REJECTED, by=by)
        _record_signature(EventType.APPROVAL_REJECTED, given, by)
        return given


def _sign(stage: Stage, decision: SignOffDecision, comment: str, by: User) -> SignOff:
    meaning = stage.meaning if decision == SignOffDecision.APPROVE else "Rejected"
    return SignOff.objects.create(
        stage=stage,
        signer=by,
        signer_name=by.full_name,
        signer_title=by.title,
        signer_organisation=by.organisation,
        decision=decision,
        meaning=meaning,
        comment=comment,
        evidence_digest=stage.request.evidence_digest,
    )


def _complete(stage: Stage) -> bool:
    if stage.sign_offs.count() < stage.required:
        return False
    stage.completed_at = timezone.now()
    stage.save()
    return True


def _record_signature(event: EventType, given: SignOff, by: User) -> None:
    approval = given.stage.request
    record(
        event,
        target=approval,
        project=approval.project,
        by=by,
        changes={
            "stage": given.stage.title,
            "meaning": given.meaning,
            "evidence_digest": given.evidence_digest,
        },
        reason=given.comment,
    )
