"""Asking for reports, and what the worker does with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.digests import canonical_digest
from apps.core.errors import Invalid
from apps.core.queue import enqueue
from apps.jobs.actions import finish_job
from apps.jobs.models import JobStatus
from apps.registry import promotion
from apps.registry.actions.versions import locked_version
from apps.registry.models import ModelVersion, VersionState
from apps.validation import queries, rules
from apps.validation.carriers import FORMS, ReportFile, report_file
from apps.validation.evaluation_inputs import evaluation_spec
from apps.validation.models import Rows, SealedLook, ValidationReport, Verdict

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.core.sandbox import Outcome


@transaction.atomic
def request_report(
    *, version: ModelVersion, by: User, evaluated_on: str = Rows.HELD_OUT
) -> ValidationReport:
    """Have a worker measure `version` on rows it has not seen, by the present plan.

    Args:
        version: to be measured.
        by: a validator or data scientist.
        evaluated_on: a value of `Rows`; asking for sealed ones counts as a look.

    Raises:
        Invalid: there are no such rows.
        Refused: the person may not.
        WrongState: there is no plan, the version is in review or later, a report is
            being computed, a file to measure is missing, or no look is left.
    """
    if evaluated_on not in Rows.values:
        sentence = f"Choose one of {', '.join(Rows.values)}."
        raise Invalid(sentence, fields={"evaluated_on": sentence})
    # Looks at sealed rows by other versions of the model count with this one.
    version = locked_version(version)
    ensure(rules.can_request_report(by, version, evaluated_on))
    plan = version.model.validation_plans.latest("number")  # the rule saw one
    spec = evaluation_spec(version, plan)
    report = ValidationReport.objects.create(
        version=version,
        number=version.validation_reports.count() + 1,
        plan=plan,
        champion=queries.champion_to_beat(version, plan),
        spec=spec.to_json(),
        evaluated_on=evaluated_on,
        cost_unit=queries.mission_of(plan)["unit"] if spec.cost else "",
        requested_by=by,
    )
    record(
        EventType.REPORT_REQUESTED,
        target=report,
        project=version.project,
        by=by,
        changes={
            "plan": plan.number,
            "champion": str(report.champion or "none"),
            "evaluated_on": report.evaluated_on,
        },
    )
    if evaluated_on == Rows.SEALED:
        _count_look(report, by)
    enqueue(report.kind.task, pk=str(report.pk))
    return report


def _count_look(report: ValidationReport, by: User) -> None:
    standing = queries.known_sealed_standing(report.version)
    look = SealedLook.objects.create(
        report=report,
        part=standing.part,
        model=report.version.model,
        dataset=standing.part.version.dataset,
        number=standing.taken + 1,
        allowed=standing.allowed,
    )
    record(
        EventType.SEALED_LOOKED,
        target=standing.part,
        project=report.project,
        by=by,
        changes={
            "model": str(look.model),
            "report": str(report),
            "look": look.number,
            "allowed": look.allowed,
            "sealed_sha256": standing.part.parquet_sha256,
        },
    )


@transaction.atomic
def download_report(*, report: ValidationReport, form: str, by: User) -> ReportFile:
    """Hand out a finished report as a file, and keep who took it.

    Args:
        report: with everything it came from (`queries.with_origins`).
        form: a key of `carriers.FORMS`.
        by: the reader; names that they may not see are not in it.

    Raises:
        Invalid: there is no such form.
        Refused: the person does not see it.
        WrongState: the report is not finished.
    """
    if form not in FORMS:
        sentence = f"Choose one of {', '.join(FORMS)}."
        raise Invalid(sentence, fields={"format": sentence})
    ensure(rules.can_download_report(by, report))
    file = report_file(report, form, viewer=by)
    record(
        EventType.REPORT_DOWNLOADED,
        target=report,
        project=report.project,
        by=by,
        changes={"format": form, "digest": file.digest},
    )
    return file


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
    locked_version(job.version)  # before its reports, as in `request_report`

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
    if passed and report.decides and version.state != VersionState.VALIDATED:
        promotion.move_version(version=version, to=VersionState.VALIDATED, by=by)
    if not passed and version.state == VersionState.VALIDATED:
        promotion.move_version(version=version, to=VersionState.DRAFT, by=by)
