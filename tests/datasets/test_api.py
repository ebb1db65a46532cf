import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.datasets.models import Dataset, DatasetVersion
from apps.projects.actions import access
from tests.costs import queries_of
from tests.factories import datasets as factory


@pytest.fixture
def api(api_of, data_scientist):
    return api_of(data_scientist)


@pytest.fixture
def dataset(project, data_scientist) -> Dataset:
    return factory.dataset(project, data_scientist)


def csv_file(content: bytes = factory.CSV):
    return SimpleUploadedFile("rows.csv", content)


def test_upload_dataset_answers_202_with_where_to_ask(api, project):
    response = api.post(
        f"/api/v1/projects/{project.slug}/datasets",
        {"name": "strikes", "file": csv_file()},
    )

    version = DatasetVersion.objects.get()
    assert response.status_code == 202
    assert response["Location"] == f"/api/v1/dataset-versions/{version.pk}"
    assert response.json()["status_url"] == response["Location"]
    assert response.json()["status"] == "queued"


def test_upload_dataset_without_a_file_is_invalid(api, project):
    response = api.post(
        f"/api/v1/projects/{project.slug}/datasets", {"name": "strikes"}
    )

    assert response.status_code == 422
    assert list(response.json()["fields"]) == ["file"]


def test_upload_dataset_with_nul_in_a_text_is_invalid(api, project):
    response = api.post(
        f"/api/v1/projects/{project.slug}/datasets",
        {"name": "strikes", "title": "a\x00b", "file": csv_file()},
    )

    assert response.status_code == 422
    assert list(response.json()["fields"]) == ["title"]


def test_datasets_lists_what_is_visible(api, api_of, project, dataset, validator):
    access.restrict(thing=dataset, by=dataset.created_by)
    address = f"/api/v1/projects/{project.slug}/datasets"

    mine, theirs = api.get(address).json(), api_of(validator).get(address).json()

    assert [row["name"] for row in mine["results"]] == ["strikes"]
    assert theirs == {"results": [], "next": None}


def test_dataset_is_read_edited_and_cached(api, dataset):
    address = f"/api/v1/datasets/{dataset.pk}"

    first = api.get(address)
    again = api.get(address, headers={"If-None-Match": first["ETag"]})
    changed = api.patch(
        address, {"title": "Bird strikes"}, content_type="application/json"
    )

    assert first.json()["project"] == "inspection"
    assert again.status_code == 304
    assert changed.json()["title"] == "Bird strikes"


def test_versions_are_added_and_listed(api, dataset):
    address = f"/api/v1/datasets/{dataset.pk}/versions"

    added = api.post(address, {"file": csv_file()})
    twin = api.post(address, {"file": csv_file()})
    listed = api.get(address).json()["results"]

    assert (added.status_code, twin.status_code) == (202, 422)
    assert "same file" in twin.json()["message"]
    assert [row["number"] for row in listed] == [1]


def test_version_tells_columns_and_profile(api, dataset, data_scientist):
    version = factory.ready_version(dataset, data_scientist)

    body = api.get(f"/api/v1/dataset-versions/{version.pk}").json()

    assert body["status"] == "succeeded"
    assert body["columns"] == factory.RESULT["schema"]
    assert body["profile"] == factory.RESULT["profile"]
    assert body["failure_places"] == []


def test_version_tells_where_the_file_is_wrong(api, dataset, data_scientist):
    running = factory.running_version(dataset, data_scientist)
    place = {"row": 3, "column": "b", "message": "Missing.", "text": "3"}
    factory.fail(running, "Row 3 has too few fields.", [place, "a trace"])

    body = api.get(f"/api/v1/dataset-versions/{running.pk}").json()

    assert body["failure_message"] == "Row 3 has too few fields."
    assert body["failure_places"] == [{"file": "", **place}]


def test_cancel_ingest_once(api, dataset, data_scientist):
    version = factory.version(dataset, data_scientist)
    address = f"/api/v1/dataset-versions/{version.pk}/cancel"

    first, second = api.post(address), api.post(address)

    assert (first.status_code, first.json()["status"]) == (202, "cancelled")
    assert (second.status_code, second.json()["error"]) == (409, "wrong_state")


def test_download_version_streams_parquet(api, dataset, data_scientist):
    version = factory.ready_version(dataset, data_scientist)

    response = api.get(
        f"/api/v1/dataset-versions/{version.pk}/download", {"format": "parquet"}
    )

    assert response.getvalue() == factory.PARQUET
    assert response["ETag"] == f'"{version.parquet_sha256}"'


def test_restrict_grant_revoke_and_open(api, dataset, validator):
    def path(end: str) -> str:
        return f"/api/v1/datasets/{dataset.pk}/{end}"

    restricted = api.post(path("restrict"))
    granted = api.post(
        path("grants"), {"email": validator.email}, content_type="application/json"
    )
    people = api.get(path("grants")).json()["results"]
    revoked = api.delete(path(f"grants/{validator.pk}"))
    again = api.delete(path(f"grants/{validator.pk}"))
    opened = api.post(path("open"))

    assert restricted.json()["is_restricted"] is True
    assert granted.json()["full_name"] == "Vera Validator"
    assert {row["email"] for row in people} == {
        dataset.created_by.email,
        validator.email,
    }
    assert (revoked.status_code, again.status_code) == (204, 404)
    assert opened.json()["is_restricted"] is False


def test_a_reading_token_uploads_nothing(api_of, data_scientist, project):
    response = api_of(data_scientist, scope="read").post(
        reverse("v1:datasets", args=[project.slug]),
        {"name": "strikes", "file": csv_file()},
    )

    assert response.status_code == 403
    assert not Dataset.objects.exists()


def test_lists_cost_the_same_however_long(api, project, dataset, data_scientist):
    def add(numbers) -> None:
        for number in numbers:
            made = factory.dataset(project, data_scientist, f"d{number}")
            for target in (made, dataset):
                content = f"a\n{number}\n".encode()
                factory.version(target, data_scientist, content=content)

    addresses = (
        f"/api/v1/projects/{project.slug}/datasets",
        f"/api/v1/datasets/{dataset.pk}/versions",
    )
    add(range(2))
    few = [queries_of(api, address) for address in addresses]
    add(range(2, 12))

    assert [queries_of(api, address) for address in addresses] == few
