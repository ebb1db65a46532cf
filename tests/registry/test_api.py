"""The REST API of the registry."""

import uuid

import pytest

from apps.audit.models import AuditEvent
from apps.projects.actions import access
from apps.registry.models import ModelVersion
from tests.counting import queries_of
from tests.factories import registry, training

JSON = "application/json"


@pytest.fixture
def version(project, data_scientist) -> ModelVersion:
    return registry.model_version(project, data_scientist)


@pytest.fixture
def model_url(project) -> str:
    return f"/api/v1/projects/{project.slug}/models/damage"


def test_models_list_champions(project, data_scientist, developer, api_of):
    registry.champion(project, data_scientist)
    registry.model_version(project, data_scientist, "young")
    api = api_of(developer)

    everything = api.get("/api/v1/models").json()["results"]
    found = api.get("/api/v1/models", {"search": "dam"}).json()["results"]
    nothing = api.get("/api/v1/models", {"search": "x"}).json()["results"]
    unreadable = api.get("/api/v1/models", {"search": "\0"})

    assert [row["name"] for row in everything] == ["young", "damage"]
    assert everything[0]["champion"] is None
    assert found[0]["champion"]["number"] == 1
    assert nothing == []
    assert unreadable.status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        "models",
        "projects/inspection/models",
        "projects/inspection/models/damage/versions",
    ],
)
def test_lists_cost_the_same_for_many_rows(project, data_scientist, api_of, path):
    api = api_of(data_scientist)
    registry.champion(project, data_scientist)
    few = queries_of(lambda: api.get(f"/api/v1/{path}"))

    for number in range(4):
        registry.champion(project, data_scientist, f"model-{number}")
        registry.model_version(project, data_scientist)

    assert queries_of(lambda: api.get(f"/api/v1/{path}")) == few


def test_model_with_its_versions(version, developer, api_of, model_url):
    api = api_of(developer)

    model = api.get(model_url)
    versions = api.get(f"{model_url}/versions").json()["results"]
    one = api.get(f"{model_url}/versions/1")
    same = api.get(f"{model_url}/versions/1", headers={"If-None-Match": one["ETag"]})

    assert model.json()["project"] == "inspection"
    assert versions[0]["manifest_digest"] == version.manifest_digest
    assert one.json()["signature"] == training.SIGNATURE
    assert one.json()["manifest"] == version.manifest
    assert same.status_code == 304


def test_register_version_by_a_program(project, data_scientist, api_of, model_url):
    run = registry.run_with_model(project, data_scientist)
    api = api_of(data_scientist)
    body = {"run_id": str(run.pk), "description": "Finds damage."}

    first = api.post(f"{model_url}/versions", body, JSON)
    second = api.post(f"{model_url}/versions", body, JSON)

    assert first.status_code == 201
    assert api.get(first.headers["Location"]).json() == first.json()
    assert second.status_code == 409


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ({"run_id": "7"}, 422), ({"run_id": str(uuid.uuid4())}, 404)],
)
def test_register_version_refuses_a_bad_run(
    project, data_scientist, api_of, model_url, body, status
):
    response = api_of(data_scientist).post(f"{model_url}/versions", body, JSON)

    assert response.status_code == status


def test_card_sections_are_written_in_parts(version, data_scientist, api_of, model_url):
    api, url = api_of(data_scientist), f"{model_url}/versions/1/card/sections"

    api.patch(url, {"limitations": "Night."}, JSON)
    answer = api.patch(url, {"intended_use": "Crews."}, JSON).json()
    too_long = api.patch(url, {"intended_use": "x" * 20_001}, JSON)

    assert answer == api.get(url).json()
    assert answer["limitations"] == "Night."
    assert answer["out_of_scope_use"] == ""
    assert too_long.status_code == 422


def test_model_file_is_streamed_and_recorded(version, developer, api_of, model_url):
    api = api_of(developer)

    response = api.get(f"{model_url}/versions/1/files/model.onnx")
    missing = api.get(f"{model_url}/versions/1/files/model.pkl")
    data = api.get(f"{model_url}/versions/1/files/test.parquet")

    assert b"".join(response.streaming_content) == b"the same model"
    assert missing.status_code == 404
    assert data.status_code == 403
    assert AuditEvent.objects.filter(type="model.downloaded").count() == 1


def test_access_by_a_program(
    version, program_manager, developer, outsider, api_of, model_url
):
    api = api_of(program_manager)

    restricted = api.post(f"{model_url}/restrict").json()
    granted = api.post(f"{model_url}/grants", {"email": outsider.email}, JSON)
    people = api.get(f"{model_url}/grants").json()["results"]
    seen = api_of(outsider).get(model_url)
    hidden = api_of(developer).get(model_url)
    revoked = api.delete(f"{model_url}/grants/{outsider.pk}")
    gone = api.delete(f"{model_url}/grants/{outsider.pk}")
    opened = api.post(f"{model_url}/open").json()

    assert restricted["is_restricted"] is True
    assert granted.status_code == 201
    assert outsider.email in {person["email"] for person in people}
    assert seen.status_code == 200
    assert hidden.status_code == 404
    assert revoked.status_code == 204
    assert gone.status_code == 404
    assert opened["is_restricted"] is False


def test_grant_model_names_nobody(version, program_manager, api_of, model_url):
    response = api_of(program_manager).post(
        f"{model_url}/grants", {"email": "nobody@agency.example"}, JSON
    )

    assert response.status_code == 422
    assert "email" in response.json()["fields"]


def test_an_outsider_pulls_the_model_that_was_shown(
    version, data_scientist, outsider, api_of, model_url
):
    access.grant(thing=version.model, person=outsider, by=data_scientist)
    api = api_of(outsider)

    response = api.get(f"{model_url}/versions/1/files/model.skops")

    assert b"".join(response.streaming_content) == b"a model"
