"""Measuring of model versions in the background."""

from typing import Any

from apps.core.queue import task
from apps.jobs.execution import execute
from apps.validation import actions, queries
from apps.validation.models import ValidationReport


@task("validation.compute_report", queue="validation")
def compute_report(*, pk: str, **_: Any) -> None:
    """Have the engine compute one report, unless another worker has it."""
    execute(
        ValidationReport,
        pk,
        verb="evaluate",
        prepare=queries.prepare_report,
        finish=actions.finish_report,
    )
