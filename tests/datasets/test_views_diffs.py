"""Pages of comparisons."""

import pytest
from django.urls import reverse

from apps.datasets.models import VersionDiff
from apps.jobs.models import JobStatus
from tests.costs import queries_of
from tests.datasets.test_fingerprints import fingerprint
from tests.factories import datasets as factory


@pytest.fixture
def client(client_of, data_scientist):
    return client_of(data_scientist)


@pytest.fixture
def dataset(project, data_scientist):
    return factory.dataset(project, data_scientist)


def changes_url(dataset) -> str:
    return reverse("datasets:changes", args=[dataset.pk])


def versions(dataset, by, *fingerprints):
    return [
        factory.ready_version(
            dataset,
            by,
            content=f"a\n{place}\n".encode(),
            result={**factory.RESULT, "fingerprint": found},
        )
        for place, found in enumerate(fingerprints)
    ]


def test_changes_compare_the_newest_two_at_once(client, dataset, data_scientist):
    versions(
        dataset,
        data_scientist,
        None,
        fingerprint("x", "y"),
        fingerprint("x", "Y", columns="aB", bag="v"),
    )

    response = client.get(changes_url(dataset))

    text = " ".join(response.text.split())
    assert "Compare version 2 with version 3" in text
    assert "Values differ in <strong>c1</strong>" in text
    assert "65,537 to 131,072" in text


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (fingerprint("x"), "not one value differs"),
        (fingerprint("y", columns="cd"), "The same rows in another order."),
        (None, "read before there were fingerprints"),
    ],
)
def test_changes_say_what_fingerprints_tell(
    client, dataset, data_scientist, second, words
):
    versions(dataset, data_scientist, fingerprint("x"), second)

    assert words in client.get(changes_url(dataset)).text


@pytest.mark.parametrize(
    "query", [{"before_number": "9", "after_number": "1"}, {"after_number": "9" * 30}]
)
def test_changes_mind_numbers_of_no_version(client, dataset, data_scientist, query):
    versions(dataset, data_scientist, None, None)

    response = client.get(changes_url(dataset), query)

    assert response.status_code == 200
    assert "Nothing to compare" in response.text


def test_changes_cost_the_same_however_many_comparisons(
    client, dataset, data_scientist
):
    factory.ready_diff(dataset, data_scientist)
    few = queries_of(client, changes_url(dataset))
    before, after = dataset.versions.order_by("number")
    for name in ("speed", "species,speed"):
        VersionDiff.objects.create(
            before=before, after=after, key=[name], asked_by=data_scientist
        )

    assert queries_of(client, changes_url(dataset)) == few


def test_request_diff_leads_to_its_page(client, dataset, data_scientist):
    versions(dataset, data_scientist, None, None)

    response = client.post(
        reverse("datasets:request_diff", args=[dataset.pk]),
        {"before_number": "1", "after_number": "2", "key": ["species"]},
    )

    diff = VersionDiff.objects.get()
    assert response.url == diff.get_absolute_url()
    assert diff.key == ["species"]
    assert "Waiting for a worker" in client.get(response.url).text


@pytest.mark.parametrize(
    "data",
    [
        {"before_number": "1", "after_number": "2", "key": ["nothing"]},
        {"before_number": "1", "after_number": "1"},
        {"before_number": "1", "after_number": "7"},
        {"before_number": "x"},
        {},
    ],
)
def test_request_diff_says_what_is_wrong(client, dataset, data_scientist, data):
    versions(dataset, data_scientist, None, None)

    url = reverse("datasets:request_diff", args=[dataset.pk])
    response = client.post(url, data)

    assert response.status_code == 422
    assert not VersionDiff.objects.exists()


def test_diff_draws_and_lists_what_changed(client, dataset, data_scientist):
    diff = factory.ready_diff(dataset, data_scientist)

    response = client.get(diff.get_absolute_url())

    assert [f["title"] for f in response.context["figures"]] == ["species", "speed"]
    assert [row["words"] for row in response.context["shifts"]] == [
        "large",
        "little",
        "no values",
    ]
    assert "became number" in " ".join(response.text.split())
    assert "=1+1" in response.text


def test_diff_draws_the_column_that_is_wanted(client, dataset, data_scientist):
    diff = factory.ready_diff(dataset, data_scientist)

    response = client.get(diff.get_absolute_url(), {"column": "speed"})

    assert [f["title"] for f in response.context["figures"]] == ["speed"]


def test_diff_writes_dates_as_dates(client, dataset, data_scientist):
    day = {**factory.DIFF["columns"][1], "name": "day", "type": "date"}
    day["bins"] = {"edges": [0, 86400, 1e300], "before": [1, 1], "after": [1, 0]}
    result = {**factory.DIFF, "columns": [day]}
    diff = factory.ready_diff(dataset, data_scientist, result=result)

    figure = client.get(diff.get_absolute_url()).context["figures"][0]

    assert figure["table"]["rows"] == [
        ["1970-01-01", "1970-01-02", 1, 1],
        ["1970-01-02", "9999-12-31", 1, 0],
    ]


def test_diff_shows_rows_to_who_may_have_them(
    client_of, dataset, data_scientist, auditor
):
    diff = factory.ready_diff(dataset, data_scientist)

    response = client_of(auditor).get(diff.get_absolute_url())

    assert "=1+1" not in response.text
    assert "The rows themselves are shown to who may." in response.text


def test_diff_progress_stops_when_there_is_an_answer(client, dataset, data_scientist):
    waiting = factory.requested_diff(dataset, data_scientist)
    url = reverse("datasets:diff_progress", args=[waiting.pk])

    first = client.get(url)
    client.post(reverse("datasets:cancel_diff", args=[waiting.pk]))
    last = client.get(url)

    assert (first.status_code, last.status_code) == (200, 286)
    assert "Comparing was cancelled" in last.text


def test_diff_tells_why_it_failed(client, dataset, data_scientist):
    waiting = factory.requested_diff(dataset, data_scientist)
    VersionDiff.objects.filter(pk=waiting.pk).update(
        status=JobStatus.FAILED,
        finished_at=waiting.created_at,
        failure_message="species does not tell rows apart.",
    )

    response = client.get(waiting.get_absolute_url())

    assert "species does not tell rows apart." in response.text
    assert "Compare them in another way" in response.text


def test_download_diff_is_a_file(client, dataset, data_scientist):
    diff = factory.ready_diff(dataset, data_scientist)

    response = client.get(reverse("datasets:download_diff", args=[diff.pk]))

    assert response["Content-Disposition"] == 'attachment; filename="strikes-1-2.csv"'
    assert "'=1+1" in response.text
