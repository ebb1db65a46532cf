"""Reading of uploads in the background."""

from typing import Any

from apps.core.queue import task
from apps.datasets import actions, queries
from apps.datasets.models import DatasetVersion, SealedPart
from apps.jobs.execution import execute


@task("datasets.ingest_version")
def ingest_version(*, pk: str, **_: Any) -> None:
    """Read one uploaded version, unless another worker has it."""
    execute(
        DatasetVersion,
        pk,
        verb="ingest",
        prepare=queries.prepare_ingest,
        finish=actions.finish_ingest,
    )


@task("datasets.read_sealed_part")
def read_sealed_part(*, pk: str, **_: Any) -> None:
    """Read rows that nobody else will, unless another worker has them."""
    execute(
        SealedPart,
        pk,
        verb="ingest",
        prepare=queries.prepare_sealed_part,
        finish=actions.finish_sealed_part,
    )
