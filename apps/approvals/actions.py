"""Everything that changes an approval request; the last signature moves the alias."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.accounts.actions import confirm_password
from apps.approvals import queries, rules
from apps.approvals.evidence import evidence_of
from apps.approvals.models import (
    MAX_COMMENT_CHARACTERS,
    ApprovalRequest,
    ApprovalStatus,
    SignOff,
    SignOffDecision,
    Stage,
)
from apps.approvals.policies import load_policy
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.digests import canonical_digest
from apps.core.errors import Invalid
from apps.registry import promotion
from apps.registry.models import AliasName, ModelVersion, VersionState

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.validation.models import ValidationReport

POLICY = "standard"


@transaction.atomic
def request_approval(
    *, version: ModelVersion, message: str, by: User
) -> ApprovalRequest:
    """Ask that `version` become champion; evidence and policy are frozen now.

    Args:
        version: validated, its newest report passed.
        message: to the signers; may be empty.
        by: a data scientist of the project.

    Raises:
        Invalid: the message is too long.
        Refused: only a data scientist may.
        WrongState: the version is not validated, or a request is open.
    """
    message = _checked(message, field="message")
    version = _locked_version(version)
    ensure(rules.can_request_approval(by, version))
    report = version.validation_reports.finished().select_related("plan")[0]
    approval = _create(report, message, by)
    promotion.move_version(version=version, to=VersionState.IN_REVIEW, by=by)
    record(
        EventType.APPROVAL_REQUESTED,
        target=approval,
        project=approval.project,
        by=by,
        changes={
            "policy": f"{approval.policy['name']} version {approval.policy['version']}",
            "evidence_digest": approval.evidence_digest,
        },
        reason=message,
    )
    return approval


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
    comment = _checked(comment, field="comment")
    confirm_password(by=by, password=password)
    with transaction.atomic():
        approval = _locked(approval)
        ensure(rules.can_sign_off(by, approval))
        stage, *later = queries.open_stages(approval)
        given = _sign(stage, SignOffDecision.APPROVE, comment, by)
        is_last = _complete(stage) and not later
        if is_last:
            _close(approval, ApprovalStatus.APPROVED, VersionState.APPROVED, by)
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
    comment = _checked(comment, field="comment")
    if not comment:
        raise Invalid(
            "Say why you reject, so that the next version can do better.",
            fields={"comment": "Give the reason."},
        )
    confirm_password(by=by, password=password)
    with transaction.atomic():
        approval = _locked(approval)
        ensure(rules.can_reject(by, approval))
        stage = queries.open_stages(approval)[0]
        given = _sign(stage, SignOffDecision.REJECT, comment, by)
        _close(approval, ApprovalStatus.REJECTED, VersionState.REJECTED, by)
        _record_signature(EventType.APPROVAL_REJECTED, given, by)
        return given


@transaction.atomic
def withdraw_request(*, approval: ApprovalRequest, by: User) -> ApprovalRequest:
    """Take a request back; the version is validated again.

    Raises:
        Refused: only a data scientist of the project may.
        WrongState: the request is closed.
    """
    approval = _locked(approval)
    ensure(rules.can_withdraw_request(by, approval))
    _close(approval, ApprovalStatus.WITHDRAWN, VersionState.VALIDATED, by)
    record(
        EventType.APPROVAL_WITHDRAWN, target=approval, project=approval.project, by=by
    )
    return approval


def _locked_version(version: ModelVersion) -> ModelVersion:
    locked = ModelVersion.objects.select_for_update(of=("self",))
    return locked.select_related("model__project").get(pk=version.pk)


def _locked(approval: ApprovalRequest) -> ApprovalRequest:
    version = _locked_version(approval.version)
    approval = ApprovalRequest.objects.select_for_update().get(pk=approval.pk)
    approval.version = version
    return approval


def _checked(text: str, *, field: str) -> str:
    if len(text) > MAX_COMMENT_CHARACTERS or "\x00" in text:
        raise Invalid(
            f"Write at most {MAX_COMMENT_CHARACTERS} characters of plain text.",
            fields={field: "Too long, or not plain text."},
        )
    return text.strip()


def _create(report: ValidationReport, message: str, by: User) -> ApprovalRequest:
    policy = load_policy(POLICY)
    evidence = evidence_of(report, policy.to_json())
    approval = ApprovalRequest.objects.create(
        version=report.version,
        report=report,
        policy=policy.to_json(),
        evidence=evidence,
        evidence_digest=canonical_digest(evidence),
        message=message,
        requested_by=by,
    )
    Stage.objects.bulk_create(
        Stage(
            request=approval,
            position=position,
            title=stage.title,
            role=stage.role,
            required=stage.required,
            meaning=stage.meaning,
        )
        for position, stage in enumerate(policy.stages, start=1)
    )
    return approval


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


def _close(
    approval: ApprovalRequest, status: ApprovalStatus, state: VersionState, by: User
) -> None:
    approval.advance(status)
    approval.save()
    promotion.move_version(version=approval.version, to=state, by=by)


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
