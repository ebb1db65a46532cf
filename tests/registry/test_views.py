"""Pages of the registry."""

import pytest
from django.template.loader import render_to_string
from django.urls import reverse

from apps.audit.models import AuditEvent
from apps.projects.actions import access
from apps.registry import queries, rules
from apps.registry.models import ModelVersion, RegisteredModel, VersionState
from tests.counting import queries_of
from tests.factories import registry

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def version(project, data_scientist) -> ModelVersion:
    return registry.model_version(project, data_scientist)


def address(name: str, version: ModelVersion, *more) -> str:
    return reverse(f"registry:{name}", args=[version.project.slug, "damage", *more])


def test_list_models_shows_what_i_can_see(project, data_scientist, outsider, client_of):
    champion = registry.champion(project, data_scientist)
    registry.model_version(project, data_scientist, "secret")

    mine = client_of(data_scientist).get(reverse("registry:list")).content.decode()
    nothing = client_of(outsider).get(reverse("registry:list")).content.decode()
    access.grant(thing=champion.model, person=outsider, by=data_scientist)
    granted = client_of(outsider).get(reverse("registry:list")).content.decode()

    assert "secret" in mine
    assert "Champion" in mine
    assert "No models yet" in nothing
    assert "damage" in granted
    assert "secret" not in granted


def test_list_models_searches_by_name(version, data_scientist, client_of):
    client = client_of(data_scientist)

    found = client.get(reverse("registry:list"), {"search": "DAM"}).content.decode()
    missed = client.get(reverse("registry:list"), {"search": SCRIPT}).content.decode()
    unreadable = client.get(reverse("registry:list"), {"search": "\0"})

    assert ">damage</a>" in found
    assert "No model found" in missed
    assert SCRIPT not in missed
    assert unreadable.status_code == 422


@pytest.mark.parametrize("name", ["list", "project_models", "model"])
def test_lists_cost_the_same_for_many_rows(project, data_scientist, client_of, name):
    champion = registry.champion(project, data_scientist)
    registry.model_version(project, data_scientist)
    arguments = {"list": [], "project_models": [project.slug]}.get(
        name, [project.slug, "damage"]
    )
    path, client = (
        reverse(f"registry:{name}", args=arguments),
        client_of(data_scientist),
    )
    few = queries_of(lambda: client.get(path))

    for number in range(4):
        registry.model_version(project, data_scientist, f"model-{number}")
        registry.model_version(project, data_scientist)

    assert champion.model.versions.count() == 6
    assert queries_of(lambda: client.get(path)) == few


def test_project_models_without_models_says_what_to_do(project, developer, client_of):
    path = reverse("registry:project_models", args=[project.slug])

    page = client_of(developer).get(path).content.decode()

    assert "Open a finished run and register its model." in page


def test_model_page_compares_versions(project, data_scientist, client_of):
    registry.champion(project, data_scientist)
    second = registry.model_version(project, data_scientist)

    page = client_of(data_scientist).get(address("model", second)).content.decode()

    assert "Mission cost per 1,000 cases by version" in page
    assert "is approved for use" in page
    assert page.index("Version 2</a>") < page.rindex("Version 1</a>")


def test_model_page_leads_an_outsider_to_no_project(version, outsider, client_of):
    access.grant(thing=version.model, person=outsider, by=version.registered_by)

    page = client_of(outsider).get(address("model", version)).content.decode()

    assert version.project.get_absolute_url() + '"' not in page
    assert reverse("registry:list") in page


def test_access_panel_gives_and_withdraws(
    version, program_manager, developer, client_of
):
    client = client_of(program_manager)

    client.post(address("restrict_model", version))
    hidden = client_of(developer).get(address("model", version))
    client.post(address("grant_model", version), {"email": developer.email})
    shown = client_of(developer).get(address("model", version))
    page = client.get(address("model", version)).content.decode()
    client.post(address("revoke_model_grant", version, developer.pk))
    again = client_of(developer).get(address("model", version))
    client.post(address("open_model", version))
    opened = client_of(developer).get(address("model", version))

    answers = [hidden, shown, again, opened]
    assert [r.status_code for r in answers] == [404, 200, 404, 200]
    assert "Withdraw access of Dev Developer" in page
    assert "You cannot withdraw your own access" in page


@pytest.mark.parametrize("email", ["nobody@agency.example", "no address", ""])
def test_grant_model_says_who_is_not_there(version, program_manager, client_of, email):
    response = client_of(program_manager).post(
        address("grant_model", version), {"email": email}
    )

    assert response.status_code == 422
    assert "usa-error-message" in response.content.decode()


def test_run_panel_offers_to_register(project, data_scientist, developer, client_of):
    run = registry.run_with_model(project, data_scientist)
    path = reverse("registry:run_panel", args=[run.pk])

    offered = client_of(data_scientist).get(path).content.decode()
    explained = client_of(developer).get(path).content.decode()

    assert reverse("registry:register_version", args=[run.pk]) in offered
    assert "Only a data scientist of this project can do this." in explained
    assert "<html" not in offered


def test_run_panel_links_to_the_version(version, developer, client_of):
    path = reverse("registry:run_panel", args=[version.run_id])

    page = client_of(developer).get(path).content.decode()

    assert version.get_absolute_url() in page


def test_register_version_from_a_run(version, data_scientist, client_of):
    run = registry.run_with_model(version.project, data_scientist)
    path = reverse("registry:register_version", args=[run.pk])
    client = client_of(data_scientist)

    form = client.get(path).content.decode()
    response = client.post(path, {"model_name": "damage", "description": SCRIPT})
    again = client.post(path, {"model_name": "damage", "description": ""})
    page = client.get(address("model", version)).content.decode()

    second = ModelVersion.objects.get(run=run)
    assert "A name in use gets its next version: damage." in form
    assert response.headers["Location"] == second.get_absolute_url()
    assert second.number == 2
    assert again.status_code == 409
    assert SCRIPT not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    "values",
    [
        {"model_name": ""},
        {"model_name": "a/b"},
        {"model_name": "x" * 256},
        {"model_name": SCRIPT},
        {"model_name": "a", "description": "x" * 4_001},
        {"model_name": "a", "description": "a\0b"},
    ],
)
def test_register_version_says_what_does_not_fit(
    project, data_scientist, client_of, values
):
    run = registry.run_with_model(project, data_scientist)
    path = reverse("registry:register_version", args=[run.pk])

    response = client_of(data_scientist).post(path, values)

    assert response.status_code == 422
    assert SCRIPT not in response.content.decode()
    assert not RegisteredModel.objects.exists()


def test_edit_card_keeps_and_shows_the_words(version, data_scientist, client_of):
    client, path = client_of(data_scientist), address("edit_card", version, 1)

    response = client.post(path, {"limitations": SCRIPT})
    page = client.get(path).content.decode()

    assert response.headers["Location"] == version.get_absolute_url()
    assert SCRIPT not in page
    assert "&lt;script&gt;" in page


def test_edit_card_refuses_too_much(version, data_scientist, client_of):
    path = address("edit_card", version, 1)

    response = client_of(data_scientist).post(path, {"limitations": "x" * 20_001})

    assert response.status_code == 422


def test_edit_card_in_review_explains(version, data_scientist, worker, client_of):
    registry.moved(version, worker, VersionState.VALIDATED, VersionState.IN_REVIEW)

    response = client_of(data_scientist).get(address("edit_card", version, 1))

    assert response.status_code == 409
    assert "part of what is signed" in response.content.decode()


def test_download_model_file_streams_and_records(version, developer, client_of):
    path = address("download_model_file", version, 1, "model.skops")

    response = client_of(developer).get(path)

    assert b"".join(response.streaming_content) == b"a model"
    assert "attachment" in response.headers["Content-Disposition"]
    assert AuditEvent.objects.filter(type="model.downloaded").count() == 1


@pytest.mark.parametrize(
    ("file", "status"),
    [("missing.bin", 404), ("../secret", 404), ("test.parquet", 403)],
)
def test_download_model_file_gives_nothing_else(
    version, developer, client_of, file, status
):
    path = address("download_model_file", version, 1, file)

    assert client_of(developer).get(path).status_code == status


def test_fragments_of_the_version_page(version, developer):
    read = queries.with_card_parts(ModelVersion.objects.all()).get()
    context = {
        "version": read,
        "files": rules.file_decisions(developer, read),
        "signature": read.signature,
    }

    files = render_to_string("registry/_version_files.html", context)
    signature = render_to_string("registry/_signature.html", context)
    open_lineage = render_to_string(
        "registry/_lineage.html", {"version": read, "sees_data": True}
    )
    closed_lineage = render_to_string(
        "registry/_lineage.html", {"version": read, "sees_data": False}
    )

    assert version.manifest_digest in files
    assert "Only a data scientist or a validator of this project" in files
    assert "no, yes" in signature
    assert "Strikes, version 1" in open_lineage
    assert "A restricted dataset" in closed_lineage
