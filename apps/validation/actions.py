"""Everything that changes validation plans and reports."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import rfc8785
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import difference, record
from apps.core.errors import Invalid
from apps.core.models import JobStatus
from apps.core.queue import enqueue
from apps.registry import promotion
from apps.registry.models import ModelVersion, RegisteredModel, VersionState
from apps.validation import queries, rules
from apps.validation.criteria import check_criteria
from apps.validation.models import ValidationPlan, ValidationReport, Verdict

if TYPE_CHECKING:
    from uuid import UUID

    from apps.accounts.models import User
    from apps.core.sandbox import Outcome

MAX_SUBGROUP_COLUMNS = 10


@transaction.atomic
def write_plan(
    *,
    model: RegisteredModel,
    criteria: Sequence[Mapping[str, Any]],
    subgroup_columns: Sequence[str],
    reason: str,
    by: User,
) -> ValidationPlan:
    """Declare what every version of `model` must do from now on.

    Args:
        model: whose versions are judged.
        criteria: each with `measure`, `operator`, `threshold` and `blocking`.
        subgroup_columns: columns by which results are told apart.
        reason: why; needed when a report exists that could have been seen.
        by: a validator or data scientist.

    Raises:
        Invalid: a criterion cannot be judged, a column is unknown, a reason is
            missing, or nothing differs from the present plan.
        Refused: the person may not.
    """
    model = RegisteredModel.objects.select_for_update().get(pk=model.pk)
    ensure(rules.can_write_plan(by, model))
    version = queries.newest_version(model)
    former = queries.latest_plan(model)
    plan = ValidationPlan(
        model=model,
        number=former.number + 1 if former else 1,
        criteria=check_criteria(criteria, queries.question_of(version).task),
        subgroup_columns=_check_columns(subgroup_columns, version),
        reason=reason.strip(),
        written_by=by,
    )
    changes = _plan_changes(former, plan)
    _check_change(changes, plan)
    plan.save()
    record(
        EventType.PLAN_WRITTEN,
        target=plan,
        project=model.project,
        by=by,
        changes=changes,
        reason=plan.reason,
    )
    return plan


def _check_columns(names: Sequence[str], version: ModelVersion) -> list[str]:
    known = queries.subgroup_candidates(version)
    chosen = list(dict.fromkeys(names))
    if unknown := [name for name in chosen if name not in known]:
        raise Invalid(
            f"The data of this model has no column {unknown[0][:100]}.",
            fields={"subgroup_columns": "Choose columns of the model's data."},
        )
    if len(chosen) > MAX_SUBGROUP_COLUMNS:
        sentence = f"Choose at most {MAX_SUBGROUP_COLUMNS} columns."
        raise Invalid(sentence, fields={"subgroup_columns": sentence})
    return chosen


def _plan_changes(
    former: ValidationPlan | None, plan: ValidationPlan
) -> dict[str, Any]:
    def said(one: ValidationPlan | None) -> dict[str, Any]:
        return {
            "criteria": one.criteria_in_words if one else [],
            "subgroup_columns": one.subgroup_columns if one else [],
        }

    return difference(said(former), said(plan))


def _check_change(changes: dict[str, Any], plan: ValidationPlan) -> None:
    if not changes:
        raise Invalid(
            f"The present plan, {plan.number - 1}, says exactly this already."
        )
    if not plan.reason and queries.has_reports(plan.model):
        raise Invalid(
            "There is a report on this model already, so say why the criteria change.",
            fields={"reason": "Give the reason for the change."},
        )


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
        return _end(report, JobStatus.CANCELLED, EventType.REPORT_CANCELLED, by)
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
    report = _end(report, JobStatus.SUCCEEDED, EventType.REPORT_FINISHED, by, facts)
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
    report = _locked(report)
    ensure(rules.can_requeue_report(by, report))
    if report.status != JobStatus.RUNNING or report.claim_id != claim_id:
        return report
    if report.cancel_requested_at is not None:
        return _end(report, JobStatus.CANCELLED, EventType.REPORT_CANCELLED, by)
    if report.attempt >= settings.JOB_MAX_ATTEMPTS:
        sentence = (
            f"The worker stopped unexpectedly {report.attempt} times. The data may be "
            "too large for it; ask an operator before you try again."
        )
        return _fail(report, "worker_lost", sentence, [], by)
    report = _end(report, JobStatus.QUEUED, EventType.REPORT_REQUEUED, by)
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


def _locked(report: ValidationReport) -> ValidationReport:
    rows = ValidationReport.objects.select_for_update(of=("self",))
    return rows.select_related("version__model__project").get(pk=report.pk)


def _send(report: ValidationReport) -> None:
    enqueue("validation.compute_report", report_id=str(report.pk))


def _fail(
    report: ValidationReport, code: str, message: str, details: list[Any], by: User
) -> ValidationReport:
    report.failure_code = code
    report.failure_message = _storable(message)
    report.failure_details = _storable(details)
    return _end(
        report,
        JobStatus.FAILED,
        EventType.REPORT_FAILED,
        by,
        {"code": report.failure_code},
    )


def _end(
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
