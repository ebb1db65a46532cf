"""The life that jobs of every kind share."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.access.roles import WORKER
from apps.audit.models import AuditEvent
from apps.core.errors import Refused, WrongState
from apps.core.sandbox import Outcome
from apps.jobs import actions
from apps.jobs.models import JobStatus
from tests.trail import (
    FailedHalfWay,
    no_room_for_events,
    nothing_recorded,
    one_event,
)

SUCCEEDED = Outcome("succeeded", Path())
CANCELLED = Outcome("cancelled", Path())


def nothing(_job) -> dict:
    pytest.fail("there is nothing to keep")


def finish(job, outcome, by, keep=nothing):
    return actions.finish_job(job=job, outcome=outcome, by=by, keep=keep)


def fall_silent(job) -> None:
    """Let every sign of the job be old."""
    long_ago = timezone.now() - timedelta(hours=1)
    job.rows().update(heartbeat_at=long_ago, queued_at=long_ago)


def kind_of_event(job, status) -> str:
    return job.kind.events[status]


def test_start_job_claims_once(waiting, worker):
    with one_event(kind_of_event(waiting, JobStatus.RUNNING)) as found:
        first = actions.start_job(model=type(waiting), pk=waiting.pk, by=worker)
        second = actions.start_job(model=type(waiting), pk=waiting.pk, by=worker)

    assert (first.status, first.attempt) == (JobStatus.RUNNING, 1)
    assert second is None
    assert found[0].changes == {"attempt": 1}


def test_start_job_that_is_unknown_does_nothing(waiting, worker):
    assert actions.start_job(model=type(waiting), pk=uuid4(), by=worker) is None


def test_finish_job_keeps_why_it_failed(running, worker, failure):
    with one_event(kind_of_event(running, JobStatus.FAILED)) as found:
        job = finish(running, failure, worker)

    job.refresh_from_db()
    assert (job.status, job.failure_code) == (JobStatus.FAILED, "bad_input")
    assert job.failure_message == "Row 2 does not fit."
    assert job.failure_details == [2]
    assert found[0].changes == {"code": "bad_input", "message": "Row 2 does not fit."}


def test_finish_job_ends_a_cancelled_one(running, worker):
    with one_event(kind_of_event(running, JobStatus.CANCELLED)):
        job = finish(running, CANCELLED, worker)

    assert job.status == JobStatus.CANCELLED


def test_finish_job_twice_has_one_effect(running, worker):
    finish(running, CANCELLED, worker)

    with nothing_recorded():
        assert finish(running, SUCCEEDED, worker) is None


def test_finish_job_by_a_worker_that_lost_the_claim_changes_nothing(
    running, worker, failure
):
    fall_silent(running)
    actions.requeue_job(job=running, by=worker)
    taken = actions.start_job(model=type(running), pk=running.pk, by=worker)

    with nothing_recorded():
        for outcome in (failure, SUCCEEDED, CANCELLED):
            assert finish(running, outcome, worker) is None

    taken.refresh_from_db()
    assert (taken.status, taken.attempt) == (JobStatus.RUNNING, 2)


def test_finish_job_whose_result_cannot_be_kept_changes_nothing(running, worker):
    def keep(job):
        return {"digits": job.no_such_field}

    with nothing_recorded(), pytest.raises(AttributeError):
        finish(running, SUCCEEDED, worker, keep)

    running.refresh_from_db()
    assert running.status == JobStatus.RUNNING


def test_finish_job_without_its_event_does_not_happen(running, worker, failure):
    with no_room_for_events(), pytest.raises(FailedHalfWay):
        finish(running, failure, worker)

    running.refresh_from_db()
    assert running.status == JobStatus.RUNNING


def test_requeue_job_gives_a_lost_job_back(
    running, worker, django_capture_on_commit_callbacks
):
    fall_silent(running)

    with (
        one_event(kind_of_event(running, JobStatus.QUEUED)) as found,
        django_capture_on_commit_callbacks() as sent,
    ):
        job = actions.requeue_job(job=running, by=worker)
        again = actions.requeue_job(job=running, by=worker)

    assert (job.status, job.claim_id) == (JobStatus.QUEUED, None)
    assert again is None
    assert found[0].changes == {"attempt": 1}
    assert len(sent) == 1


def test_hand_back_job_queues_it_again_at_no_cost(
    running, worker, django_capture_on_commit_callbacks
):
    with (
        django_capture_on_commit_callbacks() as sent,
        one_event(kind_of_event(running, JobStatus.QUEUED)) as found,
    ):
        job = actions.hand_back_job(job=running, by=worker)
        again = actions.hand_back_job(job=running, by=worker)

    assert (job.status, job.attempt, job.claim_id) == (JobStatus.QUEUED, 0, None)
    assert again is None
    assert len(sent) == 1
    assert found[0].changes == {"reason": "The worker stopped"}


def test_hand_back_job_cancels_when_that_was_asked_for(running, worker, data_scientist):
    actions.cancel_job(job=running, by=data_scientist)

    job = actions.hand_back_job(job=running, by=worker)

    assert job.status == JobStatus.CANCELLED


def test_requeue_job_leaves_a_living_worker_alone(running, worker):
    with nothing_recorded():
        assert actions.requeue_job(job=running, by=worker) is None


def test_requeue_job_cancels_when_that_was_asked_for(running, worker, data_scientist):
    actions.cancel_job(job=running, by=data_scientist)
    fall_silent(running)

    with one_event(kind_of_event(running, JobStatus.CANCELLED)):
        job = actions.requeue_job(job=running, by=worker)

    assert job.status == JobStatus.CANCELLED


def test_requeue_job_gives_up_after_too_many_attempts(running, worker, settings):
    settings.JOB_MAX_ATTEMPTS = 1
    fall_silent(running)

    with one_event(kind_of_event(running, JobStatus.FAILED)):
        job = actions.requeue_job(job=running, by=worker)

    assert (job.status, job.failure_code) == (JobStatus.FAILED, "worker_lost")
    assert job.failure_message == job.kind.lost_message.format(attempts=1)


def test_resend_job_knocks_again_without_an_event(
    waiting, worker, django_capture_on_commit_callbacks
):
    fall_silent(waiting)

    with nothing_recorded(), django_capture_on_commit_callbacks() as sent:
        job = actions.resend_job(job=waiting, by=worker)
        again = actions.resend_job(job=waiting, by=worker)

    assert job.status == JobStatus.QUEUED
    assert again is None
    assert len(sent) == 1


def test_cancel_job_while_it_waits_is_final(waiting, worker, data_scientist):
    with one_event(kind_of_event(waiting, JobStatus.CANCELLED)):
        job = actions.cancel_job(job=waiting, by=data_scientist)

    assert job.status == JobStatus.CANCELLED
    assert actions.start_job(model=type(job), pk=job.pk, by=worker) is None


def test_cancel_job_while_it_runs_asks_the_worker(running, data_scientist):
    with one_event(running.kind.cancel_requested):
        job = actions.cancel_job(job=running, by=data_scientist)

    assert job.status == JobStatus.RUNNING
    assert job.rows().is_cancel_requested(claim_id=running.claim_id)


@pytest.mark.parametrize("person", ["developer", "auditor", "administrator", "worker"])
def test_cancel_job_is_for_those_who_may_ask_for_one(waiting, world, person):
    with nothing_recorded(), pytest.raises(Refused):
        actions.cancel_job(job=waiting, by=getattr(world, person))


def test_cancel_job_is_asked_for_once(running, data_scientist):
    job = actions.cancel_job(job=running, by=data_scientist)

    with nothing_recorded(), pytest.raises(WrongState, match="was asked for"):
        actions.cancel_job(job=job, by=data_scientist)


def test_cancel_job_that_has_ended_is_too_late(running, worker, data_scientist):
    finish(running, CANCELLED, worker)

    with nothing_recorded(), pytest.raises(WrongState, match="has ended"):
        actions.cancel_job(job=running, by=data_scientist)


def test_only_workers_carry_jobs_out(waiting, worker, data_scientist, failure):
    model, by = type(waiting), data_scientist
    fall_silent(waiting)
    with pytest.raises(Refused, match=WORKER.title.lower()):
        actions.resend_job(job=waiting, by=by)
    with pytest.raises(Refused, match=WORKER.title.lower()):
        actions.start_job(model=model, pk=waiting.pk, by=by)

    running = actions.start_job(model=model, pk=waiting.pk, by=worker)
    fall_silent(running)

    with nothing_recorded():
        with pytest.raises(Refused, match=WORKER.title.lower()):
            finish(running, failure, by)
        with pytest.raises(Refused, match=WORKER.title.lower()):
            actions.requeue_job(job=running, by=by)
    assert AuditEvent.objects.latest("pk").actor_id == worker.pk
