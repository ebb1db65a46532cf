from itertools import product

import pytest
from django.utils import timezone

from apps.core.errors import WrongState
from apps.core.sandbox import Point, Progress, Usage
from apps.datasets.models import DatasetVersion
from apps.jobs.models import FINAL_STATUSES, LOG_TAIL_CHARACTERS, JobStatus
from tests.factories import datasets as dataset_factory

Q, R, S, F, C = JobStatus
ALLOWED = {(Q, R), (Q, C), (R, S), (R, F), (R, C), (R, Q)}


@pytest.fixture
def running(project, data_scientist) -> DatasetVersion:
    dataset = dataset_factory.dataset(project, data_scientist)
    return dataset_factory.running_version(dataset, data_scientist)


@pytest.fixture
def row(running):
    return DatasetVersion.objects.filter(pk=running.pk)


def note(row, claim_id, **changes):
    given = {"ratio": 0.5, "stage": "Reading", "log": "line\n", **changes}
    return row.note_progress(claim_id=claim_id, progress=Progress(**given))


@pytest.mark.parametrize(("before", "after"), list(product(JobStatus, JobStatus)))
def test_advance_knows_every_pair_of_states(before, after):
    job = DatasetVersion(status=before)

    if (before, after) in ALLOWED:
        job.advance(after)
        assert job.status == after
    else:
        with pytest.raises(WrongState, match=f"is {before} and cannot become {after}"):
            job.advance(after)
        assert job.status == before


def test_advance_to_running_claims_the_job():
    job = DatasetVersion()

    job.advance(R)

    assert job.claim_id is not None
    assert job.started_at == job.heartbeat_at is not None
    assert job.attempt == 1
    assert job.finished_at is None


def test_advance_back_to_the_queue_gives_up_the_claim():
    job = DatasetVersion()
    job.advance(R)
    job.progress_ratio = 0.7
    job.live_metrics, job.usage = [["loss", 1, 0.5]], {"cpu_seconds": 1}

    job.advance(Q)
    first_claim = job.claim_id
    job.advance(R)

    assert first_claim is None
    assert job.progress_ratio == 0.0
    assert (job.live_metrics, job.usage) == ([], {})
    assert job.attempt == 2


@pytest.mark.parametrize("status", JobStatus)
def test_a_final_job_says_when_it_finished(status):
    job = DatasetVersion(status=R, claim_id=None)

    if status in FINAL_STATUSES:
        job.advance(status)

    assert job.is_final == (status in {S, F, C})
    assert (job.finished_at is not None) == job.is_final


def test_note_progress_writes_what_the_engine_reports(running, row):
    before = timezone.now()

    held = note(row, running.claim_id)

    running.refresh_from_db()
    assert held
    assert (running.progress_ratio, running.stage) == (0.5, "Reading")
    assert running.log_tail == "line\n"
    assert running.heartbeat_at > before


@pytest.mark.parametrize(("ratio", "kept"), [(-1, 0.0), (7, 1.0), (0.25, 0.25)])
def test_note_progress_keeps_the_ratio_in_bounds(running, row, ratio, kept):
    note(row, running.claim_id, ratio=ratio)

    assert row.get().progress_ratio == kept


def test_note_progress_keeps_the_end_of_a_long_log(running, row):
    log = "x" * LOG_TAIL_CHARACTERS + "end"

    note(row, running.claim_id, log=log, stage="s" * 500)

    running.refresh_from_db()
    assert len(running.log_tail) == LOG_TAIL_CHARACTERS
    assert running.log_tail.endswith("end")
    assert len(running.stage) == 200


def test_note_progress_writes_what_is_measured(running, row):
    points = [Point("loss", 1, 0.5), Point("loss", 2, 0.25)]
    usage = Usage(cpu_seconds=1.5, memory_bytes=10, memory_peak_bytes=20, disk_bytes=5)

    note(row, running.claim_id, metrics=points, usage=usage)

    running.refresh_from_db()
    assert running.live_metrics == [["loss", 1, 0.5], ["loss", 2, 0.25]]
    assert running.usage == {
        "cpu_seconds": 1.5,
        "memory_bytes": 10,
        "memory_peak_bytes": 20,
        "disk_bytes": 5,
    }


def test_note_progress_does_nothing_for_another_claim(running, row, outsider):
    held = note(row, outsider.pk)

    assert not held
    assert row.get().progress_ratio == 0.0


def test_note_progress_does_nothing_for_an_ended_job(running, row):
    dataset_factory.cancel(running)

    assert not note(row, running.claim_id)
    assert row.get().status == C


def test_dead_lists_running_jobs_without_a_sign(running, row, settings):
    settings.JOB_STALE_SECONDS = 60
    alive = row.dead().count()

    settings.JOB_STALE_SECONDS = -60

    assert alive == 0
    assert row.dead().get() == running
    assert not row.waiting_long().exists()


def test_waiting_long_lists_queued_jobs_whose_message_is_old(
    project, data_scientist, settings
):
    dataset = dataset_factory.dataset(project, data_scientist)
    waiting = dataset_factory.version(dataset, data_scientist)
    settings.JOB_STALE_SECONDS = 60
    fresh = DatasetVersion.objects.waiting_long().count()

    settings.JOB_STALE_SECONDS = -60

    assert fresh == 0
    assert DatasetVersion.objects.waiting_long().get() == waiting
    assert not DatasetVersion.objects.dead().exists()
