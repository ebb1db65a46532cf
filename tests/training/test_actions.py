"""Launching, carrying out and ending training."""

import uuid

import pytest

from apps.audit.models import AuditEvent
from apps.core.errors import Invalid, Refused, WrongState
from apps.experiments.models import Run, RunSource
from apps.jobs.actions import cancel_job
from apps.jobs.models import JobStatus
from apps.projects.actions import access
from apps.training import actions
from apps.training.models import TrainingJob
from tests.factories import datasets as dataset_factory
from tests.factories import projects, training


def last_event() -> AuditEvent:
    return AuditEvent.objects.order_by("-pk")[0]


def test_launch_training_queues_a_complete_spec(project, data_scientist, settings):
    settings.JOB_THREADS = 2
    job = training.launched_job(project, data_scientist)

    assert job.status == JobStatus.QUEUED
    assert job.spec["cost"] == {"false_alarm": 2.0, "miss": 20.0}
    assert job.spec["threads"] == 2
    assert job.spec["limits"]["wall_seconds"] == settings.JOB_WALL_SECONDS
    event = last_event()
    assert (event.type, event.target_id) == ("training.launched", str(job.pk))
    assert event.changes["estimator"] == "logistic_regression"


def test_launch_training_keeps_the_cost_that_was_given(project, data_scientist):
    job = training.launched_job(project, data_scientist, spec=training.spec(cost=None))

    assert job.spec["cost"] is None


def test_launch_training_asks_no_cost_of_a_regression(project, data_scientist):
    spec = training.spec(
        task="regression",
        target="speed",
        positive_label=None,
        estimator="ridge",
        features=[{"name": "species", "kind": "category"}],
    )

    assert (
        training.launched_job(project, data_scientist, spec=spec).spec["cost"] is None
    )


def test_launch_training_twice_with_one_key_gives_one_job(project, data_scientist):
    key = uuid.uuid4()

    first = training.launched_job(project, data_scientist, submission_key=key)
    second = training.launched_job(project, data_scientist, submission_key=key)

    assert first == second
    assert TrainingJob.objects.count() == 1


def test_launch_training_refuses_the_key_of_another_job(project, data_scientist):
    key = uuid.uuid4()
    training.launched_job(project, data_scientist, submission_key=key)
    other = training.experiment(project, data_scientist, "Other")

    with pytest.raises(Invalid, match="used before"):
        training.launched_job(
            project, data_scientist, submission_key=key, experiment=other
        )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"target": "colour"}, "target"),
        ({"split": {"method": "group", "column": "colour"}}, "split.column"),
        ({"features": [{"name": "colour", "kind": "category"}]}, "features"),
        ({"features": []}, "features"),
        ({"estimator": "oracle"}, "estimator"),
        ({"parameters": {"C": -1}}, "parameters.C"),
        ({"surprise": 1}, "surprise"),
        ({"positive_label": None}, "positive_label"),
        ({"limits": {"memory_bytes": 2**60}}, "limits.memory_bytes"),
        ({"limits": {"wall_seconds": 10**9}}, "limits.wall_seconds"),
        ({"limits": "none"}, "limits"),
        ({"limits": {"memory_bytes": "much"}}, "limits.memory_bytes"),
        ({"task": []}, "task"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_launch_training_names_the_field_at_fault(
    project, data_scientist, changes, field
):
    with pytest.raises(Invalid) as found:
        training.launched_job(project, data_scientist, spec=training.spec(**changes))

    assert field in found.value.fields
    assert not TrainingJob.objects.exists()


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\0b"])
def test_launch_training_refuses_a_bad_name(project, data_scientist, name):
    with pytest.raises(Invalid) as found:
        training.launched_job(project, data_scientist, name=name)

    assert "name" in found.value.fields


def test_launch_training_waits_for_the_data(project, data_scientist):
    dataset = dataset_factory.dataset(project, data_scientist, "late")
    waiting = dataset_factory.version(dataset, data_scientist)

    with pytest.raises(Invalid, match="not ready"):
        training.launched_job(project, data_scientist, dataset_version=waiting)


def test_launch_training_takes_no_data_of_other_projects(project, data_scientist):
    other = projects.project("other")
    foreign = training.data(project, data_scientist)
    foreign.dataset.project = other
    foreign.dataset.save()

    with pytest.raises(Invalid, match="of this project"):
        training.launched_job(project, data_scientist, dataset_version=foreign)


def test_launch_training_takes_no_data_that_was_not_granted(
    project, data_scientist, program_manager
):
    version = training.data(project, data_scientist)
    access.restrict(thing=version.dataset, by=program_manager)
    access.revoke_grant(
        thing=version.dataset, person=data_scientist, by=program_manager
    )

    with pytest.raises(Invalid, match="that you can see"):
        training.launched_job(project, data_scientist, dataset_version=version)


@pytest.mark.parametrize(
    "person", ["program_manager", "validator", "developer", "auditor", "administrator"]
)
def test_launch_training_is_for_data_scientists(project, data_scientist, world, person):
    version = training.data(project, data_scientist)
    experiment = training.experiment(project, data_scientist)
    events = AuditEvent.objects.count()

    with pytest.raises(Refused, match="Only a data scientist"):
        training.launched_job(
            project,
            getattr(world, person),
            dataset_version=version,
            experiment=experiment,
        )

    assert AuditEvent.objects.count() == events


def test_relaunch_training_queues_the_same_again(project, data_scientist):
    job = training.failed_job(project, data_scientist, name="Deep")

    again = actions.relaunch_training(job=job, by=data_scientist)

    assert again.status == JobStatus.QUEUED
    assert (again.name, again.spec, again.relaunch_of) == ("Deep", job.spec, job)
    event = last_event()
    assert (event.type, event.target_id) == ("training.launched", str(again.pk))
    assert event.changes["relaunch_of"] == str(job.pk)


def test_relaunch_training_twice_gives_one_job(project, data_scientist):
    job = training.failed_job(project, data_scientist)

    made = [actions.relaunch_training(job=job, by=data_scientist) for _ in range(2)]

    assert made[0] == made[1]
    assert TrainingJob.objects.count() == 2


def test_relaunch_training_can_be_relaunched_in_its_turn(project, data_scientist):
    job = training.failed_job(project, data_scientist)
    again = actions.relaunch_training(job=job, by=data_scientist)
    cancel_job(job=again, by=data_scientist)

    third = actions.relaunch_training(job=again, by=data_scientist)

    assert third.relaunch_of == again


@pytest.mark.parametrize("make", [training.launched_job, training.finished_job])
def test_relaunch_training_is_for_what_has_no_run(project, data_scientist, make):
    job = make(project, data_scientist)
    before = last_event()

    with pytest.raises(WrongState, match="failed or was cancelled"):
        actions.relaunch_training(job=job, by=data_scientist)

    assert last_event() == before
    assert TrainingJob.objects.count() == 1


def test_relaunch_training_takes_no_data_that_was_hidden(
    project, data_scientist, program_manager
):
    job = training.failed_job(project, data_scientist)
    dataset = job.dataset_version.dataset
    access.restrict(thing=dataset, by=program_manager)
    access.revoke_grant(thing=dataset, person=data_scientist, by=program_manager)

    with pytest.raises(Invalid, match="that you can see"):
        actions.relaunch_training(job=job, by=data_scientist)


def test_relaunch_training_keeps_to_todays_limits(project, data_scientist, settings):
    job = training.failed_job(project, data_scientist)
    settings.JOB_WALL_SECONDS = 60

    with pytest.raises(Invalid, match="above what this portal allows"):
        actions.relaunch_training(job=job, by=data_scientist)


@pytest.mark.parametrize("person", ["developer", "validator", "program_manager"])
def test_relaunch_training_is_for_data_scientists(
    project, data_scientist, world, person
):
    job = training.failed_job(project, data_scientist)

    with pytest.raises(Refused):
        actions.relaunch_training(job=job, by=getattr(world, person))


def test_finish_training_records_the_run(project, data_scientist, worker):
    job = training.finished_job(project, data_scientist)

    run = job.run
    assert job.status == JobStatus.SUCCEEDED
    assert (run.source, run.recorded_by) == (RunSource.TRAINING, worker)
    assert run.dataset_version == job.dataset_version
    assert run.parameters.get(key="C").value == "1.0"
    assert run.metrics.get(key="test.roc_auc").value == 0.81
    assert run.metrics.filter(key="search.roc_auc").count() == 3
    assert set(run.artifacts.values_list("path", flat=True)) == set(training.FILES)
    assert run.summary["signature"] == training.SIGNATURE
    assert run.summary["environment"]["python"] == "3.11.2"
    assert "lock" not in run.summary["environment"]
    assert run.summary["search"] == {"planned": 5, "best": 2, "score": 0.73}
    assert run.summary["record"]["code"] == training.RECORD["code"]
    assert last_event().type == "training.finished"


def test_finish_training_keeps_why_it_failed(project, data_scientist):
    job = training.failed_job(project, data_scientist)

    assert (job.status, job.failure_code) == (JobStatus.FAILED, "bad_input")
    assert last_event().changes["message"] == job.failure_message
    assert not Run.objects.exists()


def test_finish_training_twice_has_one_effect(project, data_scientist):
    running = training.running_job(project, data_scientist)

    for _ in range(2):
        training.finish(running, training.success(running))

    assert Run.objects.count() == 1


@pytest.mark.parametrize("path", ["../secret", "outputs/../spec.json", "/etc/passwd"])
def test_finish_training_takes_files_of_the_outputs_only(project, data_scientist, path):
    running = training.running_job(project, data_scientist)
    file = {"path": path, "media_type": "text/plain"}
    outcome = training.success(running, files=[file])

    with pytest.raises(actions.OutsideOutputs):
        training.finish(running, outcome)

    running.refresh_from_db()
    assert running.status == JobStatus.RUNNING
