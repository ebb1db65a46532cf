import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.datasets.models import Dataset, DatasetVersion
from apps.projects.actions import access
from tests.costs import queries_of
from tests.factories import datasets as factory
from tests.factories import projects as project_factory

SCRIPT = "<script>alert(1)</script>"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


@pytest.fixture
def client(client_of, data_scientist):
    return client_of(data_scientist)


@pytest.fixture
def dataset(project, data_scientist) -> Dataset:
    return factory.dataset(project, data_scientist)


def page_of(version) -> str:
    return reverse("datasets:version", args=[version.pk])


def csv_file(content: bytes = factory.CSV, name: str = "rows.csv"):
    return SimpleUploadedFile(name, content)


def test_list_shows_the_newest_version(client, project, dataset, data_scientist):
    factory.ready_version(dataset, data_scientist)
    factory.version(dataset, data_scientist, content=b"a\n1\n")
    factory.dataset(project, data_scientist, "empty")

    response = client.get(reverse("datasets:list", args=[project.slug]))

    assert "Version 2" in response.text
    assert "No version yet." in response.text


def test_list_says_when_it_is_empty(client, project):
    response = client.get(reverse("datasets:list", args=[project.slug]))

    assert "No datasets yet" in response.text


def test_list_costs_the_same_however_long(client, project, data_scientist):
    def add(count: int, letter: str) -> None:
        for number in range(count):
            made = factory.dataset(project, data_scientist, f"{letter}{number}")
            factory.version(made, data_scientist, content=f"a\n{made.pk}\n".encode())

    address = reverse("datasets:list", args=[project.slug])
    add(2, "a")
    few = queries_of(client, address)
    add(18, "b")

    assert queries_of(client, address) == few


def test_list_pages_by_key(client, project, data_scientist):
    for number in range(25):
        factory.dataset(project, data_scientist, f"d{number}")
    address = reverse("datasets:list", args=[project.slug])

    first = client.get(address)
    older = client.get(address, {"after": first.context["page"].next_cursor})

    assert "Older" in first.text
    assert [d.name for d in older.context["page"].rows] == ["d0"]


def test_upload_dataset_leads_to_its_version(client, project):
    response = client.post(
        reverse("datasets:upload_dataset", args=[project.slug]),
        {"title": "Strikes", "name": "strikes", "file": csv_file()},
    )

    version = DatasetVersion.objects.get()
    assert response.status_code == 302
    assert response.url == page_of(version)
    assert version.dataset.title == "Strikes"


def test_upload_dataset_tells_the_script_where_to_go(client, project):
    response = client.post(
        reverse("datasets:upload_dataset", args=[project.slug]),
        {"title": "Strikes", "name": "strikes", "file": csv_file()},
        headers={"HX-Request": "true"},
    )

    assert response["HX-Redirect"] == page_of(DatasetVersion.objects.get())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "two words"}, "name"),
        ({"title": "a\x00b"}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"description": "x" * 4001}, "description"),
        ({"file": csv_file(name="rows.exe")}, "file"),
        ({"file": csv_file(b"")}, "file"),
    ],
)
def test_upload_dataset_shows_what_is_wrong(client, project, changes, field):
    data = {"title": "Strikes", "name": "strikes", "file": csv_file(), **changes}

    response = client.post(
        reverse("datasets:upload_dataset", args=[project.slug]), data
    )

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not Dataset.objects.exists()


def test_upload_page_knows_the_limits(client, project, settings):
    settings.UPLOAD_TOTAL_LIMIT_BYTES = 4321
    settings.UPLOAD_LIMIT_BYTES = 1024
    settings.UPLOAD_CHUNK_BYTES = 17

    response = client.get(reverse("datasets:upload_dataset", args=[project.slug]))

    assert 'data-limit-bytes="4321"' in response.text
    assert 'data-chunk-bytes="17"' in response.text
    assert "Without JavaScript, up to 1.0\xa0KB in one piece" in response.text
    assert 'enctype="multipart/form-data"' in response.text


class _Untouchable:
    """A body that must not be read."""

    def read(self, *_):
        raise AssertionError("The body was read.")

    readline = read


@pytest.mark.parametrize("name", ["datasets:upload_dataset", "v1:datasets"])
def test_upload_that_claims_two_gigabytes_is_refused_unread(client, project, name):
    response = client.generic(
        "POST",
        reverse(name, args=[project.slug]),
        content_type="multipart/form-data; boundary=x",
        **{"CONTENT_LENGTH": str(2 * 1024**3), "wsgi.input": _Untouchable()},
    )

    assert response.status_code == 413
    assert "2,048 MB" in response.text


def test_upload_a_little_over_the_limit_is_refused(client, project, settings):
    settings.UPLOAD_LIMIT_BYTES = 10

    response = client.post(
        reverse("datasets:upload_dataset", args=[project.slug]),
        {"title": "Strikes", "name": "strikes", "file": csv_file()},
    )

    assert response.status_code == 413
    assert "Send a smaller one" in response.text
    assert not Dataset.objects.exists()


def test_upload_version_adds_the_next(client, dataset, data_scientist):
    factory.version(dataset, data_scientist)

    response = client.post(
        reverse("datasets:upload_version", args=[dataset.pk]),
        {"file": csv_file(b"a\n1\n")},
    )

    assert response.url == page_of(dataset.versions.get(number=2))


def test_upload_version_names_the_twin(client, dataset, data_scientist):
    factory.version(dataset, data_scientist)

    response = client.post(
        reverse("datasets:upload_version", args=[dataset.pk]), {"file": csv_file()}
    )

    assert response.status_code == 422
    assert "same file as version 1" in response.text


def test_edit_dataset_escapes_scripts(client, project, dataset):
    texts = {"title": SCRIPT, "description": SCRIPT}

    response = client.post(
        reverse("datasets:edit_dataset", args=[dataset.pk]), texts, follow=True
    )
    listed = client.get(reverse("datasets:list", args=[project.slug]))

    assert response.redirect_chain
    for page in (response.text, listed.text):
        assert SCRIPT not in page
        assert ESCAPED in page


def test_edit_dataset_shows_what_is_wrong(client, dataset):
    response = client.post(
        reverse("datasets:edit_dataset", args=[dataset.pk]), {"title": "a\x00b"}
    )

    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["title"]


def test_dataset_page_lists_versions_at_constant_cost(client, dataset, data_scientist):
    address = reverse("datasets:dataset", args=[dataset.pk])
    for number in range(2):
        factory.version(dataset, data_scientist, content=f"a\n{number}\n".encode())
    few = queries_of(client, address)
    for number in range(2, 20):
        factory.version(dataset, data_scientist, content=f"a\n{number}\n".encode())

    assert queries_of(client, address) == few
    assert "Version 20" in client.get(address).text


def test_dataset_page_explains_what_a_validator_may_not(client_of, validator, dataset):
    response = client_of(validator).get(reverse("datasets:dataset", args=[dataset.pk]))

    assert "Only a data scientist of this project can do this." in response.text


def test_dataset_of_another_project_is_not_there(client, project, program_manager):
    elsewhere = project_factory.project("elsewhere")
    project_factory.actions.add_member(
        project=elsewhere,
        person=program_manager,
        role="data_scientist",
        by=elsewhere.created_by,
    )
    foreign = factory.dataset(elsewhere, program_manager)

    response = client.get(reverse("datasets:dataset", args=[foreign.pk]))

    assert response.status_code == 404


def test_restrict_grant_revoke_and_open(client, dataset, validator):
    def post(name, data=None, **arguments):
        address = reverse(name, kwargs={"pk": dataset.pk, **arguments})
        return client.post(address, data, follow=True)

    restricted = post("datasets:restrict_dataset")
    granted = post("datasets:grant_dataset", {"email": "VALIDATOR@agency.example"})
    revoked = post("datasets:revoke_dataset_grant", person_pk=validator.pk)
    opened = post("datasets:open_dataset")

    assert "You cannot withdraw your own access" in restricted.text
    assert "Vera Validator" in granted.text
    assert "Vera Validator" not in revoked.text
    assert "All members of the project see it." in opened.text


@pytest.mark.parametrize(
    "email", ["nobody@agency.example", "outsider@agency.example", "no address"]
)
def test_grant_dataset_to_a_stranger_explains(client, dataset, outsider, email):
    client.post(reverse("datasets:restrict_dataset", args=[dataset.pk]))

    response = client.post(
        reverse("datasets:grant_dataset", args=[dataset.pk]), {"email": email}
    )

    assert response.status_code == 422
    assert response.context["form"].errors


def test_version_page_shows_the_picture(client, dataset, data_scientist):
    version = factory.ready_version(dataset, data_scientist)

    response = client.get(page_of(version))

    assert "Distribution of speed" in response.text
    assert "33.3\N{NO-BREAK SPACE}% missing" in response.text
    assert "Gull" in response.text
    assert "hx-get" not in response.text


def test_version_page_escapes_what_stands_in_the_file(client, dataset, data_scientist):
    column = {**factory.RESULT["profile"]["columns"][0], "name": SCRIPT}
    column["top"] = [{"value": SCRIPT, "count": 3}]
    result = {**factory.RESULT, "profile": {"columns": [column]}}
    version = factory.ready_version(dataset, data_scientist, result=result)

    response = client.get(page_of(version))

    assert SCRIPT not in response.text
    assert ESCAPED in response.text


def test_version_page_follows_a_running_one(client, dataset, data_scientist):
    version = factory.running_version(dataset, data_scientist)
    address = reverse("datasets:version_progress", args=[version.pk])

    page, fragment = client.get(page_of(version)), client.get(address)
    factory.finish(version)
    last = client.get(address)

    assert f'hx-get="{address}"' in page.text
    assert fragment.status_code == 200
    assert "<html" not in fragment.text
    assert last.status_code == 286
    assert "hx-get" not in last.text


def test_version_page_says_where_the_file_is_wrong(client, dataset, data_scientist):
    running = factory.running_version(dataset, data_scientist)
    place = {"row": 4711, "column": None, "message": "Too short.", "text": SCRIPT}
    version = factory.fail(running, "Row 4,711 is too short.", [place, "a trace"])

    response = client.get(page_of(version))

    assert "4,711" in response.text
    assert ESCAPED in response.text
    assert "a trace" not in response.text
    assert "Upload a corrected file" in response.text


def test_cancel_ingest_shows_that_it_was_cancelled(client, dataset, data_scientist):
    version = factory.version(dataset, data_scientist)

    response = client.post(
        reverse("datasets:cancel_ingest", args=[version.pk]), follow=True
    )

    assert "Reading was cancelled" in response.text


@pytest.mark.parametrize(
    ("query", "name", "body"),
    [
        ("", "rows.csv", factory.CSV),
        ("format=parquet", "strikes-1.parquet", factory.PARQUET),
    ],
)
def test_download_version_is_an_attachment(
    client, dataset, data_scientist, query, name, body
):
    version = factory.ready_version(dataset, data_scientist)
    address = reverse("datasets:download_version", args=[version.pk])

    response = client.get(f"{address}?{query}")

    assert response.getvalue() == body
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'


def test_download_version_refuses_unknown_formats(client, dataset, data_scientist):
    version = factory.version(dataset, data_scientist)
    address = reverse("datasets:download_version", args=[version.pk])

    response = client.get(f"{address}?format=xlsx")

    assert response.status_code == 422
    assert "original, parquet" in response.text


def test_restricted_version_is_hidden_everywhere(
    client_of, validator, dataset, data_scientist
):
    version = factory.ready_version(dataset, data_scientist)
    access.restrict(thing=dataset, by=data_scientist)

    statuses = {
        client_of(validator).get(reverse(f"datasets:{name}", args=[pk])).status_code
        for name, pk in (
            ("dataset", dataset.pk),
            ("version", version.pk),
            ("version_progress", version.pk),
            ("download_version", version.pk),
        )
    }
    assert statuses == {404}


PROFILED = {
    "row_count": 4,
    "schema": [],
    "profile": {
        "columns": [
            {
                **factory.RESULT["profile"]["columns"][0],
                "name": SCRIPT,
                "subgroup": "age",
                "is_estimate": True,
                "top": [{"value": f"v{n}", "count": 1} for n in range(9)],
            },
            {
                **factory.RESULT["profile"]["columns"][1],
                "name": "day",
                "type": "date",
                "subgroup": None,
                "thumbnails": ["iVBORw0KGgo="],
                "coverage": {
                    "first": "2024-01-01",
                    "last": "2024-03-31",
                    "period": "month",
                    "starts": ["2024-01-01", "2024-02-01", "2024-03-01"],
                    "counts": [3, 0, 1],
                    "empty": 1,
                },
            },
        ],
        "correlations": {
            "columns": ["x", "y", "a very long name of a column"],
            "rows": 4,
            "pearson": [[1, -0.9, None], [-0.9, 1, 0.1], [None, 0.1, 1]],
            "spearman": [[1, -0.9, None], [-0.9, 1, 0.1], [None, 0.1, 1]],
        },
    },
    "hints": [
        {
            "column": SCRIPT,
            "kind": "e-mail address",
            "matches": 3,
            "share": 0.75,
            "example_masked": "a••@b",
        }
    ],
}


def test_version_shows_hints_subgroups_and_figures(client, dataset, data_scientist):
    version = factory.ready_version(dataset, data_scientist, result=PROFILED)

    page = client.get(page_of(version)).text

    assert "Hints at personal data" in page
    assert "a••@b" in page
    assert "Perhaps e-mail address" in page
    assert "Subgroup: age" in page
    assert "about 2 different" in page
    assert ">v0<" not in page  # values that are there once say nothing
    assert "in 3 periods of a month, 1 without any" in page
    assert "Closest are x and y (-0.90)." in page
    assert "data:image/png;base64,iVBORw0KGgo=" in page
    assert SCRIPT not in page
    assert ESCAPED in page


def test_version_says_when_nothing_is_related(client, dataset, data_scientist):
    correlations = {**PROFILED["profile"]["correlations"], "columns": ["x", "y"]}
    correlations |= {"pearson": [[1, 0.2], [0.2, 1]]}
    profile = {**PROFILED["profile"], "correlations": correlations}
    version = factory.ready_version(
        dataset, data_scientist, result=PROFILED | {"profile": profile, "hints": None}
    )

    page = client.get(page_of(version)).text

    assert "No two columns are closely related." in page
    assert "Is this personal data?" not in page


@pytest.mark.parametrize(
    ("stage", "log", "shown"),
    [
        (
            "Checking the file",
            "1,100,000 rows checked.\n1,200,000 rows checked.\n",
            "1,200,000 rows checked",
        ),
        ("Reading: 3,400 lines of JSON", "", "3,400 lines of JSON"),
        ("Checking the file", "", ""),
    ],
)
def test_version_page_shows_bytes_and_rows(
    client, dataset, data_scientist, stage, log, shown
):
    version = factory.running_version(dataset, data_scientist)
    type(version).rows().update(stage=stage, log_tail=log, progress_ratio=0.25)

    page = client.get(page_of(version)).text

    assert f"rows.csv, {len(factory.CSV)}\xa0bytes" in page
    assert f"· {shown}" in page if shown else "·" not in page.split("<pre")[0][-400:]
