import json

import pytest

from apps.jobs.models import JobStatus
from apps.registry.models import ModelVersion
from apps.validation import queries
from engine.spec import EvaluateSpec
from tests.factories import registry, training
from tests.factories import validation as factory


@pytest.fixture
def version(project, data_scientist):
    return registry.model_version(project, data_scientist)


def other_question(version: ModelVersion) -> None:
    version.signature = {**version.signature, "target": "species"}
    version.save()


def test_prepare_report_lays_out_what_the_engine_reads(version, validator, tmp_path):
    report = factory.running_report(version, validator)

    spec = queries.prepare_report(report, tmp_path)

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

    queries.prepare_report(report, tmp_path)

    inputs = tmp_path / "inputs"
    assert (inputs / "model.onnx").read_bytes() == training.FILES["model.onnx"]
    assert not (inputs / "model.skops").exists()
    assert (inputs / "champion" / "model.skops").exists()


def test_prepare_report_adds_the_champion(project, data_scientist, validator, tmp_path):
    registry.champion(project, data_scientist)
    challenger = registry.model_version(project, data_scientist)
    report = factory.running_report(challenger, validator)

    queries.prepare_report(report, tmp_path)

    found = sorted(path.name for path in (tmp_path / "inputs/champion").iterdir())
    assert found == ["model.skops", "signature.json"]


def test_champion_to_beat_answers_the_same_question(project, data_scientist, validator):
    champion = registry.champion(project, data_scientist)
    challenger = registry.model_version(project, data_scientist)
    plan = factory.plan(challenger.model, validator)

    assert queries.champion_to_beat(challenger, plan) == champion
    assert queries.champion_to_beat(champion, plan) is None
    other_question(champion)
    assert queries.champion_to_beat(challenger, plan) is None


def test_champion_to_beat_has_its_files(project, data_scientist, validator):
    champion = registry.champion(project, data_scientist)
    challenger = registry.model_version(project, data_scientist)
    plan = factory.plan(challenger.model, validator)
    registry.without_file(champion, "model.skops")
    registry.without_file(champion, "model.onnx")

    assert queries.champion_to_beat(challenger, plan) is None


def test_latest_report_is_the_newest_that_is_finished(version, validator):
    finished = factory.finished_report(version, validator)
    factory.failed_report(version, validator)
    factory.requested_report(version, validator)

    assert queries.latest_report(version) == finished
    assert [report.number for report in queries.reports_of(version)] == [3, 2, 1]


def test_card_section_without_a_report_is_nothing(version, validator):
    factory.requested_report(version, validator)

    assert queries.card_section(version) is None


def test_card_section_says_what_the_report_says(version, validator):
    report = factory.finished_report(version, validator)

    section = queries.card_section(version)

    assert section["verdict"] == "pass"
    assert section["report"]["result_digest"] == report.result_digest
    assert section["plan"]["criteria"] == report.plan.criteria_in_words
    assert section["mission"] == report.result["mission"]
    assert len(section["checks"]) == 2


def test_costs_of_nothing_are_no_cost(version, validator, project):
    project.objective.false_alarm_cost = project.objective.miss_cost = 0
    project.objective.save()

    report = factory.requested_report(version, validator)

    assert report.status == JobStatus.QUEUED
    assert report.spec["cost"] is None


def test_known_question_of_an_unknown_one_raises(version):
    version.signature = {}

    with pytest.raises(ValueError, match="no usable signature"):
        queries.known_question_of(version)


def test_prepare_report_tells_a_signature_that_no_file_has(
    project, data_scientist, validator, tmp_path
):
    version = registry.model_version(project, data_scientist)
    registry.without_file(version, "signature.json")
    report = factory.running_report(version, validator)

    queries.prepare_report(report, tmp_path)

    told = (tmp_path / "inputs" / "signature.json").read_text()
    assert json.loads(told) == version.signature
