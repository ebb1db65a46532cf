"""Reading of uploads in the background."""

from typing import Any

from apps.core.queue import task
from apps.datasets import actions, queries
from apps.datasets.models import DatasetVersion
from apps.jobs.execution import execute


@task("datasets.ingest_version", queue="ingest")
def ingest_version(*, pk: str, **_: Any) -> None:
    """Read one uploaded version, unless another worker has it."""
    execute(
        DatasetVersion,
        pk,
        verb="ingest",
        prepare=queries.prepare_ingest,
        finish=actions.finish_ingest,
    )
