"""What a worker does with an upload: the actions, and the tasks that call them."""

import gzip
import io
from pathlib import Path

import duckdb
import pytest
from django.core.files.storage import default_storage

from apps.audit.models import AuditEvent
from apps.datasets import actions, tasks
from apps.datasets.models import DatasetVersion
from apps.jobs.actions import start_job
from tests.engine.corpus import CORPUS
from tests.factories import datasets as factory


@pytest.fixture
def waiting(project, data_scientist) -> DatasetVersion:
    return factory.version(factory.dataset(project, data_scientist), data_scientist)


@pytest.fixture
def running(waiting, worker) -> DatasetVersion:
    return start_job(model=DatasetVersion, pk=waiting.pk, by=worker)


def events(version) -> list[str]:
    found = AuditEvent.objects.filter(target_id=str(version.pk)).order_by("pk")
    return [event.type.removeprefix("dataset.version_") for event in found]


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


_REFUSED = [
    broken
    for broken in CORPUS
    if broken.make()
    and not broken.options
    and broken.id
    in {
        "csv-errors-of-several-kinds",
        "jsonl-kind-changes",
        "parquet-and-zip",
        "arrow-broken-inside",
        "zst-bomb",
        "zip-leads-out",
        "zip-image-cut-short",
    }
]


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("broken", _REFUSED, ids=lambda broken: broken.id)
def test_ingest_version_leaves_nothing_of_a_refused_file(
    project, data_scientist, settings, broken
):
    dataset = factory.dataset(project, data_scientist)
    version = actions.upload_version(
        dataset=dataset,
        content=io.BytesIO(broken.make()),
        original_name=broken.name,
        by=data_scientist,
    )
    blobs = _files(Path(default_storage.location))

    tasks.ingest_version(pk=str(version.pk))

    version.refresh_from_db()
    assert (version.status, version.failure_code) == ("failed", "bad_input")
    assert broken.message in version.failure_message
    assert (version.parquet_sha256, version.row_count) == ("", None)
    assert (version.columns, version.profile) == ([], {})
    assert DatasetVersion.objects.count() == 1
    assert _files(Path(default_storage.location)) == blobs
    assert not list(settings.JOBS_DIR.glob("*"))
    assert events(version) == ["uploaded", "started", "failed"]


def test_ingest_version_unpacks_and_hints_at_personal_data(project, data_scientist):
    content = gzip.compress(b"id,who\n1,ann@agency.example\n2,bob@agency.example\n")
    version = actions.upload_version(
        dataset=factory.dataset(project, data_scientist),
        content=io.BytesIO(content),
        original_name="people.csv.gz",
        by=data_scientist,
    )

    tasks.ingest_version(pk=str(version.pk))

    version.refresh_from_db()
    assert (version.format, version.status) == ("csv", "succeeded")
    hint = version.personal_hints.get()
    assert (hint.column, hint.kind, hint.matches) == (
        "who",
        "e-mail address",
        2,
    )
    assert hint.example_masked == "a••@••••••.•••••••"
