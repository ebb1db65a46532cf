import pytest

from apps.registry.models import ModelVersion
from apps.validation import queries
from tests.factories import registry
from tests.factories import validation as factory


@pytest.fixture
def version(project, data_scientist):
    return registry.model_version(project, data_scientist)


def other_question(version: ModelVersion) -> None:
    version.signature = {**version.signature, "target": "species"}
    version.save()


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


def test_known_question_of_an_unknown_one_raises(version):
    version.signature = {}

    with pytest.raises(ValueError, match="no usable signature"):
        queries.known_question_of(version)
