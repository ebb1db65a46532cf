import pytest
from django.urls import reverse

from apps.datasets.models import Datasheet, PersonalDataHint
from tests.costs import queries_of
from tests.factories import datasets as factory
from tests.factories import datasheets, registry

SCRIPT = "<script>alert(1)</script>"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


@pytest.fixture
def client(client_of, data_scientist):
    return client_of(data_scientist)


@pytest.fixture
def api(api_of, data_scientist):
    return api_of(data_scientist)


@pytest.fixture
def dataset(project, data_scientist):
    return factory.dataset(project, data_scientist)


def page(dataset) -> str:
    return reverse("datasets:datasheet", args=[dataset.pk])


def form(dataset) -> str:
    return reverse("datasets:write_datasheet", args=[dataset.pk])


def test_pages_warn_of_a_datasheet_that_is_not_there(client, project, dataset):
    version = factory.ready_version(dataset, dataset.created_by)

    for address in (
        page(dataset),
        dataset.get_absolute_url(),
        version.get_absolute_url(),
        reverse("datasets:list", args=[project.slug]),
    ):
        assert "steward" in client.get(address).text.lower(), address
    launch = reverse("training:launch_training", args=[project.slug])
    query = {"dataset_version": str(version.pk), "target": "speed"}
    assert "The datasheet is incomplete" in client.get(launch, query).text


def test_write_datasheet_from_the_form(client, dataset, data_scientist):
    sent = {
        "source": SCRIPT,
        "steward": str(data_scientist.pk),
        "sensitivity": "internal",
    }

    response = client.post(form(dataset), sent, follow=True)

    assert ESCAPED in response.text
    assert SCRIPT not in response.text
    assert "2 of" not in response.text
    assert "3 of 5 required answers" in response.text
    assert Datasheet.objects.get().steward == data_scientist


def test_the_form_begins_with_what_is_stated(client, dataset, data_scientist):
    datasheets.datasheet(dataset, data_scientist, source="FAA strikes")

    response = client.get(form(dataset))

    assert "FAA strikes" in response.text
    assert "complete for a project whose impact is not yet determined" in response.text


def test_an_invalid_form_says_so_by_field(client, dataset, data_scientist):
    datasheets.hint(dataset, data_scientist)

    response = client.post(form(dataset), {"sensitivity": "public"})

    assert response.status_code == 422
    assert "sensitivity" in response.context["form"].errors


def test_earlier_revisions_are_kept(client, dataset, data_scientist):
    datasheets.datasheet(dataset, data_scientist, source="First words")
    datasheets.datasheet(dataset, data_scientist, source="Second words")

    newest = client.get(page(dataset))
    first = client.get(Datasheet.objects.get(number=1).get_absolute_url())
    absent = client.get(reverse("datasets:datasheet_revision", args=[dataset.pk, 99]))

    assert "Second words" in newest.text
    assert "First words" in first.text
    assert "You read an earlier revision" in first.text
    assert absent.status_code == 404


def test_the_page_costs_the_same_however_many_revisions(
    client, dataset, data_scientist
):
    for number in range(2):
        datasheets.datasheet(dataset, data_scientist, source=f"Words {number}")
    few = queries_of(client, page(dataset))
    for number in range(2, 24):
        datasheets.datasheet(dataset, data_scientist, source=f"Words {number}")

    assert queries_of(client, page(dataset)) == few
    assert "Older" in client.get(page(dataset)).text


def test_hints_are_shown_loudly_until_decided(client, dataset, data_scientist):
    hint = datasheets.hint(dataset, data_scientist)
    datasheets.datasheet(dataset, data_scientist)
    decide = reverse("datasets:decide_hint", args=[hint.pk])

    before = client.get(hint.version.get_absolute_url())
    empty = client.post(decide, {"decision": "dismissed", "reason": ""})
    after = client.post(
        decide, {"decision": "dismissed", "reason": SCRIPT}, follow=True
    )

    assert "The steward has not decided yet" in before.text
    assert "person name" in before.text
    assert empty.status_code == 422
    assert "reason" in empty.context["form"].errors
    assert "The steward has not decided yet" not in after.text
    assert ESCAPED in after.text
    assert SCRIPT not in after.text


def test_api_puts_and_gets_a_datasheet(api, dataset, data_scientist):
    address = reverse("v1:datasheet", args=[dataset.pk])
    sent = {
        "steward": data_scientist.email.upper(),
        "sensitivity": "internal",
        "answers": {"source": "FAA", "licence": "Public domain", "intended_use": "x"},
    }

    put = api.put(address, sent, "application/json")
    got = api.get(address)

    assert put.status_code == 200
    assert got.json() == put.json()
    assert got.json()["revision"]["answers"]["source"] == "FAA"
    assert got.json()["revision"]["steward"] == data_scientist.email
    assert got.json()["completeness"]["missing_questions"] == []
    assert got.json()["completeness"]["warning"] == ""
    assert api.get(address, headers={"If-None-Match": got["ETag"]}).status_code == 304
    revisions = api.get(reverse("v1:datasheet_revisions", args=[dataset.pk])).json()
    assert [revision["number"] for revision in revisions["results"]] == [1]


def test_api_says_what_is_missing_before_the_first_revision(api, dataset):
    body = api.get(reverse("v1:datasheet", args=[dataset.pk])).json()

    assert body["revision"] is None
    assert body["completeness"]["ratio"] == 0
    questions = body["completeness"]["missing_questions"]
    assert {"slug": "source", "title": "Source"} in questions


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"steward": "outsider@agency.example"}, "steward"),
        ({"answers": {"unknown": "x"}}, "unknown"),
        ({"sensitivity": "secret"}, "sensitivity"),
        ({"answers": {"source": "x" * 4001}}, "answers"),
    ],
)
def test_api_refuses_what_does_not_fit(api, dataset, sent, field):
    address = reverse("v1:datasheet", args=[dataset.pk])

    response = api.put(address, sent, "application/json")

    assert response.status_code == 422
    assert field in response.json()["fields"]
    assert not Datasheet.objects.exists()


def test_api_decides_hints(api, dataset, data_scientist):
    hint = datasheets.hint(dataset, data_scientist)
    datasheets.datasheet(dataset, data_scientist)
    listed = api.get(reverse("v1:dataset_hints", args=[hint.version.pk])).json()
    address = reverse("v1:decide_hint", args=[listed["results"][0]["id"]])

    bad = api.post(address, {"decision": "undecided"}, "application/json")
    good = api.post(address, {"decision": "confirmed"}, "application/json")

    assert listed["results"][0]["example_masked"] == "G***"
    assert bad.status_code == 422
    assert good.json()["decided_by"] == data_scientist.email
    assert PersonalDataHint.objects.get().decision == "confirmed"


def test_model_version_pages_warn_of_their_data(client, project, data_scientist):
    version = registry.model_version(project, data_scientist)

    assert "The datasheet is incomplete" in client.get(version.get_absolute_url()).text
