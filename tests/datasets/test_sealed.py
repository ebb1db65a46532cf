"""Sealed rows: brought in, kept from everybody, and limited looks at them."""

import io

import pytest
from django.urls import reverse

from apps.accounts.actions import service_account
from apps.audit.models import AuditEvent
from apps.core import blobs
from apps.core.errors import Invalid, Refused, WrongState
from apps.datasets import actions, queries
from apps.datasets.models import (
    DatasetContent,
    DatasetVersion,
    SealedBudget,
    SealedPart,
)
from apps.jobs.actions import start_job
from apps.jobs.models import JobStatus
from apps.training.queries import prepare_training
from tests.factories import datasets as factory
from tests.factories import sealed, training
from tests.trail import nothing_recorded, one_event


@pytest.fixture
def dataset(project, data_scientist):
    return factory.dataset(project, data_scientist)


@pytest.fixture
def client(client_of, data_scientist):
    return client_of(data_scientist)


def test_reading_keeps_the_rows_it_put_aside(dataset, data_scientist):
    with one_event("dataset.version_uploaded") as uploaded:
        waiting = sealed.waiting_split(dataset, data_scientist)
    spec = queries.prepare_ingest(waiting, _inputs(waiting))
    version = sealed.split_version(
        factory.dataset(dataset.project, data_scientist, "other"),
        data_scientist,
        content=b"other\n1\n",
    )

    part = queries.sealed_part_of(version)
    assert uploaded[0].changes["seal"] == "20% of the rows at random, seed 7"
    assert spec["seal"] == sealed.SEAL
    assert (part.row_count, part.repeated_count) == (40, 2)
    assert part.status == JobStatus.SUCCEEDED
    assert _content(part) == sealed.SEALED
    assert version.row_count == 3


def _inputs(job):
    folder = factory.folder_of(job)
    (folder / "inputs").mkdir(exist_ok=True)
    return folder


def _content(part) -> bytes:
    with blobs.open_blob(part.parquet_sha256) as file:
        return file.read()


def test_the_event_of_reading_says_what_is_sealed(dataset, data_scientist):
    version = sealed.split_version(dataset, data_scientist)

    event = AuditEvent.objects.get(type="dataset.version_ready")
    assert event.changes["sealed_rows"] == 40
    assert (
        event.changes["sealed_sha256"] == queries.sealed_part_of(version).parquet_sha256
    )


@pytest.mark.parametrize(
    ("seal", "field"),
    [
        ({**sealed.SEAL, "ratio": 0.9}, "seal_ratio"),
        ({**sealed.SEAL, "method": "group"}, "seal_column"),
        ({**sealed.SEAL, "method": "all"}, "seal_method"),
    ],
)
def test_a_faulty_seal_is_refused_before_the_file_is_taken(
    dataset, data_scientist, seal, field
):
    with nothing_recorded(), pytest.raises(Invalid) as caught:
        actions.upload_version(
            dataset=dataset,
            content=io.BytesIO(factory.CSV),
            original_name="a.csv",
            seal=seal,
            by=data_scientist,
        )

    assert set(caught.value.fields) == {field}
    assert not dataset.versions.exists()


# --- Doors ---


def download(version, content, by):
    return actions.download_version(version=version, content=content, by=by)


@pytest.mark.parametrize("state", ["waiting", "failed", "ready"])
def test_a_file_with_sealed_rows_is_not_downloaded_as_uploaded(
    dataset, data_scientist, client, api_of, state
):
    if state == "ready":
        version = sealed.split_version(dataset, data_scientist)
    else:
        version = sealed.waiting_split(dataset, data_scientist)
    if state == "failed":
        running = start_job(model=type(version), pk=version.pk, by=service_account())
        version = factory.fail(running, "No.", [])

    with nothing_recorded(), pytest.raises(Refused, match="only workers read"):
        download(version, DatasetContent.ORIGINAL, data_scientist)
    page = reverse("datasets:download_version", args=[version.pk])
    api = reverse("v1:download_version", args=[version.pk])
    assert client.get(page).status_code == 403
    assert client.get(page, {"format": "original"}).status_code == 403
    assert api_of(data_scientist).get(api).status_code == 403


def test_the_parquet_file_has_the_open_rows_only(dataset, data_scientist, client):
    version = sealed.split_version(dataset, data_scientist)

    file = download(version, DatasetContent.PARQUET, data_scientist)

    assert file.sha256 == version.parquet_sha256
    address = reverse("datasets:download_version", args=[version.pk])
    content = client.get(address, {"format": "parquet"}).getvalue()
    assert content == factory.PARQUET
    assert content != sealed.SEALED


def test_a_sealed_file_of_its_own_is_not_downloaded(dataset, data_scientist, client):
    part = sealed.finish_part(sealed.waiting_part(dataset, data_scientist))

    file = download(part.version, DatasetContent.ORIGINAL, data_scientist)

    assert file.sha256 not in {part.original_sha256, part.parquet_sha256}
    names = [
        reverse("datasets:download_version", args=[part.pk]),
        reverse("v1:download_version", args=[part.pk]),
    ]
    assert [client.get(name).status_code for name in names] == [404, 404]


def test_sealed_rows_are_not_opened_by_sending_them_again(dataset, data_scientist):
    sealed.split_version(dataset, data_scientist)
    other = factory.dataset(dataset.project, data_scientist, "other")

    with nothing_recorded(), pytest.raises(Invalid, match="would open them"):
        factory.version(other, data_scientist)

    again = sealed.waiting_split(other, data_scientist)
    assert again.seal == sealed.SEAL


def test_a_seal_that_could_not_be_can_be_corrected(dataset, data_scientist):
    waiting = sealed.waiting_split(dataset, data_scientist)
    running = start_job(model=DatasetVersion, pk=waiting.pk, by=service_account())
    factory.fail(running, "No such column.", [])

    again = actions.upload_version(
        dataset=dataset,
        content=io.BytesIO(factory.CSV),
        original_name="rows.csv",
        seal={**sealed.SEAL, "seed": 8},
        by=data_scientist,
    )

    assert again.seal["seed"] == 8


def test_rows_of_an_open_version_are_not_split_off_later(dataset, data_scientist):
    factory.ready_version(dataset, data_scientist)

    with nothing_recorded(), pytest.raises(Invalid, match="nobody has seen"):
        sealed.waiting_split(dataset, data_scientist)


def test_a_sealed_file_is_not_opened_by_sending_it_again(dataset, data_scientist):
    sealed.waiting_part(dataset, data_scientist)

    with nothing_recorded(), pytest.raises(Invalid, match="would open them"):
        factory.version(dataset, data_scientist, content=sealed.ROWS)


def test_rows_that_people_can_read_are_not_sealed(dataset, data_scientist):
    factory.ready_version(dataset, data_scientist, content=sealed.ROWS)
    other = factory.dataset(dataset.project, data_scientist, "other")

    with pytest.raises(Invalid, match="can be read in this project already"):
        sealed.waiting_part(other, data_scientist)

    assert not SealedPart.objects.exists()


def test_pages_and_api_show_nothing_of_sealed_rows_but_their_number(
    dataset, data_scientist, client, api_of
):
    version = sealed.split_version(dataset, data_scientist)
    pages = [
        version.get_absolute_url(),
        reverse("home:sealed_data", args=[dataset.pk]),
    ]
    api = api_of(data_scientist)

    for page in pages:
        assert "40" in client.get(page).text
    body = api.get(reverse("v1:dataset_version", args=[version.pk])).json()
    listed = api.get(reverse("v1:sealed_parts", args=[dataset.pk])).json()["results"]
    assert body["sealed_rows"] == 40
    assert body["profile"] == factory.RESULT["profile"]
    assert "profile" not in listed[0]
    assert listed[0]["how"] == "20% of the rows at random, seed 7"


def test_training_gets_the_open_rows_only(project, data_scientist):
    version = sealed.split_version(
        factory.dataset(project, data_scientist),
        data_scientist,
        result=training.CONTENT,
    )
    job = training.launched_job(project, data_scientist, dataset_version=version)
    folder = _inputs(job)

    prepare_training(job, folder)

    files = [path for path in folder.rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["data.parquet"]
    assert files[0].read_bytes() == factory.PARQUET


# --- Parts in a file of their own ---


def test_upload_sealed_part_waits_for_a_worker(dataset, data_scientist):
    version = factory.ready_version(dataset, data_scientist)

    with one_event("sealed.part_uploaded"):
        part = actions.upload_sealed_part(
            version=version,
            content=io.BytesIO(sealed.ROWS),
            original_name="sealed.csv",
            by=data_scientist,
        )

    assert queries.prepare_sealed_part(part, _inputs(part))["format"] == "csv"
    done = sealed.finish_part(part)
    assert (done.status, done.row_count) == (JobStatus.SUCCEEDED, 40)
    assert not version.personal_hints.exists()


def test_a_version_has_one_sealed_part(dataset, data_scientist):
    part = sealed.waiting_part(dataset, data_scientist)

    with nothing_recorded(), pytest.raises(WrongState, match="has a sealed part"):
        actions.upload_sealed_part(
            version=part.version,
            content=io.BytesIO(b"a\n9\n"),
            original_name="more.csv",
            by=data_scientist,
        )


def test_a_version_that_was_not_read_gets_no_sealed_part(dataset, data_scientist):
    with pytest.raises(WrongState, match="that was read"):
        actions.upload_sealed_part(
            version=factory.version(dataset, data_scientist),
            content=io.BytesIO(b"a\n9\n"),
            original_name="more.csv",
            by=data_scientist,
        )


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ([{"name": "species", "type": "text"}], "no column speed"),
        (
            [{"name": "species", "type": "text"}, {"name": "speed", "type": "text"}],
            "Column speed holds integer",
        ),
    ],
)
def test_sealed_rows_of_other_columns_are_refused(
    dataset, data_scientist, schema, words
):
    part = sealed.waiting_part(dataset, data_scientist)

    done = sealed.finish_part(part, schema)

    assert done.status == JobStatus.FAILED
    assert words in done.failure_message
    assert queries.sealed_part_of(part.version) is None


def test_a_column_that_looks_narrower_is_taken(dataset, data_scientist):
    part = sealed.waiting_part(dataset, data_scientist)
    schema = [
        {"name": "species", "type": "boolean"},
        {"name": "speed", "type": "integer"},
    ]

    assert sealed.finish_part(part, schema).status == JobStatus.SUCCEEDED


# --- The budget ---


def budget(project, by, looks: int = 3, reason: str = "Three releases a year."):
    return actions.set_sealed_budget(project=project, looks=looks, reason=reason, by=by)


def test_set_sealed_budget_is_the_program_managers(project, world):
    with one_event("sealed.budget_set") as events:
        budget(project, world.program_manager)

    assert events[0].changes == {"looks": [10, 3]}
    assert events[0].reason == "Three releases a year."
    with nothing_recorded(), pytest.raises(Refused):
        budget(project, world.data_scientist, looks=99)
    with nothing_recorded():
        budget(project, world.program_manager)
    assert SealedBudget.objects.get().looks == 3


@pytest.mark.parametrize(
    ("looks", "reason", "field"),
    [(-1, "x", "looks"), (1001, "x", "looks"), (3, " ", "reason"), (3, "\0", "reason")],
)
def test_set_sealed_budget_refuses_what_does_not_fit(
    project, program_manager, looks, reason, field
):
    with nothing_recorded(), pytest.raises(Invalid) as caught:
        budget(project, program_manager, looks, reason)

    assert set(caught.value.fields) == {field}


def test_the_budget_by_form_and_api(project, program_manager, client_of, api_of):
    page = reverse("datasets:set_sealed_budget", args=[project.slug])
    address = reverse("v1:sealed_budget", args=[project.slug])
    api = api_of(program_manager)

    default = api.get(address).json()
    bad = client_of(program_manager).post(page, {"looks": "", "reason": ""})
    good = client_of(program_manager).post(page, {"looks": 4, "reason": "Few."})

    assert (default["looks"], default["set_by"]) == (10, None)
    assert bad.status_code == 422
    assert good.status_code == 302
    assert api.get(address).json()["looks"] == 4
    put = api.put(address, {"looks": 5, "reason": "One more."}, "application/json")
    assert put.json()["set_by"] == program_manager.email


# --- Pages ---


def test_rows_are_sealed_from_the_upload_form(client, dataset):
    address = reverse("datasets:upload_version", args=[dataset.pk])
    file = io.BytesIO(factory.CSV)
    file.name = "rows.csv"
    sent = {
        "file": file,
        "seal_method": "stratified",
        "seal_ratio": "0.3",
        "seal_column": "species",
        "seal_seed": "5",
    }

    response = client.post(address, sent)

    assert response.status_code == 302
    assert dataset.versions.get().seal == {
        "method": "stratified",
        "ratio": 0.3,
        "column": "species",
        "seed": 5,
    }


def test_a_faulty_seal_is_shown_by_its_field(client, dataset):
    address = reverse("datasets:upload_version", args=[dataset.pk])
    file = io.BytesIO(factory.CSV)
    file.name = "rows.csv"

    response = client.post(address, {"file": file, "seal_method": "group"})

    assert response.status_code == 422
    assert "seal_column" in response.context["form"].errors


def test_rows_are_sealed_over_the_api(api_of, data_scientist, dataset):
    address = reverse("v1:dataset_versions", args=[dataset.pk])
    file = io.BytesIO(factory.CSV)
    file.name = "rows.csv"

    made = api_of(data_scientist).post(
        address, {"file": file, "seal_method": "random", "seal_ratio": "0.4"}
    )

    assert made.status_code == 202
    assert dataset.versions.get().seal["ratio"] == 0.4


def test_upload_sealed_part_from_the_form_and_over_the_api(
    client, api_of, data_scientist, dataset
):
    version = factory.ready_version(dataset, data_scientist)
    page = reverse("datasets:upload_sealed_part", args=[version.pk])
    file = io.BytesIO(sealed.ROWS)
    file.name = "sealed.csv"

    sent = client.post(page, {"file": file}, follow=True)
    part = SealedPart.objects.get()
    status = api_of(data_scientist).get(reverse("v1:sealed_part", args=[part.pk]))

    assert "Waiting for a worker" in sent.text
    assert status.json()["status"] == "queued"
    client.post(reverse("datasets:cancel_sealed_part", args=[part.pk]))
    part.refresh_from_db()
    assert part.status == JobStatus.CANCELLED
