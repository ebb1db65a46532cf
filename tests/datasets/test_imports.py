"""Imports: asked for by a person, carried out by a worker, told with their path."""

import hashlib
from pathlib import Path

import pytest

from apps.audit.models import AuditEvent
from apps.core import blobs
from apps.core.errors import Invalid, NoRoom, Refused, TooLarge
from apps.core.sandbox import Outcome
from apps.datasets import actions, tasks
from apps.datasets.actions import SourcePlace
from apps.datasets.intake import bring_in
from apps.datasets.models import Dataset, DatasetVersion
from apps.jobs.actions import cancel_job, start_job
from tests.factories import datasets as factory

CONTENT = b"species,speed\nGull,140\nHawk,90\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PLACE = SourcePlace("archive", "2024/strikes.csv")


@pytest.fixture
def file(tmp_path: Path, settings) -> Path:
    path = tmp_path / "archive" / "2024" / "strikes.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    settings.DATA_SOURCES = {"archive": str(tmp_path / "archive")}
    return path


@pytest.fixture
def dataset(project, data_scientist) -> Dataset:
    return factory.dataset(project, data_scientist)


@pytest.fixture
def waiting(file, dataset, data_scientist) -> DatasetVersion:
    return actions.import_version(dataset=dataset, place=PLACE, by=data_scientist)


def claimed(version: DatasetVersion, worker) -> DatasetVersion:
    return start_job(model=DatasetVersion, pk=version.pk, by=worker)


def job_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "job"
    (folder / "inputs").mkdir(parents=True)
    return folder


def test_import_version_waits_for_a_worker_and_is_recorded(waiting, data_scientist):
    assert (waiting.status, waiting.original_sha256) == ("queued", "")
    assert waiting.original_name == "strikes.csv"
    event = AuditEvent.objects.get(type="dataset.version_import_requested")
    assert event.actor_id == data_scientist.pk
    assert event.changes == {
        "source": "archive",
        "path": "2024/strikes.csv",
        "size_bytes": len(CONTENT),
    }


def test_ingest_version_brings_the_file_in(waiting, worker):
    tasks.ingest_version(pk=str(waiting.pk))

    waiting.refresh_from_db()
    assert (waiting.status, waiting.row_count) == ("succeeded", 2)
    assert waiting.original_sha256 == SHA256
    with blobs.open_blob(SHA256) as content:
        assert content.read() == CONTENT
    event = AuditEvent.objects.get(type="dataset.version_imported")
    assert event.actor_id == worker.pk
    assert event.changes["sha256"] == SHA256
    assert event.changes["path"] == "2024/strikes.csv"


def test_import_dataset_makes_a_new_one(file, project, data_scientist):
    values = {"name": "archived", "title": "Archived"}

    version = actions.import_dataset(
        project=project, values=values, place=PLACE, by=data_scientist
    )

    assert (version.dataset.name, version.number) == ("archived", 1)


@pytest.mark.parametrize("path", ["2024/missing.csv", "../archive/2024/strikes.csv"])
def test_import_version_refuses_early(file, dataset, data_scientist, path):
    with pytest.raises(Invalid):
        actions.import_version(
            dataset=dataset, place=SourcePlace("archive", path), by=data_scientist
        )

    assert not DatasetVersion.objects.exists()


def test_import_version_of_an_unfit_file_is_refused(file, dataset, data_scientist):
    for name, content in [("rows.exe", b"MZ"), ("empty.csv", b"")]:
        (file.parent / name).write_bytes(content)

        with pytest.raises(Invalid):
            actions.import_version(
                dataset=dataset,
                place=SourcePlace("archive", f"2024/{name}"),
                by=data_scientist,
            )


def test_import_version_has_limits(settings, file, dataset, data_scientist):
    settings.UPLOAD_TOTAL_LIMIT_BYTES = len(CONTENT) - 1
    with pytest.raises(TooLarge):
        actions.import_version(dataset=dataset, place=PLACE, by=data_scientist)
    settings.UPLOAD_TOTAL_LIMIT_BYTES = len(CONTENT)
    settings.STORAGE_RESERVE_BYTES = 2**62

    with pytest.raises(NoRoom):
        actions.import_version(dataset=dataset, place=PLACE, by=data_scientist)


def test_import_version_is_for_who_may_import(file, dataset, validator, project):
    with pytest.raises(Refused):
        actions.import_version(dataset=dataset, place=PLACE, by=validator)
    with pytest.raises(Refused):
        actions.import_dataset(
            project=project, values={"name": "x"}, place=PLACE, by=validator
        )

    assert not DatasetVersion.objects.exists()


def test_import_version_clicked_twice_adds_one(waiting, dataset, data_scientist):
    with pytest.raises(Invalid, match="imported already, as version 1"):
        actions.import_version(dataset=dataset, place=PLACE, by=data_scientist)


def test_importing_the_same_file_again_fails_in_words(waiting, dataset, data_scientist):
    tasks.ingest_version(pk=str(waiting.pk))
    again = actions.import_version(dataset=dataset, place=PLACE, by=data_scientist)

    tasks.ingest_version(pk=str(again.pk))

    again.refresh_from_db()
    assert (again.status, again.failure_code) == ("failed", "invalid")
    assert "same file as version 1" in again.failure_message


def test_a_file_that_went_away_fails_in_words(waiting, file):
    file.unlink()

    tasks.ingest_version(pk=str(waiting.pk))

    waiting.refresh_from_db()
    assert waiting.status == "failed"
    assert "strikes.csv is not there (any more)." in waiting.failure_message
    assert not list(blobs.local_folder().rglob("*"))


def test_a_file_that_became_a_link_fails_in_words(waiting, file, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_bytes(b"a\n1\n")
    file.unlink()
    file.symlink_to(secret)

    tasks.ingest_version(pk=str(waiting.pk))

    waiting.refresh_from_db()
    assert "links are not followed" in waiting.failure_message


def test_a_second_attempt_fetches_what_the_first_stored(
    waiting, worker, file, tmp_path
):
    version = claimed(waiting, worker)
    actions.keep_original(version=version, blob=blobs.store_path(file), by=worker)
    file.unlink()
    folder = job_folder(tmp_path)

    assert bring_in(version, folder, lambda _: "go on") is None

    assert (folder / "inputs" / "original").read_bytes() == CONTENT


def test_bringing_in_tells_bytes(waiting, worker, tmp_path):
    told = []

    def watch(progress):
        told.append((progress.ratio, progress.stage.replace("\xa0", " ")))
        return "go on"

    bring_in(claimed(waiting, worker), job_folder(tmp_path), watch)

    assert told[0] == (1.0, "Copying from archive: 31 bytes of 31 bytes")
    assert told[-1][1] == "Storing the file: 31 bytes of 31 bytes"


@pytest.mark.parametrize(
    ("answer", "status"), [("cancel", "cancelled"), ("lost", "lost")]
)
def test_bringing_in_stops_when_told(waiting, worker, tmp_path, answer, status):
    folder = job_folder(tmp_path)

    outcome = bring_in(claimed(waiting, worker), folder, lambda _: answer)

    assert outcome == Outcome(status, folder)
    assert not DatasetVersion.objects.exclude(original_sha256="").exists()


def test_keep_original_of_a_version_given_to_another(waiting, worker, tmp_path):
    version = claimed(waiting, worker)
    DatasetVersion.objects.update(claim_id=waiting.pk)

    outcome = bring_in(version, job_folder(tmp_path), lambda _: "go on")

    assert outcome.status == "lost"
    assert not AuditEvent.objects.filter(type="dataset.version_imported").exists()


def test_keep_original_is_for_workers(waiting, worker, data_scientist):
    version = claimed(waiting, worker)

    with pytest.raises(Refused):
        actions.keep_original(
            version=version, blob=blobs.Blob(SHA256, 31), by=data_scientist
        )


def test_a_cancelled_import_keeps_nothing(waiting, data_scientist):
    cancel_job(job=waiting, by=data_scientist)

    tasks.ingest_version(pk=str(waiting.pk))

    waiting.refresh_from_db()
    assert (waiting.status, waiting.original_sha256) == ("cancelled", "")
