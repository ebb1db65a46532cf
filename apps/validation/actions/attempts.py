"""What every change of a report has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.audit.record import record
from apps.core.queue import enqueue
from apps.validation.models import ValidationReport

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.audit.event_types import EventType
    from apps.core.models import JobStatus


def locked(report: ValidationReport) -> ValidationReport:
    rows = ValidationReport.objects.select_for_update(of=("self",))
    return rows.select_related("version__model__project").get(pk=report.pk)


def send(report: ValidationReport) -> None:
    enqueue("validation.compute_report", report_id=str(report.pk))


def leave(
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
