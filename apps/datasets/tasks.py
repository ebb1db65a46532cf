"""Reading of uploads in the background."""

from functools import partial
from typing import Any

from apps.accounts.actions import service_account
from apps.core.execution import execute
from apps.core.queue import task
from apps.datasets import actions, queries
from apps.datasets.models import DatasetVersion


@task("datasets.ingest_version")
def ingest_version(*, pk: str, **_: Any) -> None:
    """Read one uploaded version, unless another worker has it."""
    worker = service_account()
    execute(
        verb="ingest",
        start=partial(actions.start_ingest, pk=pk, by=worker),
        prepare=queries.prepare_ingest,
        finish=lambda version, outcome: actions.finish_ingest(
            version=version, outcome=outcome, by=worker
        ),
    )


@task("datasets.sweep")
def sweep(**_: Any) -> None:
    """Take versions back from dead workers, and repeat lost messages."""
    worker = service_account()
    for version in DatasetVersion.objects.dead():
        actions.requeue_ingest(version=version, by=worker)
    for version in DatasetVersion.objects.waiting_long():
        actions.resend_ingest(version=version, by=worker)
