from pathlib import Path

import pytest
from django.urls import reverse

from apps.datasets.models import Dataset, DatasetVersion
from tests.costs import queries_of
from tests.factories import datasets as factory

CONTENT = b"species,speed\nGull,140\n"


@pytest.fixture
def root(tmp_path: Path, settings) -> Path:
    folder = tmp_path / "archive"
    (folder / "2024").mkdir(parents=True)
    (folder / "2024" / "strikes.csv").write_bytes(CONTENT)
    (folder / "notes.txt").write_text("Notes.")
    settings.DATA_SOURCES = {"archive": str(folder)}
    return folder


@pytest.fixture
def client(client_of, data_scientist):
    return client_of(data_scientist)


@pytest.fixture
def api(api_of, data_scientist):
    return api_of(data_scientist)


@pytest.fixture
def address(project) -> str:
    return reverse("datasets:import_dataset", args=[project.slug])


def test_import_page_walks_through_folders(client, root, address):
    top = client.get(address).text
    below = client.get(address, {"source": "archive", "folder": "2024"}).text

    assert 'href="?source=archive&amp;folder=2024"' in top
    assert "cannot be read as data" in top
    assert 'href="?source=archive&amp;path=2024%2Fstrikes.csv"' in below


def test_import_page_searches_by_beginning(client, root, address):
    page = client.get(address, {"source": "archive", "begins": "zz"}).text

    assert "Nothing here" in page


def test_import_page_without_sources_says_so(client, address):
    assert "There are no sources" in client.get(address).text


def test_import_page_offers_each_source(client, root, settings, address):
    settings.DATA_SOURCES["other"] = str(root / "2024")

    page = client.get(address).text

    assert 'href="?source=archive"' in page
    assert 'href="?source=other"' in page


def test_import_page_comes_in_pages(client, root, address):
    for number in range(101):
        (root / f"{number:04}.csv").write_bytes(CONTENT)

    page = client.get(address).text

    assert "after=0099.csv" in page


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"source": "none"}, "no such source"),
        ({"source": "archive", "folder": "../.."}, "cannot lead out"),
        ({"source": "archive", "path": "missing.csv"}, "is not there"),
    ],
)
def test_import_page_says_what_cannot_be_shown(client, root, address, asked, words):
    answer = client.get(address, asked)

    assert answer.status_code == 200
    assert words in answer.text


def test_import_page_escapes_names(client, root, address):
    (root / '"><script>alert(1)<').mkdir()

    assert "<script>alert" not in client.get(address).text


def test_import_dataset_leads_to_the_version(client, root, address):
    chosen = {"source": "archive", "path": "2024/strikes.csv"}
    page = client.get(address, chosen)
    assert 'value="2024/strikes.csv"' in page.text

    answer = client.post(address, {**chosen, "name": "new", "title": "New"})

    version = DatasetVersion.objects.get()
    assert answer.headers["Location"] == version.get_absolute_url()
    shown = client.get(version.get_absolute_url()).text
    assert "archive: 2024/strikes.csv" in shown
    assert "There is no file until a worker has brought it in." in shown


def test_import_dataset_shows_what_is_wrong(client, root, address):
    chosen = {"source": "archive", "path": "../secret.csv"}

    answer = client.post(address, {**chosen, "name": "new", "title": "New"})

    assert answer.status_code == 422
    assert "cannot lead out" in answer.text
    assert not Dataset.objects.exists()


def test_import_version_shows_what_is_wrong(client, root, project, data_scientist):
    dataset = factory.dataset(project, data_scientist)
    address = reverse("datasets:import_version", args=[dataset.pk])
    chosen = {"source": "archive", "path": "2024/strikes.csv"}

    first = client.post(address, chosen)
    second = client.post(address, chosen)

    assert (first.status_code, second.status_code) == (302, 422)
    assert "imported already" in second.text


def test_upload_page_leads_to_sources_where_there_are(client, project, root, settings):
    upload = reverse("datasets:upload_dataset", args=[project.slug])
    assert "Import it from a source" in client.get(upload).text

    settings.DATA_SOURCES = {}

    assert "Import it from a source" not in client.get(upload).text


def test_import_page_costs_the_same_for_many(client, root, address):
    few = queries_of(client, address)
    for number in range(20):
        (root / f"{number}.csv").write_bytes(CONTENT)

    assert queries_of(client, address) == few


def test_api_lists_sources_and_what_is_in_them(api, root, project):
    below = f"/api/v1/projects/{project.slug}/sources"

    assert api.get(below).json() == {"results": [{"name": "archive"}]}
    (folder, file) = api.get(f"{below}/archive").json()["results"]
    assert (folder["name"], folder["is_folder"]) == ("2024", True)
    assert (file["path"], file["size_bytes"]) == ("notes.txt", 6)
    found = api.get(f"{below}/archive", {"folder": "2024", "begins": "x"}).json()
    assert found == {"results": [], "after": ""}


def test_api_imports(api, root, project, data_scientist):
    place = {"source": "archive", "path": "2024/strikes.csv"}
    dataset = factory.dataset(project, data_scientist)

    new = api.post(
        f"/api/v1/projects/{project.slug}/imports",
        {**place, "name": "new"},
        content_type="application/json",
    )
    more = api.post(
        f"/api/v1/datasets/{dataset.pk}/imports", place, content_type="application/json"
    )

    assert (new.status_code, more.status_code) == (202, 202)
    assert new.json()["source_path"] == "2024/strikes.csv"
    assert more.json()["dataset_id"] == str(dataset.pk)


@pytest.mark.parametrize(
    ("place", "field"),
    [
        ({"source": "archive"}, "path"),
        ({"source": "archive", "path": "../secret.csv"}, "path"),
        ({"source": "none", "path": "x.csv"}, "source"),
        ({"source": "archive", "path": "notes.txt"}, "file"),
    ],
)
def test_api_names_what_is_wrong(api, root, project, place, field):
    answer = api.post(
        f"/api/v1/projects/{project.slug}/imports",
        {**place, "name": "new"},
        content_type="application/json",
    )

    assert answer.status_code == 422
    assert field in answer.json()["fields"]
    assert not Dataset.objects.exists()
