"""The long form of tests/workers/test_bad_luck.py: `make test-crash`, some minutes."""

import time

import pytest

from tests.workers.bad_luck import end_well, survive_kills
from tests.workers.conftest import broker, wait_for, workers
from tests.workers.test_bad_luck import gate, through
from tests.workers.test_training import SLOW, data, is_learning, launch

__all__ = ["broker", "data", "gate", "workers"]
pytestmark = pytest.mark.worker
KILLS, AWAY_SECONDS = 10, 30


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


def test_a_database_that_restarts_again_and_again(
    workers, gate, project, data_scientist, data, settings
):
    job = launch(project, data_scientist, data, **SLOW)
    workers.start(DATABASE_URL=through(gate, workers.database_url))
    wait_for(lambda: is_learning(job))

    for _ in range(5):
        gate.shut(1)
        time.sleep(0.5)

    end_well(job, settings, sweeping=False)
