import math

import pytest

from apps.audit.models import AuditEvent
from apps.core.errors import Invalid, Refused
from apps.experiments import actions
from apps.experiments.actions import MetricPoint, RunContent
from apps.experiments.models import Experiment, Metric, Run, RunSource
from apps.projects.actions import access
from tests.factories import datasets as dataset_factory
from tests.factories import experiments as factory
from tests.factories import projects as project_factory
from tests.trail import FailedHalfWay, no_room_for_events


@pytest.fixture
def experiment(project, data_scientist) -> Experiment:
    return factory.experiment(project, data_scientist)


def test_create_experiment_records_event(experiment, data_scientist):
    event = AuditEvent.objects.get(type="experiment.created")

    assert event.target_label == "inspection/First look"
    assert event.actor_id == data_scientist.pk


def test_create_experiment_refuses_a_validator(project, validator):
    with pytest.raises(Refused):
        factory.experiment(project, validator)

    assert not Experiment.objects.exists()


@pytest.mark.parametrize("name", ["First look", " ", "x" * 501, "a\x00b"])
def test_create_experiment_refuses_unfit_names(
    experiment, project, data_scientist, name
):
    with pytest.raises(Invalid) as caught:
        factory.experiment(project, data_scientist, name)

    assert list(caught.value.fields) == ["name"]


def test_record_run_keeps_everything(experiment, data_scientist):
    run = factory.trained_run(experiment, data_scientist)

    assert dict(run.parameters.values_list("key", "value")) == {
        "estimator": "decision_tree",
        "max_depth": "4",
    }
    assert run.metrics.count() == len(factory.METRICS)
    assert run.artifacts.get(path="model.skops").size_bytes == len(factory.MODEL)
    assert run.summary == factory.SUMMARY
    event = AuditEvent.objects.get(type="run.recorded")
    assert event.changes["metrics"] == len(factory.METRICS)
    assert set(event.changes["artifacts"]) == {"model.skops", "test.parquet"}


def test_record_run_is_for_the_worker_too(experiment, worker):
    run = factory.run(experiment, worker, source=RunSource.TRAINING)

    assert run.recorded_by == worker


def test_record_run_refuses_a_validator(experiment, validator):
    with pytest.raises(Refused):
        factory.run(experiment, validator)

    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("content", "field", "sentence"),
    [
        ({"name": ""}, "name", "cannot be used in name"),
        ({"parameters": {"": 1}}, "parameters", "cannot be used in parameters"),
        ({"parameters": {"a": "x" * 6001}}, "parameters", "parameter a holds"),
        ({"parameters": {"a": "\x00"}}, "parameters", "parameter a holds"),
        (
            {"parameters": {f"p{n}": 0 for n in range(1001)}},
            "parameters",
            "up to 1,000 parameters; this one has 1,001",
        ),
        (
            {"metrics": [MetricPoint("a", 1.0, n) for n in range(10_001)]},
            "metrics",
            "up to 10,000 metrics",
        ),
        ({"metrics": [MetricPoint("auc", math.nan)]}, "metrics", "metric auc is not"),
        ({"metrics": [MetricPoint("auc", math.inf)]}, "metrics", "metric auc is not"),
        (
            {"metrics": [MetricPoint("auc", 1.0, 2**63)]},
            "metrics",
            "step of metric auc",
        ),
        ({"metrics": [MetricPoint("auc", 1.0)] * 2}, "metrics", "given twice"),
        ({"metrics": [MetricPoint("x" * 251, 1.0)]}, "metrics", "1 to 250"),
    ],
)
def test_record_run_refuses_unfit_content(
    experiment, data_scientist, content, field, sentence
):
    with pytest.raises(Invalid, match=sentence) as caught:
        factory.run(experiment, data_scientist, **content)

    assert list(caught.value.fields) == [field]
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../up", "a/../b", "a//b", "./a", "a\\b", "a\x00", "", "x" * 501],
)
def test_record_run_refuses_paths_that_lead_elsewhere(experiment, data_scientist, path):
    with pytest.raises(Invalid) as caught:
        factory.run(experiment, data_scientist, artifacts=[factory.artifact(path)])

    assert list(caught.value.fields) == ["artifacts"]


def test_record_run_refuses_a_path_twice(experiment, data_scientist):
    with pytest.raises(Invalid, match="given twice"):
        factory.run(experiment, data_scientist, artifacts=[factory.artifact()] * 2)


def test_record_run_refuses_data_of_another_project(experiment, data_scientist):
    elsewhere = project_factory.project("elsewhere")
    manager = elsewhere.created_by
    member = project_factory.people.person("x@agency.example")
    project_factory.actions.add_member(
        project=elsewhere, person=member, role="data_scientist", by=manager
    )
    foreign = dataset_factory.ready_version(
        dataset_factory.dataset(elsewhere, member), member
    )

    with pytest.raises(Invalid, match="belongs to another project"):
        actions.record_run(
            experiment=experiment,
            content=RunContent("Run", RunSource.API, dataset_version=foreign),
            by=data_scientist,
        )


@pytest.mark.parametrize(
    ("path", "person", "is_allowed"),
    [
        ("model.skops", "developer", True),
        ("model.skops", "program_manager", False),
        ("test.parquet", "validator", True),
        ("test.parquet", "developer", False),
    ],
)
def test_download_artifact_asks_for_what_the_file_holds(
    experiment, data_scientist, world, path, person, is_allowed
):
    run = factory.trained_run(experiment, data_scientist)
    artifact = run.artifacts.get(path=path)

    if is_allowed:
        actions.download_artifact(artifact=artifact, by=getattr(world, person))
    else:
        with pytest.raises(Refused):
            actions.download_artifact(artifact=artifact, by=getattr(world, person))

    found = AuditEvent.objects.filter(type="run.artifact_downloaded")
    assert [event.changes["path"] for event in found] == [path] * is_allowed


def test_download_artifact_keeps_rows_of_a_restricted_dataset(
    experiment, project, data_scientist, validator
):
    dataset = dataset_factory.dataset(project, data_scientist)
    version = dataset_factory.ready_version(dataset, data_scientist)
    run = factory.trained_run(experiment, data_scientist, dataset_version=version)
    rows, model = (run.artifacts.get(path=p) for p in ("test.parquet", "model.skops"))
    access.restrict(thing=dataset, by=data_scientist)

    with pytest.raises(Refused, match="you were not granted"):
        actions.download_artifact(artifact=rows, by=validator)

    assert actions.download_artifact(artifact=model, by=validator) == model
    assert actions.download_artifact(artifact=rows, by=data_scientist) == rows


def test_record_run_that_fails_half_way_leaves_nothing(experiment, data_scientist):
    with no_room_for_events(), pytest.raises(FailedHalfWay):
        factory.trained_run(experiment, data_scientist)

    assert not Run.objects.exists()
    assert not Metric.objects.exists()
