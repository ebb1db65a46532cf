from typing import Any

from apps.experiments import actions
from apps.mlflow_api.caller import Caller
from apps.mlflow_api.door import endpoint
from apps.mlflow_api.errors import INVALID, MlflowError, absent, telling_taken
from apps.mlflow_api.fields import NEEDED_TEXT, TEXT, listed
from apps.mlflow_api.shapes import SCHEME, experiment_fields

Fields = dict[str, Any]
PAIR = {"key": NEEDED_TEXT, "value": TEXT}


@endpoint({"name": NEEDED_TEXT, "artifact_location": TEXT, "tags": listed(PAIR)})
def create_experiment(caller: Caller, given: Fields) -> Fields:
    location = given.get("artifact_location", "")
    if location and location != SCHEME:
        raise MlflowError(
            INVALID,
            f"Invalid value for parameter 'artifact_location' supplied: artifacts are "
            f"kept by the portal; leave it out, or give {SCHEME}",
        )
    project, name = caller.place(given["name"])
    tags = pairs(given.get("tags", []))
    with telling_taken(f"Experiment(name={name[:300]})"):
        experiment = actions.create_experiment(
            project=project, name=name, tags=tags, by=caller.user
        )
    return {"experiment_id": caller.shown_id(experiment)}


@endpoint({"experiment_id": NEEDED_TEXT}, "GET", changes=False)
def get_experiment(caller: Caller, given: Fields) -> Fields:
    experiment = caller.experiment(given["experiment_id"])
    return {"experiment": experiment_fields(caller, [experiment])[0]}


@endpoint({"experiment_name": NEEDED_TEXT}, "GET", changes=False)
def get_experiment_by_name(caller: Caller, given: Fields) -> Fields:
    experiment = caller.named_experiment(given["experiment_name"])
    return {"experiment": experiment_fields(caller, [experiment])[0]}


@endpoint({"experiment_id": NEEDED_TEXT, "new_name": NEEDED_TEXT})
def update_experiment(caller: Caller, given: Fields) -> Fields:
    experiment = caller.experiment(given["experiment_id"])
    project, name = caller.place(given["new_name"])
    if project != experiment.project:
        raise MlflowError(
            INVALID,
            f"The experiment stays in its project {experiment.project.slug}; give a "
            "name of that project.",
        )
    with telling_taken(f"Experiment(name={name[:300]})"):
        actions.rename_experiment(experiment=experiment, name=name, by=caller.user)
    return {}


@endpoint({"experiment_id": NEEDED_TEXT})
def delete_experiment(caller: Caller, given: Fields) -> Fields:
    experiment = caller.experiment(given["experiment_id"])
    actions.delete_experiment(experiment=experiment, by=caller.user)
    return {}


@endpoint({"experiment_id": NEEDED_TEXT})
def restore_experiment(caller: Caller, given: Fields) -> Fields:
    experiment = caller.experiment(given["experiment_id"])
    actions.restore_experiment(experiment=experiment, by=caller.user)
    return {}


@endpoint({"experiment_id": NEEDED_TEXT, **PAIR})
def set_experiment_tag(caller: Caller, given: Fields) -> Fields:
    actions.set_experiment_tag(
        experiment=caller.experiment(given["experiment_id"]),
        key=given["key"],
        value=given.get("value", ""),
        by=caller.user,
    )
    return {}


@endpoint({"experiment_id": NEEDED_TEXT, "key": NEEDED_TEXT})
def delete_experiment_tag(caller: Caller, given: Fields) -> Fields:
    experiment = caller.experiment(given["experiment_id"])
    tag = experiment.tags.filter(key=given["key"]).first()
    if tag is None:
        raise absent(f"No tag with name: {given['key']} in this experiment.")
    actions.delete_experiment_tag(tag=tag, by=caller.user)
    return {}


def pairs(given: list[Fields]) -> dict[str, str]:
    return {each["key"]: each.get("value", "") for each in given}
