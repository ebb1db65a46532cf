"""Training as Celery calls it, with the real engine where it matters."""

import json

import pytest

from apps.jobs.models import JobStatus
from apps.training import queries, tasks
from apps.training.spec_facts import spec_facts
from engine.spec import TrainSpec
from tests.factories import training


def test_run_training_does_nothing_for_a_job_that_is_taken(project, data_scientist):
    job = training.running_job(project, data_scientist)

    tasks.run_training(pk=str(job.pk))

    job.refresh_from_db()
    assert (job.status, job.attempt) == (JobStatus.RUNNING, 1)


def test_run_training_ends_a_job_that_the_engine_refuses(project, data_scientist):
    job = training.launched_job(project, data_scientist)

    tasks.run_training(pk=str(job.pk))

    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert job.failure_message


def test_run_training_keeps_what_went_wrong_in_the_portal(project, data_scientist):
    job = training.launched_job(project, data_scientist)
    job.dataset_version.parquet_sha256 = "0" * 64
    job.dataset_version.save()

    with pytest.raises(FileNotFoundError):
        tasks.run_training(pk=str(job.pk))

    job.refresh_from_db()
    assert (job.status, job.failure_code) == (JobStatus.FAILED, "internal")
    assert "FileNotFoundError" in job.failure_details[0]


def test_prepare_training_gives_the_engine_data_and_spec(
    project, data_scientist, tmp_path
):
    job = training.launched_job(project, data_scientist)

    spec = queries.prepare_training(job, tmp_path)

    assert (tmp_path / "inputs" / "data.parquet").read_bytes()
    assert json.dumps(spec)
    assert spec == job.spec


def test_spec_facts_say_what_was_asked_for(project, data_scientist):
    searching = training.launched_job(
        project,
        data_scientist,
        spec=training.spec(
            search={"trials": 5, "folds": 2}, class_weight="balanced", cost=None
        ),
    )
    costing = training.launched_job(project, data_scientist)
    number = training.launched_job(
        project,
        data_scientist,
        spec=training.spec(
            task="regression",
            target="speed",
            positive_label=None,
            estimator="dummy",
            features=[{"name": "species", "kind": "category"}],
        ),
    )

    first, second, third = [
        {
            fact["term"]: fact["value"]
            for fact in spec_facts(TrainSpec.from_json(job.spec))
        }
        for job in (searching, costing, number)
    ]

    assert first["Search"] == "up to 5 settings drawn at random, 2 folds each"
    assert first["Rare classes"] == "given more weight"
    assert first["Threshold"] == "0.5"
    assert second["Target"] == "damaged (a case is “yes”)"
    assert second["Threshold"].endswith("a false alarm at 2 and a miss at 20")
    assert second["Freedom"] == 1.0
    assert third["Threshold"] == "does not apply"
    assert third["Target"] == "speed"
