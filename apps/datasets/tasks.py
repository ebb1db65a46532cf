"""Reading of uploads in the background, and removing unfinished ones."""

import time
from typing import Any

from apps.accounts.actions import service_account
from apps.core import blobs
from apps.core.queue import task
from apps.datasets import actions, parts, queries
from apps.datasets.models import DatasetVersion, Upload
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
