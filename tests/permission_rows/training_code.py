"""Rows of people's own code."""

from tests.factories import code
from tests.factories import training as factory
from tests.permission_rows import Row, of_project
from tests.permission_rows.datasets import FileAnew
from tests.permission_rows.training import READ, launcher


def allowed(world):
    code.allow(world.project)
    return {"slug": world.project.slug}, None


def job(world):
    made = code.launched_code(world.project, world.data_scientist)
    return {"pk": made.pk}, None


def new_job(world):
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


ROWS = [
    Row("training:code_jobs", "get", of_project, READ),
    Row("training:launch_code", "get", allowed, launcher(200), others=403),
    Row("training:launch_code", "post", new_job, launcher(302), others=403),
    Row("training:code_job", "get", job, READ),
    Row("training:code_job_status", "get", job, READ),
    Row("training:cancel_code", "post", job, launcher(302), others=403),
    Row("v1:code_jobs", "get", of_project, READ),
    Row("v1:code_jobs", "post", new_job, launcher(202), others=403, multipart=True),
    Row("v1:code_job", "get", job, READ),
    Row("v1:cancel_code", "post", job, launcher(200), others=403),
]
