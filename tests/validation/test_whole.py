"""One report from real rows, a real model and the real engine."""

import random

import pytest

from apps.datasets import tasks as dataset_tasks
from apps.jobs.models import JobStatus
from apps.registry import actions as registry_actions
from apps.training import tasks as training_tasks
from apps.validation import tasks
from tests.factories import datasets, training
from tests.factories import validation as factory


def rows() -> bytes:
    """Fast strikes do damage, mostly."""
    dice = random.Random(4)  # noqa: S311  # rows, not secrets
    lines = ["species,speed,damaged"]
    for _ in range(400):
        species, speed = dice.choice(["Gull", "Hawk", "Owl"]), dice.randrange(60, 240)
        damaged = "yes" if speed + dice.gauss(0, 40) > 170 else "no"
        lines.append(f"{species},{speed},{damaged}")
    return "\n".join(lines).encode()


@pytest.fixture
def trained_version(project, data_scientist):
    dataset = datasets.dataset(project, data_scientist)
    data = datasets.version(dataset, data_scientist, rows())
    dataset_tasks.ingest_version(pk=str(data.pk))
    data.refresh_from_db()
    job = training.launched_job(project, data_scientist, dataset_version=data)
    training_tasks.run_training(pk=str(job.pk))
    job.refresh_from_db()
    assert job.status == JobStatus.SUCCEEDED, job.failure_message
    return registry_actions.register_version(
        project=project,
        run=job.run,
        model_name="damage",
        description="",
        by=data_scientist,
    )


def test_compute_report_measures_a_real_model(trained_version, validator, client_of):
    cost = {
        "measure": "mission_cost_per_1000",
        "operator": "<=",
        "threshold": 5000.0,
        "blocking": True,
    }
    factory.plan(
        trained_version.model, validator, [cost], subgroup_columns=["species", "speed"]
    )
    report = factory.requested_report(trained_version, validator)

    tasks.compute_report(pk=str(report.pk))

    report.refresh_from_db()
    assert report.status == JobStatus.SUCCEEDED, report.failure_message
    assert report.verdict == "pass"
    assert report.result["mission"]["cost_per_1000"] < 5000
    page = client_of(validator).get(report.get_absolute_url())
    assert page.status_code == 200
    drawn = page.context
    assert drawn["cost_comparison"]
    assert drawn["cost_curve"]
    assert len(drawn["quality"]) == 4
    assert len(drawn["subgroups"]) == 4
