"""Names, stages, origin and quarantine of versions, as pages and REST tell them."""

import pickle

import pytest

from apps.access.checks import ALLOWED
from apps.registry import actions
from apps.registry.models import ModelVersion, Stage
from tests.factories import experiments, registry, training


@pytest.fixture
def version(project, data_scientist) -> ModelVersion:
    """A version with a pickle, an alias, a tag and a stage."""
    run = experiments.run(
        training.experiment(project, data_scientist),
        data_scientist,
        artifacts=[experiments.artifact("old/model.pkl", pickle.dumps(print))],
    )
    found = actions.register_version(
        project=project, run=run, model_name="Old", description="", by=data_scientist
    )
    by = {"by": data_scientist}
    actions.set_alias(version=found, name="candidate", approval=ALLOWED, **by)
    actions.set_version_tag(version=found, key="team", value="blue", **by)
    actions.set_model_tag(model=found.model, key="office", value="north", **by)
    actions.move_stage(
        version=found,
        stage=Stage.STAGING,
        archive_others=False,
        approval=ALLOWED,
        **by,
    )
    return found


def test_the_page_of_a_model_tells_what_its_versions_are(version, client_of, developer):
    page = client_of(developer).get(version.model.get_absolute_url()).content.decode()

    for words in (
        "Quarantined",
        "@candidate",
        "team: blue",
        "office: north",
        "Staging",
    ):
        assert words in page
    assert f"from {version.run.name}" in page


def test_the_page_of_a_version_says_why_it_is_quarantined(
    version, client_of, developer
):
    page = client_of(developer).get(version.get_absolute_url()).content.decode()

    assert "old/model.pkl is a Python pickle" in page
    assert "builtins.print" in page


def test_rest_tells_the_same(version, api_of, developer):
    path = f"/api/v1{version.model.get_absolute_url().removesuffix('/')}"

    model = api_of(developer).get(path).json()
    told = api_of(developer).get(f"{path}/versions/1").json()

    assert model["aliases"] == [{"name": "candidate", "number": 1}]
    assert model["tags"] == [{"key": "office", "value": "north"}]
    assert (told["stage"], told["quarantine"]) == ("Staging", version.quarantine)


def test_a_model_without_versions_has_its_page(project, data_scientist, client_of):
    model = actions.create_model(project=project, name="empty", by=data_scientist)
    registry.model_version(project, data_scientist)
    client = client_of(data_scientist)

    for address in (model.get_absolute_url(), project.get_absolute_url(), "/models/"):
        assert "empty" in client.get(address).content.decode()
    assert "No version yet" in client.get(model.get_absolute_url()).content.decode()
