import json

import pytest

from apps.jobs.models import JobStatus
from apps.validation.evaluation_inputs import prepare_report
from engine.spec import EvaluateSpec
from tests.factories import registry, training
from tests.factories import validation as factory


@pytest.fixture
def version(project, data_scientist):
    return registry.model_version(project, data_scientist)


def test_prepare_report_lays_out_what_the_engine_reads(version, validator, tmp_path):
    report = factory.running_report(version, validator)

    spec = prepare_report(report, tmp_path)

    inputs = tmp_path / "inputs"
    assert (inputs / "model.skops").read_bytes() == training.FILES["model.skops"]
    assert (inputs / "test.parquet").read_bytes() == training.FILES["test.parquet"]
    assert json.loads((inputs / "signature.json").read_text())["target"] == "damaged"
    assert not (inputs / "champion").exists()
    assert EvaluateSpec.from_json(spec).to_json() == spec


def test_prepare_report_takes_the_onnx_file_of_a_run_without_pipeline(
    project, data_scientist, validator, tmp_path
):
    registry.champion(project, data_scientist)
    version = registry.model_version(project, data_scientist)
    registry.without_file(version, "model.skops")
    report = factory.running_report(version, validator)

    prepare_report(report, tmp_path)

    inputs = tmp_path / "inputs"
    assert (inputs / "model.onnx").read_bytes() == training.FILES["model.onnx"]
    assert not (inputs / "model.skops").exists()
    assert (inputs / "champion" / "model.skops").exists()


def test_prepare_report_adds_the_champion(project, data_scientist, validator, tmp_path):
    registry.champion(project, data_scientist)
    challenger = registry.model_version(project, data_scientist)
    report = factory.running_report(challenger, validator)

    prepare_report(report, tmp_path)

    found = sorted(path.name for path in (tmp_path / "inputs/champion").iterdir())
    assert found == ["model.skops", "signature.json"]


def test_prepare_report_tells_the_signature_that_was_frozen_with_the_version(
    project, data_scientist, validator, tmp_path
):
    """A file of that name is what a script wrote, and proves nothing."""
    registry.champion(project, data_scientist)
    challenger = registry.model_version(project, data_scientist)
    report = factory.running_report(challenger, validator)
    # What the registry froze differs from the signature.json of the training's files.
    for version in (report.version, report.champion):
        assert "signature.json" in [entry["path"] for entry in version.manifest]
        version.signature = {**version.signature, "threshold": 0.25}
        version.save()

    prepare_report(report, tmp_path)

    for told in ("signature.json", "champion/signature.json"):
        found = json.loads((tmp_path / "inputs" / told).read_text())
        assert found["threshold"] == 0.25, told


def test_costs_of_nothing_are_no_cost(version, validator, project):
    project.objective.false_alarm_cost = project.objective.miss_cost = 0
    project.objective.save()

    report = factory.requested_report(version, validator)

    assert report.status == JobStatus.QUEUED
    assert report.spec["cost"] is None
