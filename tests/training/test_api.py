"""The REST API of training."""

import uuid

import pytest

from apps.jobs.models import JobStatus
from tests.counting import queries_of
from tests.factories import training

JSON = "application/json"


@pytest.fixture
def jobs_url(project):
    return f"/api/v1/projects/{project.slug}/training-jobs"


@pytest.fixture
def body(project, data_scientist):
    return {
        "experiment": str(training.experiment(project, data_scientist).pk),
        "dataset_version": str(training.data(project, data_scientist).pk),
        "name": "From a program",
        "spec": training.spec(),
    }


def test_launch_training_answers_where_to_look(data_scientist, api_of, jobs_url, body):
    api = api_of(data_scientist)

    response = api.post(jobs_url, body, JSON)

    answer = response.json()
    assert response.status_code == 202
    assert response.headers["Location"] == answer["status_url"]
    assert answer["status"] == JobStatus.QUEUED
    assert answer["queue_position"] == 1
    followed = api.get(answer["status_url"])
    assert followed.json() == answer
    assert followed.headers["ETag"]


def test_launch_training_again_with_the_key_answers_the_same_job(
    data_scientist, api_of, jobs_url, body
):
    api = api_of(data_scientist)
    keyed = {**body, "submission_key": str(uuid.uuid4())}

    answers = [api.post(jobs_url, keyed, JSON).json()["id"] for _ in range(2)]

    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"spec": {**training.SPEC, "target": "colour"}}, "target"),
        ({"spec": {**training.SPEC, "parameters": {"C": "x"}}}, "parameters.C"),
        ({"spec": []}, "spec"),
        ({"name": ""}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"experiment": "7"}, "experiment"),
    ],
)
def test_launch_training_names_the_field_at_fault(
    data_scientist, api_of, jobs_url, body, changes, field
):
    response = api_of(data_scientist).post(jobs_url, {**body, **changes}, JSON)

    assert response.status_code == 422
    assert field in response.json()["fields"]


@pytest.mark.parametrize("name", ["experiment", "dataset_version"])
def test_launch_training_does_not_find_what_is_not_there(
    data_scientist, api_of, jobs_url, body, name
):
    unknown = {**body, name: str(uuid.uuid4())}

    response = api_of(data_scientist).post(jobs_url, unknown, JSON)

    assert response.status_code == 404


def test_training_job_of_another_project_is_not_there(
    project, data_scientist, outsider, api_of
):
    job = training.launched_job(project, data_scientist)

    response = api_of(outsider).get(f"/api/v1/training-jobs/{job.pk}")

    assert response.status_code == 404


def test_training_job_says_why_it_failed(project, data_scientist, api_of):
    job = training.failed_job(project, data_scientist)

    answer = api_of(data_scientist).get(f"/api/v1/training-jobs/{job.pk}").json()

    assert answer["failure"] == {
        "code": "bad_input",
        "message": "The target damaged has one value only. Choose another.",
    }
    assert answer["run"] is None


def test_training_job_names_its_run(project, data_scientist, developer, api_of):
    job = training.finished_job(project, data_scientist)

    answer = api_of(developer).get(f"/api/v1/training-jobs/{job.pk}").json()

    assert answer["run"] == str(job.run_id)
    assert answer["failure"] is None


def test_cancel_training_by_a_program(project, data_scientist, api_of):
    job = training.launched_job(project, data_scientist)
    api = api_of(data_scientist)

    first = api.post(f"/api/v1/training-jobs/{job.pk}/cancel")
    second = api.post(f"/api/v1/training-jobs/{job.pk}/cancel")

    assert first.json()["status"] == JobStatus.CANCELLED
    assert second.status_code == 409


def test_relaunch_training_by_a_program(project, data_scientist, api_of):
    job = training.failed_job(project, data_scientist)
    path = f"/api/v1/training-jobs/{job.pk}/relaunch"
    api = api_of(data_scientist)

    answer = api.post(path)
    again = api.post(f"{answer.json()['status_url']}/relaunch")

    assert answer.status_code == 202
    assert answer.json()["relaunch_of"] == str(job.pk)
    assert answer.headers["Location"] == answer.json()["status_url"]
    assert again.status_code == 409


def test_training_jobs_are_paged(project, data_scientist, api_of, jobs_url):
    api = api_of(data_scientist)
    made = [training.launched_job(project, data_scientist) for _ in range(3)]

    page = api.get(jobs_url, {"limit": 2}).json()
    rest = api.get(page["next"]).json()

    ids = [row["id"] for row in page["results"] + rest["results"]]
    assert ids == [str(job.pk) for job in reversed(made)]
    assert rest["next"] is None


def test_training_jobs_cost_the_same_for_many(
    project, data_scientist, api_of, jobs_url
):
    api = api_of(data_scientist)
    training.finished_job(project, data_scientist)
    few = queries_of(lambda: api.get(jobs_url))

    for _ in range(5):
        training.finished_job(project, data_scientist)

    assert queries_of(lambda: api.get(jobs_url)) == few


def test_training_catalogue_lists_estimators_with_settings(data_scientist, api_of):
    answer = api_of(data_scientist).get("/api/v1/training-catalogue").json()

    found = {row["slug"]: row for row in answer["estimators"]}
    assert found["mlp"]["parameters"][0]["name"] == "hidden_units"
    assert found["ridge"]["tasks"] == ["regression"]


def test_training_spec_schema_is_served_to_people_and_validators(
    data_scientist, api_of
):
    api = api_of(data_scientist)
    asked = {"accept": "application/schema+json"}

    response = api.get("/api/v1/training-spec-schema", headers=asked)

    assert response.headers["Content-Type"] == "application/schema+json"
    assert response.json()["$schema"].endswith("2020-12/schema")
    assert response.headers["ETag"]
