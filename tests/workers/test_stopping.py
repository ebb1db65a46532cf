"""A deploy: workers are told to stop while they work."""

import signal

import pytest

from apps.jobs.models import JobStatus, Worker
from tests.workers.conftest import engines_of, wait_for
from tests.workers.test_training import (
    ENDLESS,
    SLOW,
    assert_finished_once,
    data,
    events,
    is_learning,
    launch,
    status,
)

__all__ = ["data"]
pytestmark = pytest.mark.worker


def test_a_stopping_worker_hands_back_what_takes_too_long(
    workers, project, data_scientist, data, settings
):
    job = launch(project, data_scientist, data, **ENDLESS)
    first = workers.start(WORKER_STOP_SECONDS="1")
    wait_for(lambda: is_learning(job))
    shown = Worker.objects.get()

    first.send_signal(signal.SIGTERM)
    took = wait_for(lambda: first.poll() is not None, seconds=20)

    job.refresh_from_db()
    assert (job.status, job.attempt) == (JobStatus.QUEUED, 0)
    assert events(job) == ["launched", "started", "requeued"]
    assert not engines_of(job)
    assert not list(settings.JOBS_DIR.glob(f"{job.pk}-*"))
    assert took < 15
    assert "training" in shown.queues
    assert not Worker.objects.exists()

    workers.start()
    wait_for(lambda: is_learning(job))  # its message waited for this one


def test_a_stopping_worker_finishes_what_is_almost_done(
    workers, project, data_scientist, data
):
    job = launch(project, data_scientist, data, **SLOW)
    first = workers.start(WORKER_STOP_SECONDS="60")
    wait_for(lambda: is_learning(job))

    first.send_signal(signal.SIGTERM)
    wait_for(lambda: first.poll() is not None)

    assert status(job) == JobStatus.SUCCEEDED
    assert_finished_once(job)
    assert events(job) == ["launched", "started", "finished"]


def test_a_worker_takes_only_from_its_queues(workers, project, data_scientist, data):
    job = launch(project, data_scientist, data)
    workers.start(WORKER_QUEUES="ingest,validation", WORKER_CONCURRENCY="1")
    wait_for(Worker.objects.exists)

    shown = Worker.objects.get()
    workers.start(WORKER_QUEUES="training")
    wait_for(lambda: status(job) == JobStatus.SUCCEEDED)

    assert (shown.queues, shown.concurrency) == (["ingest", "validation"], 1)
    assert_finished_once(job)
