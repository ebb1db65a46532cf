"""Deciding at the present stage of a request; each decision is a signature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.accounts.actions import confirm_password
from apps.approvals import queries, records, rules
from apps.approvals.actions.moves import (
    checked_text,
    days_from_now,
    locked,
    move,
    start_clock,
)
from apps.approvals.actions.telling import (
    tell_outcome,
    tell_owners,
    tell_signers,
)
from apps.approvals.evidence import Recheck
from apps.approvals.models import (
    ApprovalRequest,
    ApprovalStatus,
    Condition,
    NewCondition,
    SignOff,
    SignOffDecision,
    SignOffWithdrawal,
    Stage,
)
from apps.approvals.policies import Conditions
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.projects.rules import can_take_duty
from apps.registry import promotion
from apps.registry.models import AliasName

if TYPE_CHECKING:
    from apps.accounts.models import User

MAX_CONDITIONS = 10
_MEANINGS = {
    SignOffDecision.REJECT: "Rejected",
    SignOffDecision.REQUEST_CHANGES: "Reviewed",
}
_REASONS = {
    SignOffDecision.REJECT: "Say why you reject, so that the next version can do "
    "better.",
    SignOffDecision.REQUEST_CHANGES: "Say what must change before you can sign.",
    SignOffDecision.APPROVE_WITH_CONDITIONS: "Say why conditions are needed.",
}


def sign_off(
    *,
    approval: ApprovalRequest,
    comment: str,
    password: str,
    by: User,
    conditions: Sequence[NewCondition] = (),
) -> SignOff:
    """Sign the present stage; the last signature makes the version champion.

    Args:
        approval: an open request.
        comment: needed with conditions, and where the stage asks for one.
        password: of `by`, entered anew.
        by: independent of what is signed, in the role of the stage.
        conditions: duties under which the signature is given.

    Raises:
        Invalid: the comment is missing or too long, a condition cannot be kept.
        Refused: not this person; the message names what they did.
        WrongPassword: the password is not the signer's; counted against a lock.
        WrongState: the request is closed, or its evidence changed.
    """
    decision = (
        SignOffDecision.APPROVE_WITH_CONDITIONS
        if conditions
        else SignOffDecision.APPROVE
    )
    comment = _reason(decision, comment)
    confirm_password(by=by, password=password)
    with transaction.atomic():
        approval = locked(approval)
        ensure(rules.can_sign_off(by, approval, Recheck.MODEL))
        stage, *later = queries.open_stages(approval)
        if stage.must_comment and not comment:
            raise _invalid("comment", f"{stage.title} is signed with a comment.")
        _check_conditions(approval, conditions)
        given = _sign(stage, decision, comment, by, conditions)
        is_complete = _complete(stage)
        is_last = is_complete and not later
        if is_last:
            _approve(approval, by)
        else:
            start_clock(approval)
        event = (
            EventType.APPROVAL_APPROVED if is_last else EventType.APPROVAL_SIGNED_OFF
        )
        _record_signature(event, given, by)
        if is_last:
            tell_outcome(approval, by=by)
        elif is_complete:
            tell_signers(approval, by=by)
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
    comment = _reason(SignOffDecision.REJECT, comment)
    confirm_password(by=by, password=password)
    with transaction.atomic():
        approval = locked(approval)
        ensure(rules.can_reject(by, approval))
        given = _sign_open_stage(approval, SignOffDecision.REJECT, comment, by)
        move(approval, ApprovalStatus.REJECTED, by=by)
        _record_signature(EventType.APPROVAL_REJECTED, given, by)
        tell_outcome(approval, by=by)
        return given


def request_changes(
    *, approval: ApprovalRequest, comment: str, password: str, by: User
) -> SignOff:
    """Send the request back to its author; the version can be changed and asked anew.

    Args:
        approval: an open request.
        comment: what must change; must be given.
        password: of `by`, entered anew.
        by: who may sign the stage.

    Raises:
        Invalid: nothing is said, or too much.
        Refused: not this person; the message names what they did.
        WrongPassword: the password is not the signer's; counted against a lock.
        WrongState: the request is closed.
    """
    comment = _reason(SignOffDecision.REQUEST_CHANGES, comment)
    confirm_password(by=by, password=password)
    with transaction.atomic():
        approval = locked(approval)
        ensure(rules.can_request_changes(by, approval))
        given = _sign_open_stage(approval, SignOffDecision.REQUEST_CHANGES, comment, by)
        move(approval, ApprovalStatus.CHANGES_REQUESTED, by=by)
        _record_signature(EventType.APPROVAL_SENT_BACK, given, by)
        tell_outcome(approval, by=by)
        return given


def withdraw_sign_off(
    *, sign_off: SignOff, reason: str, password: str, by: User
) -> SignOffWithdrawal:
    """Take a signature back while the request is in review; its stage opens again.

    The signature stays as it was given, with the withdrawal beside it.

    Args:
        sign_off: of `by`.
        reason: must be given.
        password: of `by`, entered anew.
        by: who signed.

    Raises:
        Invalid: no reason is given, or it is too long.
        Refused: somebody else signed.
        WrongPassword: the password is not the signer's; counted against a lock.
        WrongState: the request is decided, or the signature is withdrawn already.
    """
    reason = checked_text(reason, field="reason")
    if not reason:
        raise _invalid("reason", "Say why you take your signature back.")
    confirm_password(by=by, password=password)
    with transaction.atomic():
        approval = locked(sign_off.stage.request)
        sign_off = SignOff.objects.select_related("stage", "signer").get(pk=sign_off.pk)
        sign_off.stage.request = approval
        ensure(rules.can_withdraw_sign_off(by, sign_off))
        taken = SignOffWithdrawal(sign_off=sign_off, reason=reason)
        taken.record = records.withdrawal_text(taken)
        taken.record_sha256 = records.digest_of(taken.record)
        taken.save()
        Stage.objects.filter(pk=sign_off.stage_id).update(completed_at=None)
        record(
            EventType.APPROVAL_SIGN_OFF_WITHDRAWN,
            target=approval,
            project=approval.project,
            by=by,
            changes={
                "stage": sign_off.stage.title,
                "sign_off_sha256": sign_off.record_sha256,
                "record_sha256": taken.record_sha256,
            },
            reason=reason,
        )
        tell_signers(approval, by=by)
        return taken


def revoke_approval(
    *, approval: ApprovalRequest, reason: str, password: str, by: User
) -> ApprovalRequest:
    """End an approval that stands; the version no longer serves.

    Args:
        approval: approved or suspended.
        reason: must be given.
        password: of `by`, entered anew.
        by: somebody who may sign for the project.

    Raises:
        Invalid: no reason is given, or it is too long.
        Refused: the person may not.
        WrongPassword: the password is not theirs; counted against a lock.
        WrongState: the request does not stand approved.
    """
    reason = checked_text(reason, field="reason")
    if not reason:
        raise _invalid("reason", "Say why the approval must end.")
    confirm_password(by=by, password=password)
    with transaction.atomic():
        approval = locked(approval)
        ensure(rules.can_revoke_approval(by, approval))
        move(approval, ApprovalStatus.REVOKED, by=by, reason=reason)
        record(
            EventType.APPROVAL_REVOKED,
            target=approval,
            project=approval.project,
            by=by,
            changes={"evidence_digest": approval.evidence_digest},
            reason=reason,
        )
        tell_outcome(approval, by=by)
        return approval


def _sign_open_stage(
    approval: ApprovalRequest, decision: SignOffDecision, comment: str, by: User
) -> SignOff:
    return _sign(queries.open_stages(approval)[0], decision, comment, by)


def _approve(approval: ApprovalRequest, by: User) -> None:
    approval.expires_at = days_from_now(approval.policy.get("validity_days"))
    move(approval, ApprovalStatus.APPROVED, by=by)
    promotion.move_alias(version=approval.version, alias=AliasName.CHAMPION, by=by)


def _reason(decision: SignOffDecision, comment: str) -> str:
    comment = checked_text(comment, field="comment")
    if not comment and decision in _REASONS:
        raise _invalid("comment", _REASONS[decision])
    return comment


def _invalid(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, fields={field: sentence})


def _check_conditions(
    approval: ApprovalRequest, conditions: Sequence[NewCondition]
) -> None:
    # Requests from before policies had terms keep the policy they were made under.
    terms = approval.policy.get("conditions") or asdict(Conditions())
    if conditions and not terms["allowed"]:
        raise _invalid("conditions", "The policy of this request allows no conditions.")
    if len(conditions) > MAX_CONDITIONS:
        raise _invalid("conditions", f"Set at most {MAX_CONDITIONS} conditions.")
    today = timezone.localdate()
    latest = today + timedelta(days=terms["max_days"])
    for place, condition in enumerate(conditions):
        if not checked_text(condition.text, field=f"conditions[{place}].text"):
            raise _invalid(f"conditions[{place}].text", "Say what must be done.")
        if not today <= condition.due_on <= latest:
            raise _invalid(
                f"conditions[{place}].due_on",
                f"A condition must fall due between today and {latest:%-d %B %Y}.",
            )
        if not (may_own := can_take_duty(condition.owner, approval.version.model)):
            raise _invalid(f"conditions[{place}].owner", may_own.reason)


def _sign(
    stage: Stage,
    decision: SignOffDecision,
    comment: str,
    by: User,
    conditions: Sequence[NewCondition] = (),
) -> SignOff:
    given = SignOff(
        stage=stage,
        signer=by,
        signer_name=by.full_name,
        signer_title=by.title,
        signer_organisation=by.organisation,
        delegation=rules.delegation_used(by, stage),
        decision=decision,
        meaning=_MEANINGS.get(decision, stage.meaning),
        comment=comment,
        evidence_digest=stage.request.evidence_digest,
        time_zone=settings.TIME_ZONE,
    )
    duties = [
        Condition(
            sign_off=given, text=new.text.strip(), owner=new.owner, due_on=new.due_on
        )
        for new in conditions
    ]
    given.record = records.sign_off_text(given, duties)
    given.record_sha256 = records.digest_of(given.record)
    given.save()
    Condition.objects.bulk_create(duties)
    tell_owners(duties, by=by)
    return given


def _complete(stage: Stage) -> bool:
    if queries.consents(stage) < stage.required:
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
            **_in_place_of(given),
            "evidence_digest": given.evidence_digest,
            "record_sha256": given.record_sha256,
        },
        reason=given.comment,
    )


def _in_place_of(given: SignOff) -> dict[str, str]:
    if given.delegation is None:
        return {}
    return {"in_place_of_id": str(given.delegation.giver_id)}
