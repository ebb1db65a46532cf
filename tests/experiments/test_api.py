import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.experiments.models import Experiment, Run
from apps.projects.actions import add_member
from tests.costs import queries_of
from tests.factories import datasets as dataset_factory
from tests.factories import experiments as factory
from tests.factories import people, projects

JSON = "application/json"


@pytest.fixture
def api(api_of, data_scientist):
    return api_of(data_scientist)


@pytest.fixture
def experiment(project, data_scientist) -> Experiment:
    return factory.experiment(project, data_scientist)


@pytest.fixture
def runs_path(experiment) -> str:
    return f"/api/v1/experiments/{experiment.pk}/runs"


def test_experiments_are_created_listed_and_read(api, project):
    address = f"/api/v1/projects/{project.slug}/experiments"

    created = api.post(address, {"name": "First look"}, content_type=JSON)
    twin = api.post(address, {"name": "First look"}, content_type=JSON)
    listed = api.get(address).json()["results"]
    read = api.get(created["Location"])
    again = api.get(created["Location"], headers={"If-None-Match": read["ETag"]})

    assert (created.status_code, twin.status_code) == (201, 422)
    assert [row["name"] for row in listed] == ["First look"]
    assert read.json() == {**created.json(), "run_count": 0}
    assert again.status_code == 304


def test_record_run_keeps_what_was_sent(api, runs_path, project, data_scientist):
    version = dataset_factory.ready_version(
        dataset_factory.dataset(project, data_scientist), data_scientist
    )
    body = {
        "name": "Nightly",
        "parameters": {"depth": 4, "shuffle": True, "kind": "tree"},
        "metrics": [
            {"key": "auc", "value": 0.8},
            {"key": "auc", "value": 1, "step": 1},
        ],
        "dataset_version_id": str(version.pk),
    }

    response = api.post(runs_path, body, content_type=JSON)

    read = api.get(response["Location"]).json()
    assert response.status_code == 201
    assert read == response.json()
    assert read["source"] == "api"
    assert read["dataset_version_id"] == str(version.pk)
    assert read["parameters"] == {"depth": "4", "kind": "tree", "shuffle": "True"}
    assert read["metrics"] == [
        {"key": "auc", "value": 0.8, "step": 0},
        {"key": "auc", "value": 1.0, "step": 1},
    ]


def test_record_run_takes_files_named_by_their_path(api, runs_path):
    response = api.post(
        runs_path,
        {
            "run": json.dumps({"name": "Elsewhere"}),
            "model/m.onnx": SimpleUploadedFile("m.onnx", factory.MODEL),
            "notes.txt": SimpleUploadedFile("any.txt", b"notes"),
        },
    )

    found = {row["path"]: row for row in response.json()["artifacts"]}
    assert list(found) == ["model/m.onnx", "notes.txt"]
    assert found["model/m.onnx"]["media_type"] == "application/octet-stream"
    assert found["notes.txt"]["media_type"] == "text/plain"
    assert api.get(found["model/m.onnx"]["url"]).getvalue() == factory.MODEL


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "a", "parameters": {"b": [1]}}, "parameters"),
        ({"name": "a", "parameters": {"b\x00": 1}}, "parameters"),
        ({"name": "a", "metrics": [{"key": "b", "value": "nan"}]}, "metrics"),
        ({"name": "a", "metrics": [{"key": "b"}]}, "metrics"),
        (
            {"name": "a", "dataset_version_id": "0192f0c1-0000-7000-8000-000000000000"},
            "dataset_version_id",
        ),
    ],
)
def test_record_run_names_what_is_wrong(api, runs_path, body, field):
    response = api.post(runs_path, body, content_type=JSON)

    assert response.status_code == 422
    assert list(response.json()["fields"]) == [field]
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "data", [{}, {"run": "{"}, {"run": SimpleUploadedFile("a", b"{}")}]
)
def test_record_run_as_a_form_needs_its_json(api, runs_path, data):
    response = api.post(runs_path, data)

    assert response.status_code == 422
    assert list(response.json()["fields"]) == ["run"]


def test_runs_are_listed_with_their_last_metrics(
    api, project, experiment, runs_path, data_scientist
):
    factory.trained_run(experiment, data_scientist)
    factory.run(factory.experiment(project, data_scientist, "Other"), data_scientist)

    of_experiment = api.get(runs_path).json()["results"]
    of_project = api.get(f"/api/v1/projects/{project.slug}/runs").json()["results"]

    assert [row["metrics"] for row in of_experiment] == [
        {point.key: point.value for point in factory.METRICS}
    ]
    assert of_project[0]["metrics"] == {}
    assert of_project[1:] == of_experiment


def test_runs_are_paged(api, experiment, runs_path, data_scientist):
    for _ in range(3):
        factory.run(experiment, data_scientist)

    first = api.get(runs_path, {"limit": 2}).json()
    rest = api.get(first["next"]).json()

    assert (len(first["results"]), len(rest["results"])) == (2, 1)
    assert rest["next"] is None


def test_artifact_with_rows_is_refused_to_a_developer(
    api_of, developer, experiment, data_scientist
):
    run = factory.trained_run(experiment, data_scientist)

    response = api_of(developer).get(f"/api/v1/runs/{run.pk}/artifacts/test.parquet")

    assert response.status_code == 403
    assert "validator of this project" in response.json()["message"]


def test_lists_cost_the_same_however_long(
    api, project, experiment, runs_path, data_scientist
):
    def add(numbers) -> None:
        for number in numbers:
            factory.experiment(project, data_scientist, f"e{number}")
            factory.trained_run(experiment, data_scientist)

    project_path = f"/api/v1/projects/{project.slug}"
    addresses = (f"{project_path}/experiments", f"{project_path}/runs", runs_path)
    add(range(2))
    few = [queries_of(api, address) for address in addresses]
    add(range(2, 12))

    assert [queries_of(api, address) for address in addresses] == few


def test_runs_are_compared(api, project, experiment, data_scientist):
    first, second = (
        factory.run(experiment, data_scientist, parameters={"depth": depth, "seed": 1})
        for depth in (3, 5)
    )
    address = f"/api/v1/projects/{project.slug}/run-comparison"

    found = api.get(f"{address}?run={first.pk}&run={second.pk}").json()
    alone = api.get(f"{address}?run={first.pk}")

    assert [run["id"] for run in found["runs"]] == [str(first.pk), str(second.pk)]
    lines = {line["key"]: line for line in found["parameters"]}
    assert (lines["depth"]["values"], lines["depth"]["differs"]) == (["3", "5"], True)
    assert not lines["seed"]["differs"]
    assert alone.status_code == 422


def test_runs_of_other_projects_are_not_compared(
    api, project, experiment, data_scientist
):
    ours = factory.run(experiment, data_scientist)
    manager = people.person("m@b.example", "Mo", agency_roles=["program_manager"])
    other = projects.project("other", manager)
    add_member(project=other, person=data_scientist, role="data_scientist", by=manager)
    theirs = factory.run(factory.experiment(other, data_scientist), data_scientist)
    address = f"/api/v1/projects/{project.slug}/run-comparison"

    assert api.get(f"{address}?run={ours.pk}&run={theirs.pk}").status_code == 422
