"""Reading and comparing of versions in the background."""

from typing import Any

from apps.core.queue import task
from apps.datasets import actions, queries
from apps.datasets.models import DatasetVersion, SealedPart, VersionDiff
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


@task("datasets.read_sealed_part", queue="ingest")
def read_sealed_part(*, pk: str, **_: Any) -> None:
    """Read rows that nobody else will, unless another worker has them."""
    execute(
        SealedPart,
        pk,
        verb="ingest",
        prepare=queries.prepare_sealed_part,
        finish=actions.finish_sealed_part,
    )


@task("datasets.compare_versions")
def compare_versions(*, pk: str, **_: Any) -> None:
    """Compare two versions, unless another worker does."""
    execute(
        VersionDiff,
        pk,
        verb="compare",
        prepare=queries.prepare_diff,
        finish=actions.finish_diff,
    )
