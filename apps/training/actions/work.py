"""A worker carries training out."""

from __future__ import annotations

import json
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
from apps.experiments.actions import (
    ArtifactFile,
    MetricPoint,
    RunContent,
    record_run,
)
from apps.experiments.models import RunSource
from apps.training import rules
from apps.training.models import TrainingJob

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.core.sandbox import Outcome
    from apps.training.models import TrainingJobQuerySet

LOST_MESSAGE = (
    "The worker stopped {attempts} times during this training. Use less data or a "
    "smaller search, or ask an operator."
)
SUMMARY_KEYS = ("figures", "signature", "threshold", "rows", "split_digest", "onnx")


class OutsideOutputs(ValueError):
    """The engine named a file that is not in its folder of outputs."""


@transaction.atomic
def start_training(*, pk: str, by: User) -> TrainingJob | None:
    """Claim a waiting job for the worker that calls.

    Returns:
        None when another worker has it, or nothing is left to do.

    Raises:
        Refused: only workers may.
    """
    waiting = TrainingJob.objects.filter(pk=pk, status=JobStatus.QUEUED)
    job = _locked(waiting, skip_locked=True).first()
    if job is None:
        return None
    ensure(rules.can_start_training(by, job))
    job.advance(JobStatus.RUNNING)
    _save(job, EventType.TRAINING_STARTED, by, attempt=job.attempt)
    return job


@transaction.atomic
def finish_training(*, job: TrainingJob, outcome: Outcome, by: User) -> TrainingJob:
    """Keep how a claimed job ended; a success becomes a run.

    Nothing happens when the job was given to another worker meanwhile.

    Raises:
        OutsideOutputs: the engine named a file that is not its own.
        Refused: only workers may.
    """
    # Files first: storing them takes time, and the row shall not be locked for it.
    artifacts = _store_files(outcome)
    claim_id = job.claim_id
    job = _locked(TrainingJob.objects.filter(pk=job.pk)).get()
    ensure(rules.can_finish_training(by, job))
    if job.status != JobStatus.RUNNING or job.claim_id != claim_id:
        return job
    job.advance(JobStatus(outcome.status))
    if job.status == JobStatus.SUCCEEDED:
        job.run = record_run(
            experiment=job.experiment, content=_content(job, outcome, artifacts), by=by
        )
        job.progress_ratio, job.stage = 1.0, "Finished"
        _save(job, EventType.TRAINING_FINISHED, by, run=str(job.run.pk))
    elif job.status == JobStatus.CANCELLED:
        _save(job, EventType.TRAINING_CANCELLED, by)
    else:
        job.failure_details = outcome.details
        _save_failure(job, outcome.code, outcome.message, by)
    return job


def _store_files(outcome: Outcome) -> list[ArtifactFile]:
    """Store what a successful engine says it wrote; nothing for other outcomes."""
    outputs = (outcome.folder / "outputs").resolve()
    artifacts = []
    for file in outcome.result.get("files", []):
        path = (outcome.folder / file["path"]).resolve()
        if not path.is_relative_to(outputs):
            raise OutsideOutputs(f"{file['path']} is not among the outputs.")
        name = path.relative_to(outputs).as_posix()
        blob = blobs.store_path(path)
        artifacts.append(ArtifactFile(name, blob, file["media_type"]))
    return artifacts


def _content(
    job: TrainingJob, outcome: Outcome, artifacts: list[ArtifactFile]
) -> RunContent:
    result = outcome.result
    final = [MetricPoint(key, value) for key, value in result["metrics"].items()]
    history = [
        MetricPoint(point["key"], point["value"], point["step"])
        for point in result["metric_history"]
    ]
    environment = outcome.folder / "outputs" / "environment.json"
    return RunContent(
        name=job.name,
        source=RunSource.TRAINING,
        parameters=result["parameters"],
        metrics=[*final, *history],
        artifacts=artifacts,
        dataset_version=job.dataset_version,
        summary={
            **{key: result[key] for key in SUMMARY_KEYS},
            "environment": json.loads(environment.read_text()),
        },
    )


@transaction.atomic
def requeue_training(*, job: TrainingJob, by: User) -> TrainingJob | None:
    """Take a job back from a worker that gives no sign of life.

    It is queued again, cancelled when that was asked for, or failed when it has cost
    too many workers.

    Returns:
        None when the worker is alive after all, or somebody else took the job back.

    Raises:
        Refused: only workers may.
    """
    dead = TrainingJob.objects.dead().filter(pk=job.pk)
    found = _locked(dead, skip_locked=True).first()
    if found is None:
        return None
    ensure(rules.can_requeue_training(by, found))
    if found.cancel_requested_at:
        found.advance(JobStatus.CANCELLED)
        _save(found, EventType.TRAINING_CANCELLED, by)
    elif found.attempt >= settings.JOB_MAX_ATTEMPTS:
        found.advance(JobStatus.FAILED)
        message = LOST_MESSAGE.format(attempts=found.attempt)
        _save_failure(found, "worker_lost", message, by)
    else:
        found.advance(JobStatus.QUEUED)
        _save(found, EventType.TRAINING_REQUEUED, by, attempt=found.attempt)
        enqueue("training.run_training", pk=str(found.pk))
    return found


@transaction.atomic
def resend_training(*, job: TrainingJob, by: User) -> TrainingJob | None:
    """Knock again for a job that waits too long: its message may be lost.

    The job itself stays as it is, so this leaves no event.

    Returns:
        None when it waits no more.

    Raises:
        Refused: only workers may.
    """
    waiting = TrainingJob.objects.waiting_long().filter(pk=job.pk)
    found = _locked(waiting, skip_locked=True).first()
    if found is None:
        return None
    ensure(rules.can_resend_training(by, found))
    found.queued_at = timezone.now()
    found.save(update_fields=["queued_at"])
    enqueue("training.run_training", pk=str(found.pk))
    return found


def _locked(
    jobs: TrainingJobQuerySet, *, skip_locked: bool = False
) -> TrainingJobQuerySet:
    return jobs.select_for_update(of=("self",), skip_locked=skip_locked).select_related(
        "experiment__project", "dataset_version"
    )


def _save(job: TrainingJob, event: EventType, by: User, **facts: Any) -> None:
    job.save()
    record(event, target=job, project=job.project, by=by, changes=facts)


def _save_failure(job: TrainingJob, code: str, message: str, by: User) -> None:
    job.failure_code, job.failure_message = code, message
    _save(job, EventType.TRAINING_FAILED, by, code=code, message=message)
