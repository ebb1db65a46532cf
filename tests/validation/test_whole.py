"""One report from real rows, a real model and the real engine."""

import io
import random

import pytest
from django.urls import reverse

from apps.datasets import tasks as dataset_tasks
from apps.datasets.actions import upload_version
from apps.datasets.queries import sealed_part_of
from apps.jobs.models import JobStatus
from apps.registry import actions as registry_actions
from apps.training import tasks as training_tasks
from apps.validation import tasks
from apps.validation.actions import request_report
from apps.validation.models import Rows
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
    data = upload_version(
        dataset=dataset,
        content=io.BytesIO(rows()),
        original_name="rows.csv",
        seal={"method": "stratified", "ratio": 0.25, "column": "damaged"},
        by=data_scientist,
    )
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


def page_of(report, person, client_of):
    return client_of(person).get(reverse("validation:full_report", args=[report.pk]))


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
    untested = {f["slug"] for f in report.result["families"] if f["not_tested"]}
    assert untested == {"champion", "fairness"}  # groups of 25 rows are small
    assert len(page_of(report, validator, client_of).context["families"]) == 8
    page = page_of(report, validator, client_of)
    assert page.status_code == 200
    drawn = page.context
    assert drawn["cost_comparison"]
    assert drawn["cost_curve"]
    assert len(drawn["quality"]) == 4
    assert len(drawn["subgroups"]) == 4

    # Without the pipeline's file the model is asked by its ONNX file.
    trained_version.run.artifacts.filter(path="model.skops").delete()
    again = factory.requested_report(trained_version, validator)
    tasks.compute_report(pk=str(again.pk))
    again.refresh_from_db()
    assert again.status == JobStatus.SUCCEEDED, again.failure_message
    first, second = (
        {row["measure"]: row["value"] for row in found.result["measures"]}
        for found in (report, again)
    )
    assert second == pytest.approx(first, abs=1e-4)

    # The sealed rows, of which the model has seen none.
    sealed_report = request_report(
        version=trained_version, evaluated_on=Rows.SEALED, by=validator
    )
    tasks.compute_report(pk=str(sealed_report.pk))
    sealed_report.refresh_from_db()
    data = trained_version.run.dataset_version
    assert sealed_report.result["rows"] == sealed_part_of(data).row_count == 100
    assert data.row_count == 300
    assert (
        "look 1 of 10"
        in client_of(validator).get(sealed_report.get_absolute_url()).text
    )
