import pytest
from django.urls import reverse

from apps.experiments.models import Experiment
from apps.projects.actions import access
from tests.costs import queries_of
from tests.factories import datasets as dataset_factory
from tests.factories import experiments as factory
from tests.factories import projects as project_factory

SCRIPT = "<script>alert(1)</script>"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


@pytest.fixture
def client(client_of, data_scientist):
    return client_of(data_scientist)


@pytest.fixture
def experiment(project, data_scientist) -> Experiment:
    return factory.experiment(project, data_scientist)


def test_run_page_puts_the_picture_first(client, project, experiment, data_scientist):
    version = dataset_factory.ready_version(
        dataset_factory.dataset(project, data_scientist), data_scientist
    )
    run = factory.trained_run(experiment, data_scientist, dataset_version=version)

    page = client.get(run.get_absolute_url()).text

    assert page.index('id="roc"') < page.index(">Metrics</h2>")
    assert "Without a model 0.5" in page
    assert "Strikes, version 1" in page
    assert (
        reverse("experiments:download_artifact", args=[run.pk, "model.skops"]) in page
    )
    assert "scikit-learn" in page


def test_run_page_of_a_bare_run(client, experiment, data_scientist):
    page = client.get(factory.run(experiment, data_scientist).get_absolute_url()).text

    for sentence in ("No metrics", "No artifacts", "No parameters", "Not stated"):
        assert sentence in page


def test_run_page_says_how_a_search_went(client, experiment, data_scientist):
    search = {"planned": 20, "best": 7, "score": 0.91}
    summary = {"trials_done": 12, "search": search, "rows": {"left_out": 3}}
    run = factory.run(experiment, data_scientist, summary=summary)

    text = " ".join(client.get(run.get_absolute_url()).text.split())

    assert "12 of 20 planned; the best was number 7 with 0.91" in text
    assert "Rows: left out" in text


def test_run_page_names_no_dataset_that_is_hidden(
    client_of, project, experiment, data_scientist, validator
):
    dataset = dataset_factory.dataset(project, data_scientist)
    version = dataset_factory.ready_version(dataset, data_scientist)
    run = factory.trained_run(experiment, data_scientist, dataset_version=version)
    access.restrict(thing=dataset, by=data_scientist)

    page = client_of(validator).get(run.get_absolute_url()).text

    assert "A restricted dataset" in page
    assert "Strikes, version 1" not in page
    assert "you were not granted" in page


def test_run_page_costs_the_same_however_much_it_holds(
    client, experiment, data_scientist
):
    small = factory.trained_run(experiment, data_scientist)
    large = factory.trained_run(
        experiment,
        data_scientist,
        parameters={f"p{n}": n for n in range(50)},
        artifacts=[factory.artifact(f"{n}.onnx") for n in range(10)]
        + [factory.artifact(f"{n}.csv") for n in range(10)],
    )

    few = queries_of(client, small.get_absolute_url())
    assert queries_of(client, large.get_absolute_url()) == few


def test_pages_escape_scripts(client, project, data_scientist):
    experiment = factory.experiment(project, data_scientist, SCRIPT)
    summary = {"figures": {"importance": [{"feature": SCRIPT, "mean": 1.0}]}}
    runs = [
        factory.run(
            experiment,
            data_scientist,
            name=SCRIPT,
            parameters={SCRIPT: SCRIPT},
            metrics=[factory.MetricPoint(SCRIPT, 1.0)],
            artifacts=[factory.artifact("<script>.txt")],
            summary=summary,
        )
        for _ in range(2)
    ]

    pages = [
        client.get(address).text
        for address in (
            reverse("experiments:list", args=[project.slug]),
            experiment.get_absolute_url(),
            runs[0].get_absolute_url(),
            reverse("experiments:list_runs", args=[project.slug]),
            reverse("experiments:compare_runs", args=[project.slug])
            + "?"
            + "&".join(f"run={run.pk}" for run in runs),
        )
    ]

    for page in pages:
        assert SCRIPT not in page
        assert ESCAPED in page


def test_download_artifact_is_an_attachment(client, experiment, data_scientist):
    run = factory.run(
        experiment, data_scientist, artifacts=[factory.artifact("model/m.onnx")]
    )

    response = client.get(
        reverse("experiments:download_artifact", args=[run.pk, "model/m.onnx"])
    )

    assert response.getvalue() == factory.MODEL
    assert response["Content-Disposition"] == 'attachment; filename="m.onnx"'


def test_download_artifact_that_is_not_there(client, experiment, data_scientist):
    run = factory.run(experiment, data_scientist)

    response = client.get(
        reverse("experiments:download_artifact", args=[run.pk, "model.onnx"])
    )

    assert response.status_code == 404


def test_run_of_another_project_is_not_there(client, world):
    elsewhere = project_factory.project("elsewhere")
    member = project_factory.people.person("x@agency.example")
    project_factory.actions.add_member(
        project=elsewhere, person=member, role="data_scientist", by=elsewhere.created_by
    )
    run = factory.run(factory.experiment(elsewhere, member), member)

    assert client.get(run.get_absolute_url()).status_code == 404
    assert client.get(run.experiment.get_absolute_url()).status_code == 404
