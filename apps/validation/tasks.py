"""Work on validation reports, done by the worker."""

from functools import partial
from typing import Any

from apps.accounts.actions import service_account
from apps.core.execution import execute
from apps.core.queue import task
from apps.core.sandbox import Outcome
from apps.validation import actions, queries
from apps.validation.models import ValidationReport


@task("validation.compute_report")
def compute_report(*, report_id: str, **kwargs: Any) -> None:
    """Have the engine measure a queued report; a report that is taken is left alone."""
    worker = service_account()

    def finish(report: ValidationReport, outcome: Outcome) -> None:
        actions.finish_report(report=report, outcome=outcome, by=worker)

    start = partial(actions.start_report, pk=report_id, by=worker)
    execute(verb="evaluate", start=start, prepare=queries.prepare_report, finish=finish)


@task("validation.sweep")
def sweep(**kwargs: Any) -> None:
    """Take reports back from dead workers and knock again for lost messages."""
    worker = service_account()
    for report in ValidationReport.objects.dead():
        actions.requeue_report(report=report, by=worker)
    for report in ValidationReport.objects.waiting_long():
        actions.resend_report(report=report, by=worker)
