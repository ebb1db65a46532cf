"""The long form of tests/workers/test_bad_luck.py: `make test-crash`, some minutes."""

import random
import time

import pytest
from django.db import connection

from apps.jobs.models import JobStatus
from tests.workers.bad_luck import end_well, survive_kills
from tests.workers.conftest import broker, wait_for, workers
from tests.workers.own_database import own_database
from tests.workers.test_bad_luck import gate, through
from tests.workers.test_training import SLOW, data, is_learning, launch, status

__all__ = ["broker", "data", "gate", "own_database", "workers"]
pytestmark = pytest.mark.worker
KILLS, AWAY_SECONDS = 10, 30
STOPS, DOWN_SECONDS = 5, 2
LEARNING_SECONDS = 2.0  # of a longer job, at least
LONGER = SLOW | {"search": {"method": "random", "trials": 15, "folds": 2}}


def test_workers_killed_at_ten_random_moments(
    workers, project, data_scientist, data, settings
):
    survive_kills(KILLS, workers, settings, project, data_scientist, data)


def test_a_broker_that_is_away_for_half_a_minute(
    workers, broker, project, data_scientist, data, settings
):
    running = launch(project, data_scientist, data, **SLOW)
    workers.start()
    wait_for(lambda: is_learning(running))

    broker.stop()
    waiting = launch(project, data_scientist, data)
    time.sleep(AWAY_SECONDS)
    broker.start()

    end_well(running, settings, sweeping=False)
    end_well(waiting, settings)


def test_connections_to_the_database_that_break_again_and_again(
    workers, gate, project, data_scientist, data, settings
):
    job = launch(project, data_scientist, data, **SLOW)
    workers.start(DATABASE_URL=through(gate, workers.database_url))
    wait_for(lambda: is_learning(job))

    for _ in range(5):
        gate.shut(1)
        time.sleep(0.5)

    end_well(job, settings, sweeping=False)


def test_a_database_stopped_dead_again_and_again(
    own_database, workers, project, data_scientist, data, settings
):
    """A real server, which refuses everyone while it recovers from its log."""
    workers.start()
    for _ in range(STOPS):
        job = launch(project, data_scientist, data, **LONGER)
        wait_for(lambda job=job: is_learning(job))
        time.sleep(random.uniform(0, LEARNING_SECONDS))  # noqa: S311 - no secret
        assert status(job) == JobStatus.RUNNING
        connection.close()

        own_database.stop_at_once()
        time.sleep(DOWN_SECONDS)
        own_database.start()

        assert "automatic recovery in progress" in own_database.log()
        end_well(job, settings, sweeping=False)
        job.refresh_from_db()
        assert job.attempt == 1


def test_a_job_whose_worker_finds_the_database_stopped(
    own_database, workers, project, data_scientist, data, settings, tmp_path
):
    job = launch(project, data_scientist, data)
    connection.close()
    own_database.stop_at_once()

    workers.start()  # takes the job's message, and can do nothing about it
    log = tmp_path / "workers.log"
    wait_for(lambda: "raised unexpected: OperationalError" in log.read_text())
    own_database.start()

    assert status(job) == JobStatus.QUEUED
    end_well(job, settings)
