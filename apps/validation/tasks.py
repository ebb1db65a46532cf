"""Measuring of model versions in the background."""

from typing import Any

from apps.accounts.actions import service_account
from apps.core.queue import task
from apps.jobs.execution import execute
from apps.validation import actions, evaluation_inputs
from apps.validation.findings import findings_with_a_day
from apps.validation.models import ValidationReport


@task("validation.compute_report", queue="validation")
def compute_report(*, pk: str, **_: Any) -> None:
    """Have the engine compute one report, unless another worker has it."""
    execute(
        ValidationReport,
        pk,
        verb="evaluate",
        prepare=evaluation_inputs.prepare_report,
        finish=actions.finish_report,
    )


@task("validation.remind_of_findings")
def remind_of_findings(**_: Any) -> None:
    """Tell people which findings fall due, or are late."""
    worker = service_account()
    for finding in findings_with_a_day():
        actions.remind_of_finding(finding=finding, by=worker)
