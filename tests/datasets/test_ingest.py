"""What a worker does with an upload: the actions, and the tasks that call them."""

from datetime import timedelta

import duckdb
import pytest
from django.utils import timezone

from apps.audit.models import AuditEvent
from apps.core.errors import Refused, WrongState
from apps.datasets import actions, tasks
from apps.datasets.models import DatasetVersion
from tests.factories import datasets as factory


@pytest.fixture
def waiting(project, data_scientist) -> DatasetVersion:
    return factory.version(factory.dataset(project, data_scientist), data_scientist)


@pytest.fixture
def running(waiting, worker) -> DatasetVersion:
    return actions.start_ingest(pk=str(waiting.pk), by=worker)


def events(version) -> list[str]:
    found = AuditEvent.objects.filter(target_id=str(version.pk)).order_by("pk")
    return [event.type.removeprefix("dataset.version_") for event in found]


def make_dead(version) -> None:
    DatasetVersion.objects.filter(pk=version.pk).update(
        heartbeat_at=timezone.now() - timedelta(hours=1)
    )


def test_start_ingest_claims_once(waiting, worker):
    first = actions.start_ingest(pk=str(waiting.pk), by=worker)
    second = actions.start_ingest(pk=str(waiting.pk), by=worker)

    assert (first.status, first.attempt) == ("running", 1)
    assert second is None
    assert events(waiting) == ["uploaded", "started"]


def test_start_ingest_refuses_people(waiting, data_scientist):
    with pytest.raises(Refused, match="worker"):
        actions.start_ingest(pk=str(waiting.pk), by=data_scientist)

    assert events(waiting) == ["uploaded"]


def test_finish_ingest_keeps_the_result(running):
    version = factory.finish(running)

    assert version.status == "succeeded"
    assert version.row_count == 3
    assert version.column_names == ["species", "speed"]
    assert version.column_profile("speed")["missing"] == 1
    assert version.column_profile("height") is None
    assert version.parquet_bytes == len(factory.PARQUET)
    assert events(version)[-1] == "ready"


def test_finish_ingest_keeps_why_it_failed(running):
    places = [{"row": 2, "column": "speed", "message": "Not a number.", "text": "x"}]

    version = factory.fail(running, "Row 2 does not fit.", places)

    assert version.status == "failed"
    assert version.failure_message == "Row 2 does not fit."
    assert version.failure_details == places
    event = AuditEvent.objects.get(type="dataset.version_failed")
    assert event.changes == {"code": "bad_input", "message": "Row 2 does not fit."}


def test_finish_ingest_by_a_worker_that_lost_the_claim_changes_nothing(running, worker):
    make_dead(running)
    actions.requeue_ingest(version=running, by=worker)
    taken = actions.start_ingest(pk=str(running.pk), by=worker)

    factory.fail(running, "Too late.", [])

    taken.refresh_from_db()
    assert taken.status == "running"
    assert events(taken) == ["uploaded", "started", "requeued", "started"]


def test_requeue_ingest_leaves_a_living_worker_alone(running, worker):
    assert actions.requeue_ingest(version=running, by=worker) is None

    running.refresh_from_db()
    assert running.status == "running"


def test_requeue_ingest_gives_up_after_too_many_attempts(running, worker, settings):
    settings.JOB_MAX_ATTEMPTS = 1
    make_dead(running)

    version = actions.requeue_ingest(version=running, by=worker)

    assert (version.status, version.failure_code) == ("failed", "worker_lost")
    assert "stopped 1 times" in version.failure_message


def test_requeue_ingest_cancels_when_that_was_asked_for(
    running, worker, data_scientist
):
    actions.cancel_ingest(version=running, by=data_scientist)
    make_dead(running)

    version = actions.requeue_ingest(version=running, by=worker)

    assert version.status == "cancelled"
    assert events(version)[-2:] == ["cancel_requested", "cancelled"]


def test_resend_ingest_knocks_again_for_who_waits(waiting, worker):
    assert actions.resend_ingest(version=waiting, by=worker) is None
    long_ago = timezone.now() - timedelta(hours=1)
    DatasetVersion.objects.update(queued_at=long_ago)

    version = actions.resend_ingest(version=waiting, by=worker)

    assert version.queued_at > long_ago
    assert events(version) == ["uploaded"]


def test_cancel_ingest_while_waiting_is_final(waiting, worker, data_scientist):
    version = actions.cancel_ingest(version=waiting, by=data_scientist)

    assert version.status == "cancelled"
    assert actions.start_ingest(pk=str(version.pk), by=worker) is None
    with pytest.raises(WrongState, match="Reading has ended"):
        actions.cancel_ingest(version=version, by=data_scientist)


def test_cancel_ingest_while_running_asks_the_worker(running, data_scientist):
    actions.cancel_ingest(version=running, by=data_scientist)
    with pytest.raises(WrongState, match="was asked for"):
        actions.cancel_ingest(version=running, by=data_scientist)

    version = factory.cancel(running)

    assert version.status == "cancelled"
    assert events(version)[-2:] == ["cancel_requested", "cancelled"]


def test_cancel_ingest_refuses_a_validator(waiting, validator):
    with pytest.raises(Refused):
        actions.cancel_ingest(version=waiting, by=validator)


def test_ingest_version_reads_a_real_file(waiting):
    tasks.ingest_version(pk=str(waiting.pk))

    waiting.refresh_from_db()
    assert (waiting.status, waiting.row_count) == ("succeeded", 3)
    assert waiting.column_profile("speed")["missing"] == 1


def test_ingest_version_delivered_twice_reads_once(waiting):
    tasks.ingest_version(pk=str(waiting.pk))
    tasks.ingest_version(pk=str(waiting.pk))

    assert events(waiting) == ["uploaded", "started", "ready"]


def test_ingest_version_names_row_and_column(project, data_scientist):
    dataset = factory.dataset(project, data_scientist)
    ragged = factory.version(dataset, data_scientist, content=b"a,b\n1,2\n3\n")

    tasks.ingest_version(pk=str(ragged.pk))

    ragged.refresh_from_db()
    assert (ragged.status, ragged.failure_code) == ("failed", "bad_input")
    assert ragged.failure_details[0]["row"] == 3


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04" + b"\x00" * 40, "zip"),
        (b"a,b\n1,\x002\n", "NUL"),
        ("a,b\nü,2\n".encode("utf-16"), "UTF-16"),
    ],
    ids=["zip", "NUL", "UTF-16"],
)
def test_ingest_version_says_why_a_hostile_file_is_refused(
    project, data_scientist, content, sentence
):
    version = factory.version(
        factory.dataset(project, data_scientist), data_scientist, content=content
    )

    tasks.ingest_version(pk=str(version.pk))

    version.refresh_from_db()
    assert (version.status, version.failure_code) == ("failed", "bad_input")
    assert sentence.lower() in version.failure_message.lower()


def test_ingest_version_keeps_formulas_as_they_are(project, data_scientist):
    content = b"a\n=1+1\n@SUM(A1)\n"
    version = factory.version(
        factory.dataset(project, data_scientist), data_scientist, content=content
    )

    tasks.ingest_version(pk=str(version.pk))

    version.refresh_from_db()
    values = {row["value"] for row in version.column_profile("a")["top"]}
    assert values == {"=1+1", "@SUM(A1)"}


def test_ingest_version_survives_nul_in_parquet(project, data_scientist, tmp_path):
    path = tmp_path / "nul.parquet"
    duckdb.sql(f"COPY (SELECT 'a' || chr(0) AS a) TO '{path}' (FORMAT parquet)")
    dataset = factory.dataset(project, data_scientist)
    with path.open("rb") as content:
        version = actions.upload_version(
            dataset=dataset,
            content=content,
            original_name=path.name,
            by=data_scientist,
        )

    tasks.ingest_version(pk=str(version.pk))

    version.refresh_from_db()
    assert version.is_final
    assert version.failure_code in {"", "bad_input"}


def test_sweep_brings_work_back(
    running, project, data_scientist, django_capture_on_commit_callbacks
):
    lost = factory.version(
        factory.dataset(project, data_scientist, "other"), data_scientist
    )
    make_dead(running)
    long_ago = timezone.now() - timedelta(hours=1)
    DatasetVersion.objects.filter(pk=lost.pk).update(queued_at=long_ago)

    with django_capture_on_commit_callbacks() as callbacks:
        tasks.sweep()

    running.refresh_from_db()
    assert running.status == "queued"
    assert len(callbacks) == 2
