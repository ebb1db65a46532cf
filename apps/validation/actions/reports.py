"""Asking for reports, and what the worker does with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.digests import canonical_digest
from apps.core.models import JobStatus
from apps.core.queue import enqueue
from apps.registry import promotion
from apps.registry.models import ModelVersion, VersionState
from apps.validation import queries, rules
from apps.validation.models import ValidationReport, Verdict

if TYPE_CHECKING:
    from uuid import UUID

    from apps.accounts.models import User
    from apps.core.sandbox import Outcome


@transaction.atomic
def request_report(*, version: ModelVersion, by: User) -> ValidationReport:
    """Have a worker measure `version` on held-out data, judged by the present plan.

    Raises:
        Refused: the person may not.
        WrongState: there is no plan, the version is in review or later, a report is
            being computed, or a file to measure is missing.
    """
    version = ModelVersion.objects.select_for_update().get(pk=version.pk)
    ensure(rules.can_request_report(by, version))
    plan = version.model.validation_plans.latest("number")  # the rule saw one
    spec = queries.evaluation_spec(version, plan)
    objective = queries.objective_of(version.project)
    report = ValidationReport.objects.create(
        version=version,
        number=version.validation_reports.count() + 1,
        plan=plan,
        champion=queries.champion_to_beat(version),
        spec=spec.to_json(),
        cost_unit=objective.unit if objective and spec.cost else "",
        requested_by=by,
    )
    record(
        EventType.REPORT_REQUESTED,
        target=report,
        project=version.project,
        by=by,
        changes={"plan": plan.number, "champion": str(report.champion or "none")},
    )
    _send(report)
    return report


@transaction.atomic
def cancel_report(*, report: ValidationReport, by: User) -> ValidationReport:
    """Stop a report: at once while it waits, within seconds while it runs.

    Raises:
        Refused: the person may not.
        WrongState: it is finished, or being cancelled already.
    """
    report = _locked(report)
    ensure(rules.can_cancel_report(by, report))
    report.cancel_requested_at = timezone.now()
    event = EventType.REPORT_CANCEL_REQUESTED
    if report.status == JobStatus.QUEUED:
        report.advance(JobStatus.CANCELLED)
        event = EventType.REPORT_CANCELLED
    report.save()
    record(event, target=report, project=report.project, by=by)
    return report


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
    report = _locked(report)
    ensure(rules.can_finish_report(by, report))
    if report.status != JobStatus.RUNNING or report.claim_id != claim_id:
        return report
    if outcome.status == "succeeded":
        return _succeed(report, outcome.result, by)
    if outcome.status == "cancelled":
        return _leave(report, JobStatus.CANCELLED, EventType.REPORT_CANCELLED, by)
    return _fail(report, outcome.code, outcome.message, outcome.details, by)


def _succeed(
    report: ValidationReport, result: dict[str, Any], by: User
) -> ValidationReport:
    report.result = result
    report.result_digest = canonical_digest(result)
    report.verdict = Verdict(result["verdict"])
    report.progress_ratio = 1.0
    facts = {"verdict": report.verdict, "result_digest": report.result_digest}
    report = _leave(report, JobStatus.SUCCEEDED, EventType.REPORT_FINISHED, by, facts)
    _move_version(report, by)
    return report


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
    report = _locked(report)
    ensure(rules.can_requeue_report(by, report))
    if report.status != JobStatus.RUNNING or report.claim_id != claim_id:
        return report
    if report.cancel_requested_at is not None:
        return _leave(report, JobStatus.CANCELLED, EventType.REPORT_CANCELLED, by)
    if report.attempt >= settings.JOB_MAX_ATTEMPTS:
        sentence = (
            f"Attempts made: {report.attempt}; each time the worker stopped "
            "unexpectedly. The data may be too large for it; ask an operator before "
            "you try again."
        )
        return _fail(report, "worker_lost", sentence, [], by)
    report = _leave(report, JobStatus.QUEUED, EventType.REPORT_REQUEUED, by)
    _send(report)
    return report


@transaction.atomic
def resend_report(*, report: ValidationReport, by: User) -> ValidationReport:
    """Knock again for a report whose message may be lost; nothing else changes."""
    report = _locked(report)
    ensure(rules.can_resend_report(by, report))
    if report.status == JobStatus.QUEUED:
        report.queued_at = timezone.now()
        report.save(update_fields=["queued_at"])
        _send(report)
    return report


def _fail(
    report: ValidationReport, code: str, message: str, details: list[Any], by: User
) -> ValidationReport:
    report.failure_code = code
    report.failure_message = message
    report.failure_details = details
    return _leave(
        report,
        JobStatus.FAILED,
        EventType.REPORT_FAILED,
        by,
        {"code": report.failure_code},
    )


def _locked(report: ValidationReport) -> ValidationReport:
    rows = ValidationReport.objects.select_for_update(of=("self",))
    return rows.select_related("version__model__project").get(pk=report.pk)


def _send(report: ValidationReport) -> None:
    enqueue("validation.compute_report", report_id=str(report.pk))


def _leave(
    report: ValidationReport,
    status: JobStatus,
    event: EventType,
    by: User,
    facts: dict[str, Any] | None = None,
) -> ValidationReport:
    """Leave the present attempt for `status`, with its event."""
    report.advance(status)
    report.save()
    record(event, target=report, project=report.project, by=by, changes=facts)
    return report
