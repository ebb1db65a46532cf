import pytest
from django.utils import timezone

from apps.core.execution import execute
from apps.core.models import JobStatus
from apps.datasets.models import DatasetVersion
from tests.factories import datasets as dataset_factory

SPEC = {"limits": {}}


@pytest.fixture
def running(project, data_scientist) -> DatasetVersion:
    dataset = dataset_factory.dataset(project, data_scientist)
    return dataset_factory.running_version(dataset, data_scientist)


@pytest.fixture
def outcomes(running):
    """Executes the running version and returns what `finish` was given."""

    def work(prepare=lambda _job, _folder: SPEC, start=lambda: running) -> list:
        finished = []
        execute(
            verb="ingest",
            start=start,
            prepare=prepare,
            finish=lambda job, outcome: finished.append((job, outcome)),
        )
        return finished

    return work


def test_execute_leaves_a_job_that_another_worker_has(outcomes):
    def prepare(_job, _folder):
        pytest.fail("nothing is prepared")

    assert outcomes(prepare, start=lambda: None) == []


def test_execute_hands_the_result_to_finish(engine_that, outcomes, running, settings):
    engine_that(
        """
        spec = json.loads((folder / "spec.json").read_text())
        result(status="succeeded", given=spec["given"])
        """
    )

    [(job, outcome)] = outcomes(lambda _job, _folder: {**SPEC, "given": 7})

    assert job == running
    assert outcome.result["given"] == 7
    assert list(settings.JOBS_DIR.glob(f"{running.pk}-*")) == []


def test_execute_writes_progress_to_the_row(engine_that, outcomes, running):
    engine_that(
        """
        progress(ratio=0.4, stage="Reading", log="half")
        result(status="succeeded")
        """
    )

    outcomes()

    running.refresh_from_db()
    assert (running.progress_ratio, running.stage) == (0.4, "Reading")
    assert running.log_tail == "half\n"


def test_execute_cancels_when_somebody_asks(engine_that, outcomes, running):
    engine_that("time.sleep(60)")
    DatasetVersion.objects.filter(pk=running.pk).update(
        cancel_requested_at=timezone.now()
    )

    [(_, outcome)] = outcomes()

    assert outcome.status == JobStatus.CANCELLED


def test_execute_gives_way_to_another_worker(
    engine_that, outcomes, running, outsider, caplog
):
    engine_that("time.sleep(60)")
    DatasetVersion.objects.filter(pk=running.pk).update(claim_id=outsider.pk)

    assert outcomes() == []
    assert f"job {running.pk} was given to another worker" in caplog.text


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


def test_execute_fails_the_job_and_reports_what_nobody_expected(running):
    finished = []

    def prepare(_job, _folder):
        raise FileNotFoundError("the blob is gone")

    with pytest.raises(FileNotFoundError):
        execute(
            verb="ingest",
            start=lambda: running,
            prepare=prepare,
            finish=lambda _job, outcome: finished.append(outcome),
        )

    [outcome] = finished
    assert (outcome.status, outcome.code) == ("failed", "internal")
    assert "Something went wrong in the portal itself" in outcome.message
    assert "the blob is gone" in outcome.details[0]


def test_execute_fails_the_job_when_the_result_is_no_json(engine_that, running):
    engine_that("""(folder / "result.json").write_text("{")""")
    finished = []

    with pytest.raises(ValueError, match="Expecting property name"):
        execute(
            verb="ingest",
            start=lambda: running,
            prepare=lambda _job, _folder: SPEC,
            finish=lambda _job, outcome: finished.append(outcome),
        )

    assert finished[0].code == "internal"
