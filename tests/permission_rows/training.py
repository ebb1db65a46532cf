"""Rows of training jobs."""

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


ROWS = [
    Row("training:list", "get", of_project, READ),
    Row("training:launch_training", "get", of_project, launcher(200), others=403),
    Row("training:launch_training", "post", of_project, launcher(200), others=403),
    Row("training:training_job", "get", job, READ),
    Row("training:training_job_status", "get", job, READ),
    Row("training:cancel_training", "post", job, launcher(302), others=403),
    Row("v1:training_jobs", "get", of_project, READ),
    Row("v1:training_jobs", "post", new_job, launcher(202), others=403),
    Row("v1:training_job", "get", job, READ),
    Row("v1:cancel_training", "post", job, launcher(200), others=403),
    Row("v1:training_catalogue", "get", expect=everybody(200, *PEOPLE)),
    Row("v1:training_spec_schema", "get", expect=everybody(200, *PEOPLE)),
]
