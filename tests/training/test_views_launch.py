"""Pages of launching by the form: fields, templates and relaunches."""

import re
import uuid

import pytest
from django.urls import reverse

from apps.jobs.models import JobStatus
from apps.projects.actions import access
from apps.training.models import TrainingJob
from apps.training.spec_text import parse_spec_text
from tests.factories import training
from tests.training.launching import address, filled, text_address, text_values


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
    assert "report_id – text – differs in every row" in page
    assert "Yes or no" in page
    assert "How much: a number" not in page
    assert "Ridge" not in page
    assert "random_forest__max_depth" in page


def test_launch_training_queues_the_job(
    project, data_scientist, client_of, version, experiment
):
    response = client_of(data_scientist).post(
        address(project, version),
        filled(experiment, search_method="tpe", search_minutes=2.5),
    )

    job = TrainingJob.objects.get()
    assert response.headers["Location"] == job.get_absolute_url()
    assert job.spec["parameters"]["max_depth"] == 7
    assert job.spec["search"]["method"] == "tpe"
    assert job.spec["search"]["minutes"] == 2.5
    assert job.spec["preprocessing"]["missing"] == "mean"
    assert job.spec["preprocessing"]["text_buckets"] == 64
    assert job.spec["calibration"] == "sigmoid"
    assert job.spec["split"]["validation_ratio"] == 0.25
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
    values = filled(
        experiment,
        task="regression",
        features=["species"],
        kind_1="date",
        kind_2="text",
    )

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
        (
            {"estimator": "dummy", "search_method": "random"},
            "dummy has nothing to search.",
        ),
        ({"estimator": "mlp", "class_weight": "on"}, "mlp cannot weigh"),
        ({"positive_label": ""}, "must name the value that counts as positive"),
        ({"random_forest__max_depth": 65}, "less than or equal to 64"),
        ({"split_method": "time"}, "must name the column to divide by time with"),
        ({"objective": "rmse"}, "Select a valid choice."),
        ({"text_buckets": 3}, "greater than or equal to 8"),
        ({"kind_0": "image"}, "Select a valid choice."),
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


def test_launch_training_by_mission_cost_first(
    project, data_scientist, client_of, version, experiment
):
    page = client_of(data_scientist).get(address(project, version)).text

    assert '<option value="mission_cost" selected>Mission cost</option>' in page


def test_launch_training_with_everything_of_the_form(
    project, data_scientist, client_of, version, experiment
):
    client_of(data_scientist).post(
        address(project, version),
        filled(
            experiment,
            objective="mission_cost",
            split_method="time",
            split_column="seen_on",
            kind_0="text",
            class_weight="on",
            refit="on",
            max_rows=1000,
        ),
    )

    spec = TrainingJob.objects.get().spec
    assert spec["objective"] == "mission_cost"
    assert spec["split"]["column"] == "seen_on"
    assert spec["features"][0] == {"name": "species", "kind": "text"}
    assert (spec["class_weight"], spec["refit"]) == ("balanced", True)
    assert spec["max_rows"] == 1000


@pytest.mark.parametrize(
    ("template", "chosen"),
    [
        ("proposed", "hist_gradient_boosting"),
        ("explained", "logistic_regression"),
        ("rare", "random_forest"),
        ("by_time", "hist_gradient_boosting"),
        ("unknown", "hist_gradient_boosting"),
    ],
)
def test_a_template_fills_the_form(
    project, data_scientist, client_of, version, experiment, template, chosen
):
    page = client_of(data_scientist).get(
        f"{address(project, version)}&template={template}"
    )

    form = page.context["form"]
    assert form["estimator"].value() == chosen
    opened = [section["title"] for section in form.sections() if section["is_open"]]
    assert opened == {
        "rare": ["Classes and probabilities"],
        "by_time": ["Rows to learn from and to test on"],
    }.get(template, [])


def test_the_form_shows_its_yaml_and_takes_it_back(
    project, data_scientist, client_of, version, experiment
):
    client = client_of(data_scientist)
    values = filled(experiment, search_method="grid", as_text="1")

    editor = client.post(address(project, version), values)
    text = editor.context["form"]["text"].value()
    back = client.post(
        text_address(project), text_values(version, experiment, text, as_form="1")
    )

    assert "method: grid" in text
    form = back.context["form"]
    assert form["search_method"].value() == "grid"
    assert form["random_forest__max_depth"].value() == 7
    assert form["missing"].value() == "mean"
    assert f'action="{address(project, version)}"'.replace("&", "&amp;") in back.text
    assert not TrainingJob.objects.exists()


def test_launch_training_begins_with_an_earlier_job(
    project, data_scientist, client_of, version, experiment
):
    job = training.failed_job(
        project,
        data_scientist,
        name="Deep",
        spec=training.spec(estimator="decision_tree", parameters={"max_depth": 9}),
    )
    client = client_of(data_scientist)
    path = reverse("training:launch_training", args=[project.slug])

    form = client.get(path, {"from": job.pk}).context["form"]
    text = client.get(text_address(project), {"from": job.pk}).context["form"]

    assert form["name"].value() == "Deep"
    assert form["experiment"].value() == job.experiment_id
    assert form["decision_tree__max_depth"].value() == 9
    assert parse_spec_text(text["text"].value())["parameters"] == {"max_depth": 9}


def test_launch_training_begins_with_no_spec_of_another_release(
    project, data_scientist, client_of
):
    job = training.failed_job(project, data_scientist)
    TrainingJob.objects.update(spec={**job.spec, "estimator": "oracle"})
    path = reverse("training:launch_training", args=[project.slug])

    response = client_of(data_scientist).get(path, {"from": job.pk})

    assert response.status_code == 422
    assert "does not fit any more: estimator: must be one of" in response.text


@pytest.mark.parametrize("source", ["nonsense", str(uuid.uuid4())])
def test_launch_training_begins_with_no_job_that_is_not_there(
    project, data_scientist, client_of, source
):
    path = reverse("training:launch_training", args=[project.slug])

    assert client_of(data_scientist).get(path, {"from": source}).status_code == 404


def test_relaunch_training_leads_to_the_new_job(project, data_scientist, client_of):
    job = training.failed_job(project, data_scientist)
    path = reverse("training:relaunch_training", args=[job.pk])
    client = client_of(data_scientist)

    answers = [client.post(path) for _ in range(2)]

    again = job.relaunch
    assert again.status == JobStatus.QUEUED
    assert {one.headers["Location"] for one in answers} == {again.get_absolute_url()}
    assert "First training" in client.get(again.get_absolute_url()).text


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_training_spec_reads_back_as_the_same_spec(
    project, data_scientist, developer, client_of, form
):
    job = training.finished_job(project, data_scientist)
    path = reverse("training:training_spec", args=[job.pk, form])

    response = client_of(developer).get(path)

    expected = {key: value for key, value in job.spec.items() if key != "threads"}
    assert parse_spec_text(response.text) == expected
    assert response.headers["Content-Disposition"].endswith(f'.{form}"')


def test_training_spec_in_no_other_form(project, data_scientist, client_of):
    job = training.launched_job(project, data_scientist)
    path = reverse("training:training_spec", args=[job.pk, "xml"])

    assert client_of(data_scientist).get(path).status_code == 404
