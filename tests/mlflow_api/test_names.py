"""Which project a name means; what could mean two is refused."""

import pytest

from apps.experiments.models import Experiment
from apps.projects.actions import add_member
from tests.factories import experiments as factory
from tests.factories import projects
from tests.mlflow_api.conftest import asker


@pytest.fixture
def other(world):
    """Another project of which the data scientist is a member."""
    found = projects.project("weather")
    manager = found.memberships.get().user
    add_member(
        project=found, person=world.data_scientist, role="data_scientist", by=manager
    )
    return found


def test_plain_names_belong_to_the_default_project(mlflow, world):
    mlflow("experiments/create", {"name": "plain"})

    assert Experiment.objects.get(name="plain").project == world.project
    asked = {"experiment_name": "plain"}
    found = mlflow("experiments/get-by-name", asked, method="get")["experiment"]
    assert found["name"] == "plain"


def test_a_name_may_begin_with_its_project(mlflow, other):
    mlflow("experiments/create", {"name": "weather/storms"})

    experiment = Experiment.objects.get(name="storms")
    asked = {"experiment_id": experiment.pk.hex}
    found = mlflow("experiments/get", asked, method="get")["experiment"]
    assert experiment.project == other
    assert found["name"] == "weather/storms"


def test_a_slash_alone_names_no_project(mlflow, world):
    mlflow("experiments/create", {"name": "/Users/dana/churn"})

    assert Experiment.objects.get().name == "/Users/dana/churn"


def test_a_name_that_could_mean_two_is_refused(mlflow, world, other):
    factory.experiment(world.project, world.data_scientist, "weather/storms")

    asked = {"experiment_name": "weather/storms"}
    refused = mlflow("experiments/get-by-name", asked, method="get", status=400)

    assert "could mean" in refused["message"]
    full = {"experiment_name": f"{world.project.slug}/weather/storms"}
    assert mlflow("experiments/get-by-name", full, method="get")


def test_without_a_default_project_a_plain_name_is_refused(world):
    ask = asker(world.data_scientist)

    refused = ask("experiments/create", {"name": "plain"}, status=400)
    absent = ask("experiments/get", {"experiment_id": "0"}, method="get", status=404)

    assert "project/experiment" in refused["message"]
    assert "default project" in absent["message"]


def test_a_header_names_the_project_of_a_request(world, other):
    ask = asker(world.data_scientist, world.project.slug)
    ask.client.defaults["HTTP_X_PORTAL_PROJECT"] = "weather"

    ask("experiments/create", {"name": "storms"})
    refused = ask("experiments/create", {"name": f"{world.project.slug}/x"}, status=400)

    assert Experiment.objects.get(name="storms").project == other
    assert "could mean" in refused["message"]


def test_default_is_0_and_made_once(mlflow, world):
    for _ in range(2):
        found = mlflow("experiments/search", {"max_results": 5})["experiments"]

    assert [(one["experiment_id"], one["name"]) for one in found] == [("0", "Default")]
    assert Experiment.objects.get().project == world.project


def test_a_taken_name_is_told_by_its_code(mlflow):
    mlflow("experiments/create", {"name": "churn"})

    refused = mlflow("experiments/create", {"name": "churn"}, status=400)

    assert refused["error_code"] == "RESOURCE_ALREADY_EXISTS"
