"""Rows of training jobs."""

import json

from tests.factories import code
from tests.factories import training as factory
from tests.permission_rows import (
    DATA_SCIENTIST,
    PEOPLE,
    READERS,
    STRANGERS,
    Row,
    everybody,
    of_project,
)
from tests.permission_rows.datasets import FileAnew

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


def code_policy(world):
    code.allow(world.project)
    return {"slug": world.project.slug}, None


def code_job(world):
    made = code.launched_code(world.project, world.data_scientist)
    return {"pk": made.pk}, None


def new_code(world):
    code.allow(world.project)
    by = world.data_scientist
    data = {
        "submission_key": "01a216b3-9a2c-78ca-a336-380f691e3544",
        "experiment": str(factory.experiment(world.project, by).pk),
        "dataset_version": str(factory.data(world.project, by).pk),
        "name": "Mine",
        "code": FileAnew("project.zip", code.zipped().getvalue()),
        "seed": 0,
    }
    return {"slug": world.project.slug}, data


def failed_job(world):
    made = factory.failed_job(world.project, world.data_scientist)
    return {"pk": made.pk}, None


def spec_file(world):
    return {**job(world)[0], "form": "yaml"}, None


CODE_ROWS = [
    Row("training:code_jobs", "get", of_project, READ),
    Row("training:launch_code", "get", code_policy, launcher(200), others=403),
    Row("training:launch_code", "post", new_code, launcher(302), others=403),
    Row("training:code_job", "get", code_job, READ),
    Row("training:code_job_status", "get", code_job, READ),
    Row("training:cancel_code", "post", code_job, launcher(302), others=403),
    Row("v1:code_jobs", "get", of_project, READ),
    Row("v1:code_jobs", "post", new_code, launcher(202), others=403, multipart=True),
    Row("v1:code_job", "get", code_job, READ),
    Row("v1:cancel_code", "post", code_job, launcher(200), others=403),
]
ROWS = [
    *CODE_ROWS,
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
]
