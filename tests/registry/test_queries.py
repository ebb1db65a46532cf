"""What cards and pages read of the registry."""

import json

import pytest

from apps.projects.actions import access
from apps.projects.models import Objective
from apps.registry import actions, queries, rules, trends
from apps.registry.models import ModelVersion
from tests.factories import experiments, registry, training


@pytest.fixture
def version(project, data_scientist):
    return registry.model_version(project, data_scientist, description="Finds damage.")


def test_card_record_is_plain_json(version, data_scientist):
    actions.edit_card(
        version=version, sections={"limitations": "Night."}, by=data_scientist
    )
    read = queries.with_card_parts(ModelVersion.objects.all()).get()

    record = queries.card_record(read)

    assert json.loads(json.dumps(record)) == record
    assert record["identity"]["model"] == "damage"
    assert record["identity"]["is_champion"] is False
    assert record["objective"]["miss_cost"] == 20.0
    assert record["sections"][2] == {
        "name": "limitations",
        "title": "Limitations",
        "text": "Night.",
    }
    assert record["files"]["manifest_digest"] == version.manifest_digest
    assert record["run"]["parameters"]["C"] == "1.0"
    assert record["run"]["metrics"]["search.roc_auc"] == 0.73
    assert record["dataset"]["rows"] == 5_000


def test_card_record_of_a_champion_without_objective_or_data(project, data_scientist):
    Objective.objects.all().delete()
    run = experiments.run(
        training.experiment(project, data_scientist),
        data_scientist,
        artifacts=[experiments.artifact()],
        summary={"signature": training.SIGNATURE},
    )
    actions.register_version(
        project=project, run=run, model_name="bare", description="", by=data_scientist
    )
    read = queries.with_card_parts(ModelVersion.objects.all()).get()

    record = queries.card_record(read)

    assert record["objective"] is None
    assert record["dataset"] is None
    assert record["run"]["metrics"] == {}


def test_champion_of_knows_who_is_approved(project, data_scientist, version):
    assert queries.champion_of(version.model) is None

    champion = registry.champion(project, data_scientist)

    assert queries.champion_of(version.model) == champion
    assert queries.card_record(champion)["identity"]["is_champion"] is True


def test_versions_of_run_are_there_for_who_may_see_it(
    version, data_scientist, program_manager, developer
):
    run = version.run
    access.restrict(thing=version.model, by=program_manager)

    assert list(queries.versions_of_run(run, data_scientist)) == [version]
    assert not queries.versions_of_run(run, developer)


def test_sees_data_follows_the_grants_of_the_dataset(
    version, program_manager, developer
):
    assert queries.sees_data(version, developer)

    dataset = version.run.dataset_version.dataset
    access.restrict(thing=dataset, by=program_manager)

    assert not queries.sees_data(version, developer)


@pytest.mark.parametrize(
    ("person", "model_file", "data_file"),
    [
        ("data_scientist", True, True),
        ("validator", True, True),
        ("developer", True, False),
        ("operations_manager", True, False),
        ("program_manager", False, False),
        ("auditor", False, False),
        ("outsider", False, False),
    ],
)
def test_file_decisions_part_models_from_data(
    version, world, person, model_file, data_file
):
    decisions = rules.file_decisions(getattr(world, person), version)

    found = {entry["path"]: bool(decision) for entry, decision in decisions}
    assert found["model.skops"] is model_file
    assert found["test.parquet"] is data_file


def test_file_decisions_give_an_outsider_the_model_without_data(
    version, program_manager, outsider
):
    access.grant(thing=version.model, person=outsider, by=program_manager)

    decisions = rules.file_decisions(outsider, version)

    found = {entry["path"]: bool(decision) for entry, decision in decisions}
    assert found["model.skops"] is True
    assert found["test.parquet"] is False


def test_compare_draws_the_mission_first(project, data_scientist, version):
    better = registry.model_version(
        project,
        data_scientist,
        result={
            "metrics": {**training.RESULT["metrics"], "test.mission_cost_per_1000": 800}
        },
    )

    comparison = trends.compare([better, version])

    assert comparison.titles[0] == "Mission cost per 1,000 cases"
    assert comparison.rows[0] == (better, [800.0, 0.81, 0.7])
    assert "Version 2 has 800, version 1 had 900" in comparison.figure["summary"]
    assert comparison.figure["table"]["rows"][0][1:] == [1, 900.0]


def test_compare_needs_two_points_to_draw(version):
    assert trends.compare([version]).figure is None
    assert trends.compare([]).titles == []
