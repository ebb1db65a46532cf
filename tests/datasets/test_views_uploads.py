import pytest
from django.urls import reverse

from apps.datasets.models import Upload
from tests.costs import queries_of
from tests.factories import datasets as factory
from tests.factories.uploads import CONTENT, begun


@pytest.fixture
def client(client_of, data_scientist):
    return client_of(data_scientist)


def address_of(project) -> str:
    return reverse("datasets:upload_dataset", args=[project.slug])


def test_upload_page_lists_what_is_unfinished(client, project, data_scientist):
    upload = begun(project, data_scientist, file_modified_ms=123)

    page = client.get(address_of(project)).text

    assert f'data-unfinished="/api/v1/uploads/{upload.pk}"' in page
    assert f'data-size="{len(CONTENT)}"' in page
    assert 'data-modified="123"' in page
    assert "Choose the same file again" in page


def test_upload_page_keeps_places_apart(client, project, data_scientist):
    dataset = factory.dataset(project, data_scientist)
    begun(project, data_scientist, dataset=dataset, file_name="version.csv")
    begun(project, data_scientist, file_name="named.csv")

    here = client.get(reverse("datasets:upload_version", args=[dataset.pk])).text
    there = client.get(address_of(project)).text

    assert ("version.csv" in here, "named.csv" in here) == (True, False)
    assert ("version.csv" in there, "named.csv" in there) == (False, True)


def test_upload_page_escapes_names(client, project, data_scientist):
    begun(project, data_scientist, file_name='"><script>alert(1)<.csv')

    assert "<script>alert" not in client.get(address_of(project)).text


def test_upload_page_costs_the_same_for_many(client, project, data_scientist):
    begun(project, data_scientist)
    few = queries_of(client, address_of(project))
    for _ in range(3):
        begun(project, data_scientist)

    assert queries_of(client, address_of(project)) == few


def test_cancel_upload_leads_back(client, project, data_scientist):
    upload = begun(project, data_scientist)

    answer = client.post(reverse("datasets:cancel_upload", args=[upload.pk]))

    assert answer.headers["Location"] == address_of(project)
    assert Upload.objects.get().state == "cancelled"


def test_cancel_upload_of_a_version_leads_back(client, project, data_scientist):
    dataset = factory.dataset(project, data_scientist)
    upload = begun(project, data_scientist, dataset=dataset)

    answer = client.post(reverse("datasets:cancel_upload", args=[upload.pk]))

    back = reverse("datasets:upload_version", args=[dataset.pk])
    assert answer.headers["Location"] == back
