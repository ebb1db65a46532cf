"""A worker reads what was uploaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core import blobs
from apps.core.models import JobStatus
from apps.core.queue import enqueue
from apps.datasets import rules
from apps.datasets.models import DatasetVersion

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.core.sandbox import Outcome
    from apps.datasets.models import DatasetVersionQuerySet

LOST_MESSAGE = (
    "The worker stopped {attempts} times while it read the file. Ask an operator, or "
    "upload a smaller part of it."
)


@transaction.atomic
def start_ingest(*, pk: str, by: User) -> DatasetVersion | None:
    """Claim a waiting version for the worker that calls.

    Returns:
        None when another worker has it, or nothing is left to do.

    Raises:
        Refused: only workers may.
    """
    waiting = DatasetVersion.objects.filter(pk=pk, status=JobStatus.QUEUED)
    version = _locked(waiting, skip_locked=True).first()
    if version is None:
        return None
    ensure(rules.can_start_ingest(by, version))
    version.advance(JobStatus.RUNNING)
    _save(version, EventType.DATASET_VERSION_STARTED, by, attempt=version.attempt)
    return version


@transaction.atomic
def finish_ingest(
    *, version: DatasetVersion, outcome: Outcome, by: User
) -> DatasetVersion:
    """Keep how the reading of a claimed version ended.

    Nothing happens when the version was given to another worker meanwhile.

    Raises:
        Refused: only workers may.
    """
    parquet = (
        blobs.store_path(outcome.folder / "outputs" / "data.parquet")
        if outcome.status == JobStatus.SUCCEEDED
        else None
    )
    claim_id = version.claim_id
    version = _locked(DatasetVersion.objects.filter(pk=version.pk)).get()
    ensure(rules.can_finish_ingest(by, version))
    if version.status != JobStatus.RUNNING or version.claim_id != claim_id:
        return version
    version.advance(JobStatus(outcome.status))
    if parquet:
        version.parquet_sha256 = parquet.sha256
        version.parquet_bytes = parquet.size_bytes
        version.row_count = outcome.result["row_count"]
        version.columns = outcome.result["schema"]
        version.profile = outcome.result["profile"]
        facts = {"rows": version.row_count, "parquet_sha256": parquet.sha256}
        _save(version, EventType.DATASET_VERSION_READY, by, **facts)
    elif version.status == JobStatus.CANCELLED:
        _save(version, EventType.DATASET_VERSION_CANCELLED, by)
    else:
        version.failure_details = outcome.details
        _save_failure(version, outcome.code, outcome.message, by)
    return version


@transaction.atomic
def requeue_ingest(*, version: DatasetVersion, by: User) -> DatasetVersion | None:
    """Take a version back from a worker that gives no sign of life.

    It is queued again, cancelled when that was asked for, or failed when it has cost
    too many workers.

    Returns:
        None when the worker is alive after all, or somebody else took the version back.

    Raises:
        Refused: only workers may.
    """
    dead = DatasetVersion.objects.dead().filter(pk=version.pk)
    found = _locked(dead, skip_locked=True).first()
    if found is None:
        return None
    ensure(rules.can_requeue_ingest(by, found))
    if found.cancel_requested_at:
        found.advance(JobStatus.CANCELLED)
        _save(found, EventType.DATASET_VERSION_CANCELLED, by)
    elif found.attempt >= settings.JOB_MAX_ATTEMPTS:
        found.advance(JobStatus.FAILED)
        message = LOST_MESSAGE.format(attempts=found.attempt)
        _save_failure(found, "worker_lost", message, by)
    else:
        found.advance(JobStatus.QUEUED)
        _save(found, EventType.DATASET_VERSION_REQUEUED, by, attempt=found.attempt)
        enqueue("datasets.ingest_version", pk=str(found.pk))
    return found


@transaction.atomic
def resend_ingest(*, version: DatasetVersion, by: User) -> DatasetVersion | None:
    """Knock again for a version that waits too long: its message may be lost.

    The version itself stays as it is, so this leaves no event.

    Returns:
        None when it waits no more.

    Raises:
        Refused: only workers may.
    """
    waiting = DatasetVersion.objects.waiting_long().filter(pk=version.pk)
    found = _locked(waiting, skip_locked=True).first()
    if found is None:
        return None
    ensure(rules.can_resend_ingest(by, found))
    found.queued_at = timezone.now()
    found.save(update_fields=["queued_at"])
    enqueue("datasets.ingest_version", pk=str(found.pk))
    return found


@transaction.atomic
def cancel_ingest(*, version: DatasetVersion, by: User) -> DatasetVersion:
    """Stop the reading: at once while it waits, else as soon as the worker looks.

    Raises:
        Refused: only who may upload.
        WrongState: it has ended, or cancelling was asked for already.
    """
    version = _locked(DatasetVersion.objects.filter(pk=version.pk)).get()
    ensure(rules.can_cancel_ingest(by, version))
    version.cancel_requested_at = timezone.now()
    if version.status == JobStatus.QUEUED:
        version.advance(JobStatus.CANCELLED)
        _save(version, EventType.DATASET_VERSION_CANCELLED, by)
    else:
        _save(version, EventType.DATASET_VERSION_CANCEL_REQUESTED, by)
    return version


def _locked(
    versions: DatasetVersionQuerySet, *, skip_locked: bool = False
) -> DatasetVersionQuerySet:
    return versions.select_for_update(
        of=("self",), skip_locked=skip_locked
    ).select_related("dataset__project")


def _save(version: DatasetVersion, event: EventType, by: User, **facts: Any) -> None:
    version.save()
    record(event, target=version, project=version.project, by=by, changes=facts)


def _save_failure(version: DatasetVersion, code: str, message: str, by: User) -> None:
    version.failure_code, version.failure_message = code, message
    facts = {"code": code, "message": message}
    _save(version, EventType.DATASET_VERSION_FAILED, by, **facts)
