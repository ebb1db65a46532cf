"""Pages of training."""

import re
import uuid

import pytest
from django.urls import reverse

from apps.core.sandbox import Progress
from apps.jobs.models import JobStatus
from apps.projects.actions import access
from apps.training.models import TrainingJob
from tests.counting import queries_of
from tests.factories import training

SCRIPT = "<script>alert(1)</script>"


def address(project, version, target="damaged"):
    path = reverse("training:launch_training", args=[project.slug])
    return f"{path}?dataset_version={version.pk}&target={target}"


def filled(chosen, **changes):
    return {
        "submission_key": uuid.uuid4(),
        "name": "Find damage",
        "experiment": chosen.pk,
        "task": "binary",
        "positive_label": "yes",
        "features": ["species", "speed"],
        "estimator": "random_forest",
        "random_forest__max_depth": 7,
        "trials": 10,
        "folds": 3,
        "by_mission_cost": "on",
        "test_ratio": 0.3,
        "seed": 4,
        "minutes": 5,
        "memory_gib": 2,
        **changes,
    }


@pytest.fixture
def version(project, data_scientist):
    return training.data(project, data_scientist)


@pytest.fixture
def experiment(project, data_scientist):
    return training.experiment(project, data_scientist)


def test_launch_training_asks_for_data_first(
    project, data_scientist, client_of, version
):
    client = client_of(data_scientist)
    path = reverse("training:launch_training", args=[project.slug])

    first = client.get(path)
    second = client.get(path, {"dataset_version": version.pk})

    assert "Strikes, version 1 (5,000 rows)" in first.content.decode()
    assert 'name="target"' not in first.content.decode()
    assert '<option value="damaged">damaged</option>' in second.content.decode()


def test_launch_training_proposes_what_fits_the_data(
    project, data_scientist, client_of, version, experiment
):
    page = client_of(data_scientist).get(address(project, version)).content.decode()

    ticked = re.findall(r'name="features" value="(\w+)"[^>]*checked', page)
    assert ticked == ["species", "speed", "seen_on"]
    assert "report_id – category – differs in every row" in page
    assert "Yes or no" in page
    assert "How much: a number" not in page
    assert "Ridge" not in page
    assert "random_forest__max_depth" in page


def test_launch_training_queues_the_job(
    project, data_scientist, client_of, version, experiment
):
    response = client_of(data_scientist).post(
        address(project, version), filled(experiment, search="on")
    )

    job = TrainingJob.objects.get()
    assert response.headers["Location"] == job.get_absolute_url()
    assert job.spec["parameters"]["max_depth"] == 7
    search = job.spec["search"]
    assert (search["method"], search["trials"], search["folds"]) == ("random", 10, 3)
    assert job.spec["cost"] == {"false_alarm": 2.0, "miss": 20.0}
    assert job.spec["limits"]["wall_seconds"] == 300
    assert job.spec["limits"]["memory_bytes"] == 2 * 1024**3


def test_launch_training_without_mission_cost_keeps_one_half(
    project, data_scientist, client_of, version, experiment
):
    values = filled(experiment)
    del values["by_mission_cost"]

    client_of(data_scientist).post(address(project, version), values)

    assert TrainingJob.objects.get().spec["cost"] is None


def test_launch_training_sent_twice_launches_once(
    project, data_scientist, client_of, version, experiment
):
    client, values = client_of(data_scientist), filled(experiment)

    answers = [client.post(address(project, version), values) for _ in range(2)]

    assert TrainingJob.objects.count() == 1
    assert answers[0].headers["Location"] == answers[1].headers["Location"]


def test_launch_training_predicts_a_number(
    project, data_scientist, client_of, version, experiment
):
    client, path = client_of(data_scientist), address(project, version, "speed")
    values = filled(experiment, task="regression", features=["species"])

    page = client.get(path).content.decode()
    client.post(path, values)

    assert "Value that counts as a case" not in page
    assert "mission cost" not in page
    assert TrainingJob.objects.get().spec["positive_label"] is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"features": []}, "This field is required."),
        ({"name": "x" * 121}, "at most 120 characters"),
        ({"name": "a\0b"}, "Null characters are not allowed."),
        ({"estimator": "dummy", "search": "on"}, "dummy has nothing to search."),
        ({"estimator": "mlp", "class_weight": "on"}, "mlp cannot weigh"),
        ({"positive_label": ""}, "must name the value that counts as positive"),
        ({"random_forest__max_depth": 65}, "less than or equal to 64"),
        ({"minutes": 100_000}, "less than or equal to 60"),
        ({"experiment": str(uuid.uuid4())}, "Select a valid choice."),
    ],
    ids=lambda value: "" if isinstance(value, str) else "-".join(value),
)
def test_launch_training_says_what_does_not_fit(
    project, data_scientist, client_of, version, experiment, changes, sentence
):
    response = client_of(data_scientist).post(
        address(project, version), filled(experiment, **changes)
    )

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not TrainingJob.objects.exists()


@pytest.mark.parametrize("target", ["report_id", "seen_on", "nothing", "a\0b"])
def test_launch_training_refuses_a_target_that_cannot_be_learned(
    project, data_scientist, client_of, version, target
):
    response = client_of(data_scientist).get(
        reverse("training:launch_training", args=[project.slug]),
        {"dataset_version": version.pk, "target": target},
    )

    assert response.status_code == 422


def test_launch_training_takes_no_data_of_others(
    project, data_scientist, program_manager, client_of, version
):
    access.restrict(thing=version.dataset, by=program_manager)
    path = reverse("training:launch_training", args=[project.slug])
    access.revoke_grant(
        thing=version.dataset, person=data_scientist, by=program_manager
    )

    response = client_of(data_scientist).get(path, {"dataset_version": version.pk})

    assert response.status_code == 422


def test_launch_training_without_an_experiment_says_what_to_do(
    project, data_scientist, client_of, version
):
    page = client_of(data_scientist).get(address(project, version)).content.decode()

    assert "No experiment yet" in page


def test_launch_training_without_data_says_what_to_do(
    project, data_scientist, client_of
):
    path = reverse("training:launch_training", args=[project.slug])

    page = client_of(data_scientist).get(path).content.decode()

    assert "No data to learn from" in page


def test_job_page_shows_names_as_text(project, data_scientist, client_of):
    job = training.failed_job(project, data_scientist, name=SCRIPT)
    client = client_of(data_scientist)

    pages = [
        client.get(job.get_absolute_url()).content.decode(),
        client.get(reverse("training:list", args=[project.slug])).content.decode(),
    ]

    for page in pages:
        assert SCRIPT not in page
        assert "&lt;script&gt;" in page


def test_job_page_says_why_it_failed(project, data_scientist, client_of):
    job = training.failed_job(project, data_scientist)

    page = client_of(data_scientist).get(job.get_absolute_url()).content.decode()

    assert "The target damaged has one value only." in page
    assert "hx-trigger" not in page


def test_job_page_links_to_the_run(project, developer, data_scientist, client_of):
    job = training.finished_job(project, data_scientist)

    page = client_of(developer).get(job.get_absolute_url()).content.decode()

    assert job.run.get_absolute_url() in page


def test_job_page_hides_the_name_of_restricted_data(
    project, developer, data_scientist, program_manager, client_of
):
    job = training.launched_job(project, data_scientist)
    access.restrict(thing=job.dataset_version.dataset, by=program_manager)

    page = client_of(developer).get(job.get_absolute_url()).content.decode()

    assert "A restricted dataset" in page
    assert "Strikes, version" not in page


def test_status_polls_while_the_job_runs(project, data_scientist, client_of):
    job = training.launched_job(project, data_scientist)
    path = reverse("training:training_job_status", args=[job.pk])

    response = client_of(data_scientist).get(path, headers={"HX-Request": "true"})

    page = response.content.decode()
    assert response.status_code == 200
    assert 'hx-trigger="every 2s"' in page
    assert "Place 1 in the queue" in page
    assert "<html" not in page


def test_status_stops_when_the_job_has_ended(project, data_scientist, client_of):
    job = training.finished_job(project, data_scientist)
    path = reverse("training:training_job_status", args=[job.pk])

    response = client_of(data_scientist).get(path)

    assert response.status_code == 286


def test_status_shows_progress(project, data_scientist, client_of):
    job = training.running_job(project, data_scientist)
    TrainingJob.objects.filter(pk=job.pk).note_progress(
        claim_id=job.claim_id, progress=Progress(0.4, "Learning", "3,000 rows\n")
    )
    path = reverse("training:training_job_status", args=[job.pk])

    page = client_of(data_scientist).get(path).content.decode()

    assert "Learning" in page
    assert 'value="0.4"' in page
    assert "3,000 rows" in page


def test_cancel_training_returns_to_the_job(project, data_scientist, client_of):
    job = training.launched_job(project, data_scientist)
    path = reverse("training:cancel_training", args=[job.pk])
    client = client_of(data_scientist)

    response = client.post(path)
    again = client.post(path)

    job.refresh_from_db()
    assert response.headers["Location"] == job.get_absolute_url()
    assert job.status == JobStatus.CANCELLED
    assert again.status_code == 409


def test_list_costs_the_same_for_many_jobs(project, data_scientist, client_of):
    path = reverse("training:list", args=[project.slug])
    client = client_of(data_scientist)
    for _ in range(2):
        training.finished_job(project, data_scientist)
    few = queries_of(lambda: client.get(path))

    for _ in range(6):
        training.finished_job(project, data_scientist)

    assert queries_of(lambda: client.get(path)) == few


def test_list_invites_who_may_launch(project, data_scientist, developer, client_of):
    path = reverse("training:list", args=[project.slug])

    invited = client_of(data_scientist).get(path).content.decode()
    told = client_of(developer).get(path).content.decode()

    assert "Choose a dataset version and what to predict" in invited
    assert "A data scientist of the project launches training." in told
    assert "Only a data scientist of this project can do this." in told
