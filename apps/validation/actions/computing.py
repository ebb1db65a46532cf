"""What the worker does with a report."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

import rfc8785
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.models import JobStatus
from apps.registry import promotion
from apps.registry.models import ModelVersion, VersionState
from apps.validation import rules
from apps.validation.actions.attempts import leave, locked, send
from apps.validation.models import ValidationReport, Verdict

if TYPE_CHECKING:
    from uuid import UUID

    from apps.accounts.models import User
    from apps.core.sandbox import Outcome


@transaction.atomic
def start_report(*, pk: UUID | str, by: User) -> ValidationReport | None:
    """Claim a queued report for this worker.

    Returns:
        The report, or None when another worker has it or it is not waiting.
    """
    waiting = ValidationReport.objects.filter(pk=pk, status=JobStatus.QUEUED)
    report = waiting.select_for_update(skip_locked=True).first()
    if report is None:
        return None
    ensure(rules.can_start_report(by, report))
    report.advance(JobStatus.RUNNING)
    report.save()
    record(
        EventType.REPORT_STARTED,
        target=report,
        project=report.project,
        by=by,
        changes={"attempt": report.attempt},
    )
    return report


@transaction.atomic
def finish_report(
    *, report: ValidationReport, outcome: Outcome, by: User
) -> ValidationReport:
    """Keep what came of a report, and give or take the version's standing.

    Returns:
        The report; unchanged when another worker has it by now.
    """
    claim_id = report.claim_id
    # In the order of `request_report`: the version before its reports.
    ModelVersion.objects.select_for_update().get(pk=report.version_id)
    report = locked(report)
    ensure(rules.can_finish_report(by, report))
    if report.status != JobStatus.RUNNING or report.claim_id != claim_id:
        return report
    if outcome.status == "succeeded":
        return _succeed(report, outcome.result, by)
    if outcome.status == "cancelled":
        return leave(report, JobStatus.CANCELLED, EventType.REPORT_CANCELLED, by)
    return _fail(report, outcome.code, outcome.message, outcome.details, by)


def _succeed(
    report: ValidationReport, result: dict[str, Any], by: User
) -> ValidationReport:
    kept: dict[str, Any] = _storable(result)
    report.result = kept
    report.result_digest = hashlib.sha256(rfc8785.dumps(kept)).hexdigest()
    report.verdict = Verdict(kept["verdict"])
    report.progress_ratio = 1.0
    facts = {"verdict": report.verdict, "result_digest": report.result_digest}
    report = leave(report, JobStatus.SUCCEEDED, EventType.REPORT_FINISHED, by, facts)
    _move_version(report, by)
    return report


def _storable(value: Any) -> Any:
    """Replace what neither Postgres nor canonical JSON can hold.

    Numbers that are not finite become null; NUL and lone surrogates in texts become
    replacement characters.
    """
    match value:
        case dict():
            return {_storable(key): _storable(item) for key, item in value.items()}
        case list():
            return [_storable(item) for item in value]
        case str():
            text = value.encode("utf-8", "replace").decode()
            return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
        case float() if not math.isfinite(value):
            return None
    return value


def _move_version(report: ValidationReport, by: User) -> None:
    version = report.version
    passed = report.verdict == Verdict.PASS
    if passed and version.state == VersionState.DRAFT:
        promotion.move_version(version=version, to=VersionState.VALIDATED, by=by)
    if not passed and version.state == VersionState.VALIDATED:
        promotion.move_version(version=version, to=VersionState.DRAFT, by=by)


@transaction.atomic
def requeue_report(*, report: ValidationReport, by: User) -> ValidationReport:
    """Take a report back from a worker that died.

    It is queued again; or ends, when somebody had asked to cancel it or it was tried
    often enough.
    """
    claim_id = report.claim_id
    report = locked(report)
    ensure(rules.can_requeue_report(by, report))
    if report.status != JobStatus.RUNNING or report.claim_id != claim_id:
        return report
    if report.cancel_requested_at is not None:
        return leave(report, JobStatus.CANCELLED, EventType.REPORT_CANCELLED, by)
    if report.attempt >= settings.JOB_MAX_ATTEMPTS:
        sentence = (
            f"The worker stopped unexpectedly {report.attempt} times. The data may be "
            "too large for it; ask an operator before you try again."
        )
        return _fail(report, "worker_lost", sentence, [], by)
    report = leave(report, JobStatus.QUEUED, EventType.REPORT_REQUEUED, by)
    send(report)
    return report


@transaction.atomic
def resend_report(*, report: ValidationReport, by: User) -> ValidationReport:
    """Knock again for a report whose message may be lost; nothing else changes."""
    report = locked(report)
    ensure(rules.can_resend_report(by, report))
    if report.status == JobStatus.QUEUED:
        report.queued_at = timezone.now()
        report.save(update_fields=["queued_at"])
        send(report)
    return report


def _fail(
    report: ValidationReport, code: str, message: str, details: list[Any], by: User
) -> ValidationReport:
    report.failure_code = code
    report.failure_message = _storable(message)
    report.failure_details = _storable(details)
    return leave(
        report,
        JobStatus.FAILED,
        EventType.REPORT_FAILED,
        by,
        {"code": report.failure_code},
    )
