"""What MLflow's own tests ask of a server's registry: its order and its words."""

import pytest

from tests.factories import registry


def make(ask, name: str) -> None:
    ask("registered-models/create", {"name": name})


def test_versions_are_found_newest_first(mlflow, world):
    first = registry.model_version(world.project, world.data_scientist)
    for name in ("a", "z"):
        make(mlflow, name)
        source = {"name": name, "source": f"models:/{first.model.name}/1"}
        mlflow("model-versions/create", source)

    found = mlflow("model-versions/search", method="get")["model_versions"]
    by_name = mlflow("model-versions/search", {"order_by": "name ASC"}, method="get")

    assert [one["name"] for one in found] == ["z", "a", first.model.name]
    names = [one["name"] for one in by_name["model_versions"]]
    assert names == sorted(names)


def test_a_name_in_use_is_told_in_the_words_that_clients_compare(mlflow):
    make(mlflow, "churn")
    make(mlflow, "rain")

    again = mlflow("registered-models/create", {"name": "churn"}, status=400)
    asked = {"name": "rain", "new_name": "churn"}
    renamed = mlflow("registered-models/rename", asked, status=400)

    for refused in (again, renamed):
        assert refused["error_code"] == "RESOURCE_ALREADY_EXISTS"
        words = "Registered Model (name=churn) already exists"
        assert refused["message"].startswith(words)


@pytest.mark.parametrize(
    ("path", "data", "words"),
    [
        (
            "model-versions/set-tag",
            {"name": "churn", "version": "one", "key": "k", "value": ""},
            "Parameter 'version' must be an integer, got 'one'",
        ),
        (
            "registered-models/set-tag",
            {"name": "churn", "key": "k", "value": "a" * 100_001},
            "'value' exceeds the maximum length of 100000 characters",
        ),
        (
            "model-versions/transition-stage",
            {
                "name": "churn",
                "version": "1",
                "stage": "None",
                "archive_existing_versions": True,
            },
            "because 'None' is not an Active stage",
        ),
    ],
)
def test_what_cannot_be_is_told_in_the_words_that_clients_compare(
    mlflow, path, data, words
):
    make(mlflow, "churn")

    refused = mlflow(path, data, status=400)

    assert refused["error_code"] == "INVALID_PARAMETER_VALUE"
    assert words in refused["message"]


def test_a_version_of_no_model_is_told_as_a_version(mlflow):
    asked = {"name": "absent", "version": "1"}

    refused = mlflow("model-versions/get", asked, method="get", status=404)

    words = "Model Version (name=absent, version=1) not found"
    assert refused["message"].startswith(words)


def test_a_name_of_an_experiment_in_use_is_told_so_too(mlflow):
    mlflow("experiments/create", {"name": "churn"})
    other = mlflow("experiments/create", {"name": "rain"})["experiment_id"]

    again = mlflow("experiments/create", {"name": "churn"}, status=400)
    asked = {"experiment_id": other, "new_name": "churn"}
    renamed = mlflow("experiments/update", asked, status=400)

    for refused in (again, renamed):
        assert refused["error_code"] == "RESOURCE_ALREADY_EXISTS"
        assert refused["message"].startswith("Experiment(name=churn) already exists")


def test_a_search_for_a_key_that_is_none_names_it(mlflow):
    asked = {"filter": "run_id = 'some'"}

    refused = mlflow("registered-models/search", asked, method="get", status=400)

    assert "Invalid attribute key 'run_id' specified" in refused["message"]


def test_a_model_changes_when_its_versions_come_move_and_go(mlflow, world):
    first = registry.model_version(world.project, world.data_scientist)
    make(mlflow, "churn")
    named = {"name": "churn", "version": "1"}

    def changed() -> int:
        found = mlflow("registered-models/get", {"name": "churn"}, method="get")
        return found["registered_model"]["last_updated_timestamp"]

    steps = [
        (
            "post",
            "create",
            {"name": "churn", "source": f"models:/{first.model.name}/1"},
        ),
        ("post", "transition-stage", {**named, "stage": "Staging"}),
        ("delete", "delete", named),
    ]
    for method, path, data in steps:
        before = changed()
        mlflow(f"model-versions/{path}", data, method=method)
        assert changed() > before, path


def test_a_described_version_leaves_its_model_as_it_was(mlflow, world):
    version = registry.model_version(world.project, world.data_scientist)
    before = version.model.updated_at

    named = {"name": version.model.name, "version": "1"}
    words = {**named, "description": "Of May."}
    mlflow("model-versions/update", words, method="patch")

    version.model.refresh_from_db()
    assert version.model.updated_at == before
