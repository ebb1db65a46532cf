"""Rows of training jobs, and of doing a run again."""

import json

from tests.factories import exports, regenerations
from tests.factories import training as factory
from tests.permission_rows import (
    AUDITOR,
    DATA_SCIENTIST,
    PEOPLE,
    PROGRAM_MANAGER,
    READERS,
    STRANGERS,
    VALIDATOR,
    Row,
    everybody,
    of_project,
)

READ = everybody(200, *READERS)
HIDDEN = everybody(404, *STRANGERS)


def launcher(status: int) -> dict[str, int]:
    return {DATA_SCIENTIST: status, **HIDDEN}


def job(world):
    made = factory.launched_job(world.project, world.data_scientist)
    return {"pk": made.pk}, None


def new_job(world):
    data = {
        "experiment": str(factory.experiment(world.project, world.data_scientist).pk),
        "dataset_version": str(factory.data(world.project, world.data_scientist).pk),
        "name": "New",
        "spec": factory.spec(),
    }
    return {"slug": world.project.slug}, data


def text(world):
    """What the spec editor sends."""
    experiment = factory.experiment(world.project, world.data_scientist)
    data = {
        "submission_key": "5d6ee2b0-8d3c-4d0e-9f6e-6f0a3a1f7c55",
        "name": "New",
        "experiment": str(experiment.pk),
        "dataset_version": str(factory.data(world.project, world.data_scientist).pk),
        "text": json.dumps(factory.spec()),
        "launch": "1",
    }
    return {"slug": world.project.slug}, data


def failed_job(world):
    made = factory.failed_job(world.project, world.data_scientist)
    return {"pk": made.pk}, None


def spec_file(world):
    return {**job(world)[0], "form": "yaml"}, None


def regenerator(status: int) -> dict[str, int]:
    people = (PROGRAM_MANAGER, DATA_SCIENTIST, VALIDATOR, AUDITOR)
    return everybody(status, *people) | HIDDEN


def carrier(status: int) -> dict[str, int]:
    """Who may take the data away."""
    return everybody(status, DATA_SCIENTIST, VALIDATOR) | HIDDEN


def run(world):
    made = regenerations.run(world.project, world.data_scientist)
    return {"pk": made.pk}, None


def new_regeneration(world):
    return run(world)[0], {"tolerance": {"predictions": 0.1, "metrics": 0.1}}


def regeneration(world):
    made = regenerations.requested(world.project, world.data_scientist)
    return {"pk": made.pk}, None


def sealed_regeneration(world):
    made = regenerations.certified(world.project, world.data_scientist)
    exports.seal_everything()
    return {"pk": made.pk}, None


ROWS = [
    Row("training:list", "get", of_project, READ),
    Row("training:launch_training", "get", of_project, launcher(200), others=403),
    Row("training:launch_training", "post", of_project, launcher(200), others=403),
    Row(
        "training:launch_training_from_text",
        "get",
        of_project,
        launcher(200),
        others=403,
    ),
    Row("training:launch_training_from_text", "post", text, launcher(302), others=403),
    Row("training:relaunch_training", "post", failed_job, launcher(302), others=403),
    Row("training:training_spec", "get", spec_file, READ),
    Row("training:training_job", "get", job, READ),
    Row("training:training_job_status", "get", job, READ),
    Row("training:cancel_training", "post", job, launcher(302), others=403),
    Row("v1:training_jobs", "get", of_project, READ),
    Row("v1:training_jobs", "post", new_job, launcher(202), others=403),
    Row("v1:training_job", "get", job, READ),
    Row("v1:cancel_training", "post", job, launcher(200), others=403),
    Row("v1:relaunch_training", "post", failed_job, launcher(202), others=403),
    Row("v1:training_catalogue", "get", expect=everybody(200, *PEOPLE)),
    Row("v1:training_spec_schema", "get", expect=everybody(200, *PEOPLE)),
    Row("training:regenerations", "get", run, READ),
    Row("training:regenerations_panel", "get", run, READ),
    Row("training:request_regeneration", "post", run, regenerator(302), others=403),
    Row("training:download_regeneration_bundle", "get", run, carrier(200), others=403),
    Row("training:regeneration", "get", regeneration, READ),
    Row("training:regeneration_status", "get", regeneration, READ),
    Row(
        "training:cancel_regeneration",
        "post",
        regeneration,
        launcher(302),
        others=403,
    ),
    Row("training:regeneration_certificate", "get", sealed_regeneration, READ),
    Row("v1:regenerations", "get", run, READ),
    Row("v1:regenerations", "post", new_regeneration, regenerator(202), others=403),
    Row("v1:regeneration_bundle", "get", run, carrier(200), others=403),
    Row("v1:regeneration", "get", regeneration, READ),
    Row("v1:cancel_regeneration", "post", regeneration, launcher(200), others=403),
    Row("v1:regeneration_certificate", "get", sealed_regeneration, READ),
]
