"""Training with a real worker, a real broker and the real engine, under bad luck."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest
from django.db import connection

from apps.audit.models import AuditEvent
from apps.experiments.models import Run
from apps.jobs.actions import cancel_job
from apps.jobs.models import JobStatus
from apps.jobs.tasks import sweep
from apps.training import actions, tasks
from apps.training.models import TrainingJob
from tests.factories import datasets, training
from tests.workers.conftest import engines_of, wait_for

pytestmark = pytest.mark.worker

ROWS = """
    SELECT CASE WHEN i % 2 = 0 THEN 'Gull' ELSE 'Hawk' END AS species,
           40 + (i * 37) % 100 AS speed,
           CASE WHEN (i * 37) % 100 > 80 THEN 'yes' ELSE 'no' END AS damaged
    FROM range(600) AS rows(i)
"""
# A few seconds of search after the engine has loaded its libraries.
SLOW = {
    "estimator": "random_forest",
    "parameters": {"n_estimators": 100},
    "search": {"method": "random", "trials": 3, "folds": 2},
}
ENDLESS = {
    "estimator": "random_forest",
    "parameters": {"n_estimators": 500},
    "search": {"method": "random", "trials": 50, "folds": 5},
}


@pytest.fixture
def data(project, data_scientist, tmp_path: Path):
    """A dataset that the engine can really learn from."""
    path = tmp_path / "rows.parquet"
    with duckdb.connect() as database:
        database.execute(f"COPY ({ROWS}) TO '{path}' (FORMAT parquet)")
    dataset = datasets.dataset(project, data_scientist)
    return datasets.ready_version(
        dataset, data_scientist, parquet=path.read_bytes(), result=training.CONTENT
    )


def launch(project, by, data, **spec) -> TrainingJob:
    return training.launched_job(
        project, by, dataset_version=data, spec=training.spec(**spec)
    )


def status(job: TrainingJob) -> str:
    return TrainingJob.objects.get(pk=job.pk).status


def is_learning(job: TrainingJob) -> bool:
    job.refresh_from_db()
    assert job.status in {JobStatus.QUEUED, JobStatus.RUNNING}, job.failure_message
    return job.progress_ratio > 0 and bool(engines_of(job))


def events(job: TrainingJob) -> list[str]:
    found = AuditEvent.objects.filter(target_id=str(job.pk)).order_by("pk")
    return [event.type.removeprefix("training.") for event in found]


def assert_finished_once(job: TrainingJob) -> None:
    job.refresh_from_db()
    assert job.status == JobStatus.SUCCEEDED, job.failure_message
    assert Run.objects.filter(training_job=job).count() == 1
    assert events(job).count("finished") == 1


def test_a_job_whose_message_comes_three_times_finishes_once(
    workers, project, data_scientist, data
):
    job = launch(project, data_scientist, data)
    for _ in range(2):
        tasks.run_training.apply_async(kwargs={"pk": str(job.pk)}, queue="training")

    workers.start()
    wait_for(lambda: status(job) not in {JobStatus.QUEUED, JobStatus.RUNNING})

    assert_finished_once(job)
    assert events(job) == ["launched", "started", "finished"]
    assert Run.objects.count() == 1
    assert job.run.artifacts.filter(path="model.skops").exists()
    assert "rows to learn from" in job.log_tail


def test_a_killed_worker_loses_and_doubles_nothing(
    workers, project, data_scientist, data, settings
):
    job = launch(project, data_scientist, data, **SLOW)
    first = workers.start()
    wait_for(lambda: is_learning(job))

    workers.kill(first)
    wait_for(lambda: not engines_of(job), seconds=5)
    workers.start()
    settings.JOB_STALE_SECONDS = 0
    sweep()
    settings.JOB_STALE_SECONDS = 30
    wait_for(lambda: status(job) not in {JobStatus.QUEUED, JobStatus.RUNNING})

    assert_finished_once(job)
    assert events(job) == ["launched", "started", "requeued", "started", "finished"]
    assert Run.objects.count() == 1


def test_a_restarted_broker_loses_and_doubles_nothing(
    workers, broker, project, data_scientist, data, settings
):
    running = launch(project, data_scientist, data, **SLOW)
    workers.start()
    wait_for(lambda: is_learning(running))

    broker.stop()
    waiting = launch(project, data_scientist, data)
    broker.start()
    wait_for(lambda: status(running) == JobStatus.SUCCEEDED)
    settings.JOB_STALE_SECONDS = 0
    sweep()
    settings.JOB_STALE_SECONDS = 30
    wait_for(lambda: status(waiting) == JobStatus.SUCCEEDED)

    assert_finished_once(running)
    assert_finished_once(waiting)
    assert Run.objects.count() == 2


def test_cancelling_stops_the_engine_within_five_seconds(
    workers, project, data_scientist, data
):
    job = launch(project, data_scientist, data, **ENDLESS)
    workers.start()
    wait_for(lambda: is_learning(job))

    cancel_job(job=job, by=data_scientist)
    wait_for(lambda: status(job) == JobStatus.CANCELLED, seconds=5)

    assert not engines_of(job)
    assert events(job) == ["launched", "started", "cancel_requested", "cancelled"]
    assert not Run.objects.exists()


def test_two_clicks_at_the_same_moment_launch_one_job(
    committed, broker, project, data_scientist, data
):
    experiment = training.experiment(project, data_scientist)
    key = uuid.uuid4()

    def click(_: int) -> uuid.UUID:
        try:
            job = actions.launch_training(
                experiment=experiment,
                dataset_version=data,
                name="Once",
                spec=training.spec(),
                submission_key=key,
                by=data_scientist,
            )
        finally:
            connection.close()
        return job.pk

    with ThreadPoolExecutor(4) as hands:
        found = set(hands.map(click, range(4)))

    assert len(found) == 1
    assert TrainingJob.objects.count() == 1
    assert events(TrainingJob.objects.get()) == ["launched"]
