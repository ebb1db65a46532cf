import csv
import re

import pytest
from django.urls import reverse

from apps.audit.models import AuditEvent
from apps.experiments import comparing, forms
from apps.experiments.actions import MetricPoint
from apps.projects.actions import access
from tests.costs import queries_of
from tests.factories import datasets as dataset_factory
from tests.factories import experiments as factory
from tests.factories import projects


@pytest.fixture
def client(client_of, data_scientist):
    return client_of(data_scientist)


@pytest.fixture
def experiment(project, data_scientist):
    return factory.experiment(project, data_scientist)


def address(project, runs, name="compare_runs", **choices) -> str:
    path = reverse(f"experiments:{name}", args=[project.slug])
    asked = [f"run={run.pk}" for run in runs] + [f"{k}={v}" for k, v in choices.items()]
    return f"{path}?{'&'.join(asked)}"


def tried(experiment, by, count: int = 2, **content):
    """Runs that differ in one parameter and in their recall, with a history."""
    return [
        factory.trained_run(
            experiment,
            by,
            name=f"Run {depth}",
            parameters={"depth": depth, "criterion": "gini"},
            metrics=[
                MetricPoint("test.recall", depth / 100),
                *(MetricPoint("validation.log_loss", 1 / n, n) for n in (1, 2, 3)),
            ],
            **content,
        )
        for depth in range(1, count + 1)
    ]


def test_compare_runs_of_several_experiments(client, project, data_scientist):
    runs = [
        run
        for name in ("A", "B")
        for run in tried(
            factory.experiment(project, data_scientist, name), data_scientist
        )
    ]

    page = client.get(address(project, runs)).text

    for figure in ("parallel", "best", "scatter", "roc", "precision-recall", "history"):
        assert f'id="compare-{figure}"' in page
    assert "The same in all runs (1)" in page
    assert "Best by recall:" in page


def test_compare_runs_keeps_its_choices_in_the_address(
    client, project, experiment, data_scientist
):
    runs = tried(experiment, data_scientist, 3)
    metric = "metric:validation.log_loss"

    page = client.get(
        address(project, runs, x=metric, best="validation.log_loss", axes=metric)
    ).text

    assert "Recall by depth" not in page
    assert re.search(r'value="metric:validation.log_loss" selected', page)
    assert re.search(r'value="metric:validation.log_loss"[^>]* checked', page)


def test_compare_runs_replaces_choices_that_are_not_there(
    client, project, experiment, data_scientist
):
    runs = tried(experiment, data_scientist)

    nonsense = dict.fromkeys(("x", "y", "best", "history", "axes"), "metric:gone")
    response = client.get(address(project, runs, **nonsense))

    assert response.status_code == 200
    assert 'id="compare-parallel"' in response.text


def test_compare_runs_without_metrics_and_parameters(
    client, project, experiment, data_scientist
):
    runs = [factory.run(experiment, data_scientist) for _ in range(2)]

    page = client.get(address(project, runs)).text

    assert "No metrics" in page
    assert "No parameters" in page


def test_compare_runs_can_leave_one_out(client, project, experiment, data_scientist):
    runs = tried(experiment, data_scientist, 3)

    page = client.get(address(project, runs)).text

    assert 'aria-label="Leave out Run 1"' in page
    assert "Leave out" not in client.get(address(project, runs[:2])).text


def test_compare_runs_takes_none_of_other_projects(
    client, project, experiment, data_scientist, world
):
    elsewhere = factory.experiment(
        _other_project(world), world.data_scientist, "Elsewhere"
    )
    runs = [factory.run(e, data_scientist) for e in (experiment, elsewhere)]

    response = client.get(address(project, runs))

    assert response.status_code == 422
    assert "Choose 2 to 20 runs of this project" in response.text


def _other_project(world):
    other = projects.project("elsewhere")
    projects.actions.add_member(
        project=other,
        person=world.data_scientist,
        role="data_scientist",
        by=other.created_by,
    )
    return other


def test_compare_runs_costs_the_same_however_many(
    client, project, experiment, data_scientist
):
    version = dataset_factory.ready_version(
        dataset_factory.dataset(project, data_scientist), data_scientist
    )
    runs = tried(experiment, data_scientist, 20, dataset_version=version)

    few = queries_of(client, address(project, runs[:2]))

    assert queries_of(client, address(project, runs)) == few


def test_compare_runs_names_no_dataset_that_is_hidden(
    client_of, project, experiment, data_scientist, validator
):
    runs = []
    for name in ("one", "two"):
        dataset = dataset_factory.dataset(project, data_scientist, name)
        version = dataset_factory.ready_version(dataset, data_scientist)
        runs += tried(experiment, data_scientist, 1, dataset_version=version)
        access.restrict(thing=dataset, by=data_scientist)

    page = client_of(validator).get(address(project, runs)).text

    assert "A restricted dataset (1)" in page
    assert "A restricted dataset (2)" in page
    assert "Strikes" not in page


def test_download_comparison_is_guarded(client, project, experiment, data_scientist):
    runs = tried(experiment, data_scientist)
    runs.append(factory.run(experiment, data_scientist, parameters={"depth": "=1+1"}))

    response = client.get(address(project, runs, "download_comparison"))

    rows = {row[1]: row[2:] for row in csv.reader(response.text.splitlines())}
    assert response["Content-Disposition"] == 'attachment; filename="comparison.csv"'
    assert rows["depth"] == ["1", "2", "'=1+1"]
    assert rows["test.recall"] == ["0.01", "0.02", ""]
    assert rows["key"] == ["1. Run 1", "2. Run 2", "3. Run"]
    event = AuditEvent.objects.get(type="run.comparison_downloaded")
    assert event.target_id == str(project.pk)
    assert sorted(event.changes["runs"]) == sorted(str(run.pk) for run in runs)


def test_compare_runs_shows_so_many_lines_and_names_the_rest(
    client, project, experiment, data_scientist, monkeypatch
):
    monkeypatch.setattr(comparing, "MOST_LINES", 2)
    monkeypatch.setattr(forms, "MOST_OFFERED", 2)
    runs = [
        factory.run(
            experiment,
            data_scientist,
            parameters={f"p{key}": value for key in range(5)} | {"same": 1},
        )
        for value in (1, 2)
    ]

    answer = client.get(address(project, runs, x="parameter:p4"))

    assert "The first 2 of 5 parameters that differ are shown" in answer.text
    assert "<code>p1</code>" in answer.text
    assert "<code>p2</code>" not in answer.text
    offered = [key for key, _ in answer.context["form"].fields["x"].choices]
    assert offered == ["parameter:p0", "parameter:p4"]


def test_compare_runs_proposes_a_metric_over_a_parameter(
    client, project, experiment, data_scientist
):
    runs = [
        factory.run(
            experiment,
            data_scientist,
            parameters={"depth": value},
            metrics=[MetricPoint("own loss", value / 10)],
        )
        for value in (1, 2)
    ]

    picked = client.get(address(project, runs)).context["form"].picked

    assert (picked["x"], picked["y"]) == ("parameter:depth", "metric:own loss")
