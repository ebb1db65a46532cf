"""Rows of MLflow's model registry; strangers are told that there is nothing."""

from apps.access.checks import ALLOWED
from apps.registry import actions
from apps.registry.actions import Origin, VersionWords
from tests.permission_rows import DATA_SCIENTIST, PEOPLE, READERS, Row, everybody
from tests.permission_rows.mlflow_api import DOWNLOAD, with_file

READ = everybody(200, *READERS)
EVERYBODY = everybody(200, *PEOPLE)
WRITE = everybody(403, *READERS) | {DATA_SCIENTIST: 200}
CHURN = "churn"


def model(world):
    return actions.create_model(
        project=world.project,
        name=CHURN,
        tags={"team": "blue"},
        by=world.data_scientist,
    )


def version(world):
    run = with_file(world)
    words = VersionWords(tags={"team": "blue"})
    return actions.create_version(
        model=model(world),
        origin=Origin(run=run, source=f"runs:/{run.pk.hex}"),
        words=words,
        by=world.data_scientist,
    )


def _name(world, **fields):
    return {}, {"name": f"{world.project.slug}/{CHURN}"} | fields


def _of_model(**fields):
    def make(world):
        model(world)
        return _name(world, **fields)

    return make


def _of_version(**fields):
    def make(world):
        version(world)
        return _name(world, version="1", **fields)

    return make


def renamed(world):
    model(world)
    return _name(world, new_name=f"{world.project.slug}/Other")


def new_version(world):
    model(world)
    return _name(world, source=f"runs:/{with_file(world).pk.hex}")


def with_alias(world):
    actions.set_alias(
        version=version(world),
        name="candidate",
        approval=ALLOWED,
        by=world.data_scientist,
    )
    return _name(world, alias="candidate")


def file_of_version(world):
    version(world)
    return _name(world, version="1", path="model.bin")


ROWS = [
    Row("mlflow:registered_models_create", "post", _name, WRITE, others=404),
    Row("mlflow:registered_models_get", "get", _of_model(), READ),
    Row("mlflow:registered_models_rename", "post", renamed, WRITE),
    Row("mlflow:registered_models_update", "patch", _of_model(description="x"), WRITE),
    Row("mlflow:registered_models_delete", "delete", _of_model(), WRITE),
    Row("mlflow:registered_models_search", "get", expect=EVERYBODY),
    Row("mlflow:registered_models_get_latest_versions", "get", _of_version(), READ),
    Row(
        "mlflow:registered_models_set_tag",
        "post",
        _of_model(key="team", value="red"),
        WRITE,
    ),
    Row("mlflow:registered_models_delete_tag", "delete", _of_model(key="team"), WRITE),
    Row("mlflow:registered_models_alias", "get", with_alias, READ),
    Row(
        "mlflow:registered_models_alias", "post", _of_version(alias="candidate"), WRITE
    ),
    Row("mlflow:registered_models_alias", "delete", with_alias, WRITE),
    Row("mlflow:model_versions_create", "post", new_version, WRITE),
    Row("mlflow:model_versions_get", "get", _of_version(), READ),
    Row("mlflow:model_versions_update", "patch", _of_version(description="x"), WRITE),
    Row("mlflow:model_versions_delete", "delete", _of_version(), WRITE),
    Row(
        "mlflow:model_versions_transition_stage",
        "post",
        _of_version(stage="Staging"),
        WRITE,
    ),
    Row("mlflow:model_versions_get_download_uri", "get", _of_version(), READ),
    Row("mlflow:model_versions_search", "get", expect=EVERYBODY),
    Row(
        "mlflow:model_versions_set_tag",
        "post",
        _of_version(key="team", value="red"),
        WRITE,
    ),
    Row("mlflow:model_versions_delete_tag", "delete", _of_version(key="team"), WRITE),
    Row("mlflow:get_version_artifact", "get", file_of_version, DOWNLOAD),
]
