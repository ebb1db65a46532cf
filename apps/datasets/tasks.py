"""Reading and comparing of versions in the background, and what uploads leave."""

import time
from pathlib import Path
from typing import Any

from apps.accounts.actions import service_account
from apps.core import blobs
from apps.core.queue import task
from apps.core.sandbox import Outcome, Watch
from apps.datasets import actions, parts, queries
from apps.datasets.intake import bring_in
from apps.datasets.models import DatasetVersion, SealedPart, Upload, VersionDiff
from apps.jobs.execution import carry_out, execute, run_engine


@task("datasets.ingest_version", queue="ingest")
def ingest_version(*, pk: str, **_: Any) -> None:
    """Read one version, unless another worker has it."""
    carry_out(DatasetVersion, pk, work=_read, finish=actions.finish_ingest)


def _read(version: DatasetVersion, folder: Path, watch: Watch) -> Outcome:
    stopped = bring_in(version, folder, watch)
    return stopped or run_engine(
        version, folder, watch, verb="ingest", prepare=queries.prepare_ingest
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


@task("datasets.expire_uploads")
def expire_uploads(**_: Any) -> None:
    """Remove what nobody goes on with, and what killed processes left."""
    worker = service_account()
    for upload in Upload.objects.kept_too_long():
        actions.expire_upload(upload=upload, by=worker)
    before = time.time() - LEFT_SECONDS
    parts.remove_strays(before, lambda pk: Upload.objects.open().filter(pk=pk).exists())
    blobs.remove_old_drafts(before)


LEFT_SECONDS = 24 * 60 * 60


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
