"""Asking for a report, and taking the wish back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.models import JobStatus
from apps.registry.models import ModelVersion
from apps.validation import queries, rules
from apps.validation.actions.attempts import locked, send
from apps.validation.models import ValidationReport

if TYPE_CHECKING:
    from apps.accounts.models import User


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
    send(report)
    return report


@transaction.atomic
def cancel_report(*, report: ValidationReport, by: User) -> ValidationReport:
    """Stop a report: at once while it waits, within seconds while it runs.

    Raises:
        Refused: the person may not.
        WrongState: it is finished, or being cancelled already.
    """
    report = locked(report)
    ensure(rules.can_cancel_report(by, report))
    report.cancel_requested_at = timezone.now()
    event = EventType.REPORT_CANCEL_REQUESTED
    if report.status == JobStatus.QUEUED:
        report.advance(JobStatus.CANCELLED)
        event = EventType.REPORT_CANCELLED
    report.save()
    record(event, target=report, project=report.project, by=by)
    return report
