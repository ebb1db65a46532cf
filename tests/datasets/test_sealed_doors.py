"""Rows are sealed through every door that files come in by, and stay so."""

import pytest
from django.urls import reverse

from apps.core.errors import Invalid
from apps.datasets import actions, tasks
from apps.datasets.actions import SourcePlace
from apps.datasets.queries import sealed_part_of
from tests.factories import datasets as factory
from tests.factories import sealed, uploads

SEAL = {"method": "random", "ratio": 0.5, "column": None, "seed": 3}
ROWS = b"species,speed\n" + b"".join(b"Gull,%d\n" % n for n in range(20))


@pytest.fixture
def archive(tmp_path, settings):
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "rows.csv").write_bytes(ROWS)
    settings.DATA_SOURCES = {"archive": str(folder)}
    return folder


def imported(project, by, seal=SEAL):
    version = actions.import_dataset(
        project=project,
        values={"name": "imported"},
        place=SourcePlace("archive", "rows.csv", seal),
        by=by,
    )
    tasks.ingest_version(pk=str(version.pk))
    version.refresh_from_db()
    return version


def test_an_upload_in_chunks_seals_what_was_asked_at_its_beginning(
    project, data_scientist
):
    upload = uploads.received(project, data_scientist, ROWS, seal=SEAL)

    version = actions.complete_upload(upload=upload, by=data_scientist).version
    tasks.ingest_version(pk=str(version.pk))

    version.refresh_from_db()
    assert (version.status, version.row_count) == ("succeeded", 10)
    assert sealed_part_of(version).row_count == 10


def test_an_upload_in_chunks_says_how_over_the_api(api_of, data_scientist, project):
    told = {
        "name": "new",
        "seal_method": "group",
        "seal_column": "species",
        "seal_ratio": "0.3",
    }
    address = reverse("v1:start_upload", args=[project.slug])

    made = api_of(data_scientist).post(address, headers=uploads.start_headers(**told))
    bad = api_of(data_scientist).post(
        address, headers=uploads.start_headers(**{**told, "seal_ratio": "much"})
    )

    assert made.status_code == 201
    assert bad.status_code == 422
    assert "seal_ratio" in bad.json()["fields"]


def test_an_import_seals_rows(project, data_scientist, archive):
    version = imported(project, data_scientist)

    assert (version.status, version.row_count) == ("succeeded", 10), (
        version.failure_message
    )
    assert sealed_part_of(version).row_count == 10


def test_an_import_opens_no_sealed_rows(project, data_scientist, archive):
    imported(project, data_scientist)
    other = factory.dataset(project, data_scientist, "other")

    version = actions.import_version(
        dataset=other, place=SourcePlace("archive", "rows.csv"), by=data_scientist
    )
    tasks.ingest_version(pk=str(version.pk))

    version.refresh_from_db()
    assert version.status == "failed"
    assert "would open them" in version.failure_message
    assert version.original_sha256 == ""


def test_a_faulty_seal_stops_an_import(project, data_scientist, archive):
    with pytest.raises(Invalid) as caught:
        imported(project, data_scientist, {**SEAL, "ratio": 0.9})

    assert set(caught.value.fields) == {"seal_ratio"}


def test_a_chunked_upload_opens_no_sealed_rows(project, data_scientist):
    sealed.waiting_split(factory.dataset(project, data_scientist), data_scientist, ROWS)
    upload = uploads.received(project, data_scientist, ROWS)

    with pytest.raises(Invalid, match="would open them"):
        actions.complete_upload(upload=upload, by=data_scientist)
