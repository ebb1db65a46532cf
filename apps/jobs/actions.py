"""The life of a job, the same for every kind of work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.access.checks import ensure
from apps.audit.record import record
from apps.core.queue import enqueue
from apps.jobs import rules
from apps.jobs.models import BackgroundJob, JobStatus

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.audit.event_types import EventType
    from apps.core.sandbox import Outcome

J = TypeVar("J", bound=BackgroundJob)
# Takes what a successful engine left into the job; returns the facts of the event.
Keep = Callable[[J], dict[str, Any]]


@transaction.atomic
def start_job(*, model: type[J], pk: str, by: User) -> J | None:
    """Claim a waiting job for the worker that calls.

    Returns:
        None when another worker has it, or nothing is left to do.

    Raises:
        Refused: only workers may.
    """
    waiting = model.rows().filter(pk=pk, status=JobStatus.QUEUED)
    job = waiting.select_for_update(skip_locked=True).first()
    if job is None:
        return None
    ensure(rules.can_start_job(by, job))
    return _move(job, JobStatus.RUNNING, by, attempt=job.attempt + 1)


@transaction.atomic
def finish_job(*, job: J, outcome: Outcome, by: User, keep: Keep[J]) -> J | None:
    """Store how a claimed job ended.

    Args:
        job: as `start_job` gave it.
        outcome: of the engine.
        by: the worker that claimed the job.
        keep: called with the locked job when the engine succeeded.

    Returns:
        None when the job was ended, or given to another worker, meanwhile.

    Raises:
        Refused: only workers may.
    """
    running = job.rows().filter(pk=job.pk, status=JobStatus.RUNNING)
    held = running.filter(claim_id=job.claim_id).select_for_update().first()
    if held is None:
        return None
    ensure(rules.can_finish_job(by, held))
    if outcome.status == JobStatus.FAILED:
        held.failure_details = outcome.details
        return _fail(held, outcome.code, outcome.message, by)
    facts = keep(held) if outcome.status == JobStatus.SUCCEEDED else {}
    return _move(held, JobStatus(outcome.status), by, **facts)


@transaction.atomic
def requeue_job(*, job: J, by: User) -> J | None:
    """Take a job back from a worker that gives no sign of life.

    It is queued again, cancelled when that was asked for, or failed when it has cost
    too many workers.

    Returns:
        None when the worker is alive after all, or somebody else took the job back.

    Raises:
        Refused: only workers may.
    """
    dead = job.rows().dead().filter(pk=job.pk)
    found = dead.select_for_update(skip_locked=True).first()
    if found is None:
        return None
    ensure(rules.can_requeue_job(by, found))
    if found.cancel_requested_at:
        return _move(found, JobStatus.CANCELLED, by)
    if found.attempt >= settings.JOB_MAX_ATTEMPTS:
        message = found.kind.lost_message.format(attempts=found.attempt)
        return _fail(found, "worker_lost", message, by)
    enqueue(found.kind.task, pk=str(found.pk))
    return _move(found, JobStatus.QUEUED, by, attempt=found.attempt)


@transaction.atomic
def hand_back_job(*, job: J, by: User) -> J | None:
    """Queue a claimed job again because its worker stops; that costs it no attempt.

    Returns:
        None when the job was ended, or given to another worker, meanwhile.

    Raises:
        Refused: only workers may.
    """
    running = job.rows().filter(pk=job.pk, status=JobStatus.RUNNING)
    held = running.filter(claim_id=job.claim_id).select_for_update().first()
    if held is None:
        return None
    ensure(rules.can_hand_back_job(by, held))
    if held.cancel_requested_at:
        return _move(held, JobStatus.CANCELLED, by)
    held.attempt -= 1
    enqueue(held.kind.task, pk=str(held.pk))
    return _move(held, JobStatus.QUEUED, by, reason="The worker stopped")


@transaction.atomic
def resend_job(*, job: J, by: User) -> J | None:
    """Knock again for a job that waits too long: its message may be lost.

    The job itself stays as it is, so this leaves no event.

    Returns:
        None when it waits no more.

    Raises:
        Refused: only workers may.
    """
    waiting = job.rows().waiting_long().filter(pk=job.pk)
    found = waiting.select_for_update(skip_locked=True).first()
    if found is None:
        return None
    ensure(rules.can_resend_job(by, found))
    found.queued_at = timezone.now()
    found.save(update_fields=["queued_at"])
    enqueue(found.kind.task, pk=str(found.pk))
    return found


@transaction.atomic
def cancel_job(*, job: J, by: User) -> J:
    """Stop a job: at once while it waits, else as soon as its worker looks.

    Raises:
        Refused: only who may ask for such a job.
        WrongState: it has ended, or cancelling was asked for already.
    """
    job = job.rows().select_for_update().get(pk=job.pk)
    ensure(rules.can_cancel_job(by, job))
    job.cancel_requested_at = timezone.now()
    if job.status == JobStatus.RUNNING:
        return _save(job, job.kind.cancel_requested, by)
    return _move(job, JobStatus.CANCELLED, by)


def _fail(job: J, code: str, message: str, by: User) -> J:
    job.failure_code, job.failure_message = code, message
    return _move(job, JobStatus.FAILED, by, code=code, message=message)


def _move(job: J, to: JobStatus, by: User, **facts: Any) -> J:
    job.advance(to)
    return _save(job, job.kind.events[to], by, **facts)


def _save(job: J, event: EventType, by: User, **facts: Any) -> J:
    job.save()
    record(event, target=job, project=job.project, by=by, changes=facts)
    return job
