"""Asking for reports, and what the worker does with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.digests import canonical_digest
from apps.core.queue import enqueue
from apps.jobs.actions import finish_job
from apps.jobs.models import JobStatus
from apps.registry import promotion
from apps.registry.models import ModelVersion, VersionState
from apps.validation import queries, rules
from apps.validation.models import ValidationReport, Verdict

if TYPE_CHECKING:
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
    enqueue(report.kind.task, pk=str(report.pk))
    return report


@transaction.atomic
def finish_report(
    *, job: ValidationReport, outcome: Outcome, by: User
) -> ValidationReport | None:
    """Keep what came of a report, and give or take the version's standing.

    Returns:
        None when the report was given to another worker meanwhile.

    Raises:
        Refused: only workers may.
    """
    # In the order of `request_report`: the version before its reports.
    ModelVersion.objects.select_for_update().get(pk=job.version_id)

    def keep(report: ValidationReport) -> dict[str, Any]:
        report.result = outcome.result
        report.result_digest = canonical_digest(outcome.result)
        report.verdict = Verdict(outcome.result["verdict"])
        report.progress_ratio = 1.0
        return {"verdict": report.verdict, "result_digest": report.result_digest}

    report = finish_job(job=job, outcome=outcome, by=by, keep=keep)
    if report and report.status == JobStatus.SUCCEEDED:
        _move_version(report, by)
    return report


def _move_version(report: ValidationReport, by: User) -> None:
    version = report.version
    passed = report.verdict == Verdict.PASS
    if passed and version.state == VersionState.DRAFT:
        promotion.move_version(version=version, to=VersionState.VALIDATED, by=by)
    if not passed and version.state == VersionState.VALIDATED:
        promotion.move_version(version=version, to=VersionState.DRAFT, by=by)
