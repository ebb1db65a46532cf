"""Asking for an approval, and taking the question back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from apps.access.checks import ensure
from apps.approvals import queries, rules
from apps.approvals.actions.moves import (
    checked_text,
    days_from_now,
    locked,
    move,
    start_clock,
)
from apps.approvals.actions.telling import (
    present_signers,
    tell_outcome,
    tell_signers,
)
from apps.approvals.evidence import evidence_of
from apps.approvals.models import ApprovalRequest, ApprovalStatus, Stage
from apps.approvals.policy_book import policy_for
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.digests import canonical_digest
from apps.registry import promotion
from apps.registry.actions.versions import locked_version
from apps.registry.models import ModelVersion, VersionState

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.approvals.policies import PolicyStage
    from apps.validation.models import ValidationReport


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
    message = checked_text(message, field="message")
    version = locked_version(version)
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
    tell_signers(approval, by=by)
    return approval


@transaction.atomic
def withdraw_request(*, approval: ApprovalRequest, by: User) -> ApprovalRequest:
    """Take a request back; the version is validated again.

    Raises:
        Refused: only a data scientist of the project may.
        WrongState: the request is closed.
    """
    approval = locked(approval)
    ensure(rules.can_withdraw_request(by, approval))
    waiting = present_signers(approval)
    move(approval, ApprovalStatus.WITHDRAWN, by=by)
    record(
        EventType.APPROVAL_WITHDRAWN, target=approval, project=approval.project, by=by
    )
    tell_outcome(approval, by=by, also=waiting)
    return approval


def _create(report: ValidationReport, message: str, by: User) -> ApprovalRequest:
    policy = policy_for(report.project)
    people = [_named(report, stage) for stage in policy.stages]
    frozen = policy.to_json()
    # By the ids of their accounts, so that erasing somebody needs no search in texts.
    for stage, named in zip(frozen["stages"], people, strict=True):
        stage["people"] = [str(person.pk) for person in named]
    evidence = evidence_of(report, frozen)
    approval = ApprovalRequest.objects.create(
        version=report.version,
        report=report,
        policy=frozen,
        evidence=evidence,
        evidence_digest=canonical_digest(evidence),
        message=message,
        requested_by=by,
        follows=queries.latest_request(report.version),
        due_at=days_from_now(policy.request_days),
    )
    stages = Stage.objects.bulk_create(
        Stage(
            request=approval,
            position=position,
            title=stage.title,
            role=stage.role,
            required=stage.required,
            meaning=stage.meaning,
            must_comment=stage.comment == "always",
            due_days=stage.due_days,
        )
        for position, stage in enumerate(policy.stages, start=1)
    )
    for stage, named in zip(stages, people, strict=True):
        stage.people.set(named)
    start_clock(approval)
    return approval


def _named(report: ValidationReport, stage: PolicyStage) -> list[User]:
    return queries.holders_of(report.project, stage) if stage.people else []
