"""What is wrong with a file, taken away to be corrected."""

import csv
import io

import pytest
from django.urls import reverse

from apps.audit.models import AuditEvent
from tests.factories import datasets as factory

WRONG = [
    {"row": 2, "column": "=cmd()", "message": "Not a number.", "text": "@SUM(A1)"},
    {"row": None, "column": None, "message": "Ends too soon.", "text": 'a,"b\n'},
]


@pytest.fixture
def failed(project, data_scientist):
    dataset = factory.dataset(project, data_scientist)
    running = factory.running_version(dataset, data_scientist)
    return factory.fail(running, "Row 2 is wrong.", [*WRONG, "for operators"])


@pytest.fixture
def client(client_of, data_scientist):
    return client_of(data_scientist)


def address_of(version) -> str:
    return reverse("datasets:download_errors", args=[version.pk])


def test_download_errors_as_csv_that_no_spreadsheet_computes(client, failed):
    answer = client.get(address_of(failed))

    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="strikes-1-errors.csv"'
    )
    assert rows == [
        ["file", "row", "column", "message", "text"],
        ["rows.csv", "2", "'=cmd()", "Not a number.", "'@SUM(A1)"],
        ["rows.csv", "", "", "Ends too soon.", 'a,"b\n'],
    ]


def test_download_errors_as_json(client, failed):
    answer = client.get(address_of(failed), {"format": "json"})

    told = answer.json()
    assert told["errors"] == [{"file": "rows.csv", **place} for place in WRONG]
    assert (told["file"], told["message"]) == ("rows.csv", "Row 2 is wrong.")
    assert told["sha256"] == failed.original_sha256


def test_download_errors_names_the_file_in_an_archive(client, project, data_scientist):
    dataset = factory.dataset(project, data_scientist)
    running = factory.running_version(dataset, data_scientist)
    inside = {**WRONG[0], "file": "birds/gull.png"}
    version = factory.fail(running, "A picture is broken.", [inside])

    (told,) = client.get(address_of(version), {"format": "json"}).json()["errors"]

    assert told["file"] == "birds/gull.png"


def test_download_errors_is_recorded(client, failed, data_scientist):
    client.get(address_of(failed))

    event = AuditEvent.objects.get(type="dataset.downloaded")
    assert event.actor_id == data_scientist.pk
    assert event.changes == {"content": "errors", "format": "csv"}


def test_download_errors_of_a_file_wrong_as_a_whole(client, project, data_scientist):
    dataset = factory.dataset(project, data_scientist)
    running = factory.running_version(dataset, data_scientist)
    version = factory.fail(running, "The file is no table.", [])

    answer = client.get(address_of(version), {"format": "json"})

    assert [each["message"] for each in answer.json()["errors"]] == [
        "The file is no table."
    ]


def test_download_errors_of_a_good_file_is_refused(client, project, data_scientist):
    version = factory.ready_version(
        factory.dataset(project, data_scientist), data_scientist
    )

    assert client.get(address_of(version)).status_code == 409


def test_download_errors_in_another_form_is_invalid(client, failed):
    assert client.get(address_of(failed), {"format": "exe"}).status_code == 422


def test_failure_panel_and_api_link_to_the_list(client, api_of, data_scientist, failed):
    page = client.get(failed.get_absolute_url()).text
    told = api_of(data_scientist).get(f"/api/v1/dataset-versions/{failed.pk}").json()

    assert f"{address_of(failed)}?format=csv" in page
    assert told["errors_url"] == f"/api/v1/dataset-versions/{failed.pk}/errors"
    assert len(told["failure_places"]) == 2
