"""Pages of the spec editor."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.training.models import TrainingJob
from tests.training.launching import text_address, text_values

TEXT = """\
task: binary
target: damaged
positive_label: "yes"
features:
- {name: species, kind: category}
- {name: speed, kind: number}
estimator: logistic_regression
parameters:
  C: 0.5
"""


def test_launch_training_from_text_queues_the_job(
    project, data_scientist, client_of, version, experiment
):
    client, values = client_of(data_scientist), None
    values = text_values(version, experiment, TEXT, launch="1")

    answers = [client.post(text_address(project), values) for _ in range(2)]

    job = TrainingJob.objects.get()
    assert {answer.headers["Location"] for answer in answers} == {
        job.get_absolute_url()
    }
    assert job.spec["parameters"] == {"C": 0.5}
    assert job.spec["cost"] == {"false_alarm": 2.0, "miss": 20.0}


def test_launch_training_from_text_checks_only_when_asked_so(
    project, data_scientist, client_of, version, experiment
):
    page = client_of(data_scientist).post(
        text_address(project), text_values(version, experiment, TEXT, check="1")
    )

    assert "This spec can be launched" in page.text
    assert "Logistic regression" in page.text
    assert not TrainingJob.objects.exists()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("C: 0.5", "C: much", "Line 9, parameters.C: must be a number."),
        ("kind: number", "kind: size", "Line 6, features[1].kind: must be one of"),
        ("task: binary", "task: [", "Line "),
        ("target: damaged", "target: nothing", "Line 2, target: Not a column"),
        ("name: speed", "name: height", "Line 4, features: Not columns of the dataset"),
        ("estimator: log", "estimater: log", "Line 7, estimater: is not a known field"),
        ("task: binary", "seed: 0", "task: is missing; give it."),
        (
            "task: binary",
            "task: binary\nsplit: {method: time, column: year}",
            "Line 2, split.column: Not a column of the dataset.",
        ),
        (
            "task: binary",
            "task: binary\nlimits: {wall_seconds: 10000000}",
            "Line 2, limits.wall_seconds: At most",
        ),
    ],
)
def test_launch_training_from_text_names_line_and_field(
    project, data_scientist, client_of, version, experiment, old, new, sentence
):
    values = text_values(version, experiment, TEXT.replace(old, new), launch="1")

    response = client_of(data_scientist).post(text_address(project), values)

    assert response.status_code == 422
    assert sentence in response.context["form"].errors["text"][0]
    if sentence.startswith("Line"):
        assert "data-error-line" in response.text


def test_launch_training_from_text_finds_lines_of_json_with_tabs(
    project, data_scientist, client_of, version, experiment
):
    text = '{\n\t"task": "binary",\n\t"target": "damaged",\n\t"seed": -1}'

    response = client_of(data_scientist).post(
        text_address(project), text_values(version, experiment, text, check="1")
    )

    assert "features: is missing" in response.context["form"].errors["text"][0]


def test_launch_training_from_a_file(
    project, data_scientist, client_of, version, experiment
):
    file = SimpleUploadedFile("spec.yaml", TEXT.encode())

    client_of(data_scientist).post(
        text_address(project),
        text_values(version, experiment, "", launch="1", file=file),
    )

    assert TrainingJob.objects.get().spec["target"] == "damaged"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"\xff\xfe\x00", "not text in UTF-8"), (b"a" * 2_000_000, "too long")],
)
def test_launch_training_from_a_file_that_is_no_spec(
    project, data_scientist, client_of, version, experiment, content, sentence
):
    file = SimpleUploadedFile("spec.yaml", content)

    response = client_of(data_scientist).post(
        text_address(project),
        text_values(version, experiment, "", launch="1", file=file),
    )

    assert sentence in response.context["form"].errors["file"][0]


def test_the_form_says_what_it_cannot_keep(
    project, data_scientist, client_of, version, experiment
):
    text = TEXT + "class_weight: {'yes': 3.0}\n"

    page = client_of(data_scientist).post(
        text_address(project), text_values(version, experiment, text, as_form="1")
    )

    assert "The form has no field for class_weight." in page.text


def test_the_form_refuses_a_task_it_does_not_offer(
    project, data_scientist, client_of, version, experiment
):
    text = TEXT.replace("binary", "multiclass").replace('positive_label: "yes"\n', "")

    response = client_of(data_scientist).post(
        text_address(project), text_values(version, experiment, text, as_form="1")
    )

    assert response.status_code == 422
    assert "does not offer this task" in response.context["form"].errors["text"][0]
