import errno
import time
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection

from apps.datasets.models import DatasetVersion
from apps.jobs import execution, presence
from apps.jobs.actions import cancel_job, start_job
from apps.jobs.execution import execute
from apps.jobs.models import JobStatus
from tests.factories import datasets as dataset_factory

SPEC = {"limits": {}}


@pytest.fixture
def waiting(project, data_scientist) -> DatasetVersion:
    dataset = dataset_factory.dataset(project, data_scientist)
    return dataset_factory.version(dataset, data_scientist)


@pytest.fixture
def outcomes(waiting, worker):
    """Executes the waiting version and returns what `finish` was given."""
    finished = []

    def finish(*, job, outcome, by) -> None:
        assert by == worker
        finished.append((job, outcome))

    def work(prepare=lambda _job, _folder: SPEC) -> list:
        execute(
            DatasetVersion,
            str(waiting.pk),
            verb="ingest",
            prepare=prepare,
            finish=finish,
        )
        return finished

    work.finished = finished
    return work


def test_execute_leaves_a_job_that_another_worker_has(outcomes, waiting, worker):
    def prepare(_job, _folder):
        pytest.fail("nothing is prepared")

    start_job(model=DatasetVersion, pk=waiting.pk, by=worker)

    assert outcomes(prepare) == []


def test_execute_hands_the_result_to_finish(engine_that, outcomes, waiting, settings):
    engine_that(
        """
        spec = json.loads((folder / "spec.json").read_text())
        result(status="succeeded", given=spec["given"])
        """
    )

    [(job, outcome)] = outcomes(lambda _job, _folder: {**SPEC, "given": 7})

    assert job == waiting
    assert outcome.result["given"] == 7
    assert list(settings.JOBS_DIR.glob(f"{waiting.pk}-*")) == []


def test_execute_writes_progress_to_the_row(engine_that, outcomes, waiting):
    engine_that(
        """
        progress(ratio=0.4, stage="Reading", log="half")
        result(status="succeeded")
        """
    )

    outcomes()

    waiting.refresh_from_db()
    assert (waiting.progress_ratio, waiting.stage) == (0.4, "Reading")
    assert waiting.log_tail == "half\n"


def test_execute_cancels_when_somebody_asks(engine_that, outcomes, data_scientist):
    engine_that("time.sleep(60)")

    def prepare(job, _folder):
        cancel_job(job=job, by=data_scientist)
        return SPEC

    [(_, outcome)] = outcomes(prepare)

    assert outcome.status == JobStatus.CANCELLED


def test_execute_gives_way_to_another_worker(
    engine_that, outcomes, waiting, outsider, caplog
):
    engine_that("time.sleep(60)")

    def prepare(job, _folder):
        job.rows().filter(pk=job.pk).update(claim_id=outsider.pk)
        return SPEC

    assert outcomes(prepare) == []
    assert f"job {waiting.pk} was given to another worker" in caplog.text


def test_execute_hands_the_job_back_when_the_worker_stops(
    engine_that, outcomes, waiting, monkeypatch
):
    engine_that("time.sleep(60)")
    monkeypatch.setattr(presence, "_hand_back_at", SimpleNamespace(value=0.0))

    def prepare(_job, _folder):
        presence._hand_back_at.value = time.monotonic()
        return SPEC

    assert outcomes(prepare) == []
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempt) == (JobStatus.QUEUED, 0)


def test_execute_ends_at_the_limit_of_the_spec(engine_that, outcomes):
    engine_that("time.sleep(60)")
    spec = {"limits": {"wall_seconds": 0.2}}

    [(_, outcome)] = outcomes(lambda _job, _folder: spec)

    assert outcome.code == "timeout"


def test_execute_ends_at_the_limit_of_the_portal(engine_that, outcomes, settings):
    engine_that("time.sleep(60)")
    settings.JOB_WALL_SECONDS = 0.2

    [(_, outcome)] = outcomes()

    assert outcome.code == "timeout"


def test_execute_fails_the_job_and_reports_what_nobody_expected(outcomes):
    def prepare(_job, _folder):
        raise FileNotFoundError("the blob is gone")

    with pytest.raises(FileNotFoundError):
        outcomes(prepare)

    [(_, outcome)] = outcomes.finished
    assert (outcome.status, outcome.code) == ("failed", "internal")
    assert "Something went wrong in the portal itself" in outcome.message
    assert "the blob is gone" in outcome.details[0]


def test_execute_says_that_there_is_no_room(outcomes):
    def prepare(_job, _folder):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        outcomes(prepare)

    [(_, outcome)] = outcomes.finished
    assert outcome.code == "disk_full"
    assert "Ask an operator for room" in outcome.message


def test_execute_fails_the_job_when_the_result_is_no_json(engine_that, outcomes):
    engine_that("""(folder / "result.json").write_text("{")""")

    outcomes()

    [(_, outcome)] = outcomes.finished
    assert outcome.code == "internal"


@pytest.fixture
def database_away(committed, monkeypatch):
    """Let writes of jobs fail as often as somebody says."""
    failures = []
    monkeypatch.setattr(execution, "AWAY_SECONDS", 0.01)

    def refuse(execute, sql, *arguments):
        if failures and sql.startswith("UPDATE"):
            failures.pop()
            raise OperationalError("the connection was closed")
        return execute(sql, *arguments)

    with connection.execute_wrapper(refuse):
        yield failures


def test_execute_outlives_a_restart_of_the_database(
    engine_that, outcomes, database_away, waiting
):
    engine_that("""time.sleep(0.5); result(status="succeeded")""")

    def prepare(_job, _folder):
        database_away.extend("ab")
        return SPEC

    [(_, outcome)] = outcomes(prepare)

    assert outcome.status == "succeeded"
    assert not database_away


def test_execute_gives_up_when_the_database_stays_away(
    engine_that, outcomes, database_away, waiting, settings
):
    settings.JOB_STALE_SECONDS = 0.3
    engine_that("time.sleep(60)")

    def prepare(_job, _folder):
        database_away.extend("x" * 10_000)
        return SPEC

    assert outcomes(prepare) == []


def test_the_end_of_a_job_waits_for_the_database(database_away, settings):
    settings.JOB_STALE_SECONDS = 0.1
    calls = []

    def store(**what):
        calls.append(what)
        if len(calls) < 3:
            raise OperationalError

    def never(**_what):
        raise OperationalError

    execution._patiently(store, job=7)
    with pytest.raises(OperationalError):
        execution._patiently(never)

    assert calls == [{"job": 7}] * 3
