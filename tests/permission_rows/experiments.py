"""Rows of experiments, their runs and artifacts."""

from apps.experiments import actions
from tests.factories import experiments as factory
from tests.permission_rows import (
    DATA_SCIENTIST,
    DEVELOPER,
    OPERATIONS_MANAGER,
    READERS,
    STRANGERS,
    VALIDATOR,
    Row,
    everybody,
    of_project,
)
from tests.permission_rows.datasets import FileAnew

READ = everybody(200, *READERS)
HIDDEN = everybody(404, *STRANGERS)


def scientist(status: int) -> dict[str, int]:
    return {DATA_SCIENTIST: status, **HIDDEN}


def downloader(status: int) -> dict[str, int]:
    holders = (DATA_SCIENTIST, VALIDATOR, OPERATIONS_MANAGER, DEVELOPER)
    return everybody(status, *holders) | HIDDEN


def new_experiment(world):
    return {"slug": world.project.slug}, {"name": "New"}


def experiment(world):
    return {"pk": factory.experiment(world.project, world.data_scientist).pk}, None


def new_run(world):
    return experiment(world)[0], {"name": "Run"}


def _run(world):
    made = factory.experiment(world.project, world.data_scientist)
    return factory.trained_run(made, world.data_scientist)


def run(world):
    return {"pk": _run(world).pk}, None


def model_file(world):
    return {"pk": _run(world).pk, "path": "model.skops"}, None


def model_file_of_the_api(world):
    return {"pk": _run(world).pk, "artifact_path": "model.skops"}, None


def run_file(world):
    content = b"kind,key,value\nmetric,auc,0.5\n"
    return experiment(world)[0], {"file": FileAnew("run.csv", content)}


def brought_over(world):
    made = actions.start_import(
        project=world.project, source="https://old.test", by=world.data_scientist
    )
    return {"pk": made.pk}, None


ROWS = [
    Row("experiments:upload_run", "get", experiment, scientist(200), others=403),
    Row("experiments:upload_run", "post", run_file, scientist(302), others=403),
    Row("v1:run_files", "post", run_file, scientist(201), others=403, multipart=True),
    Row("experiments:list_imports", "get", of_project, READ),
    Row("experiments:run_import", "get", brought_over, READ),
    Row("experiments:download_import", "get", brought_over, READ),
    Row("experiments:list", "get", of_project, READ),
    Row("experiments:create_experiment", "get", of_project, scientist(200), others=403),
    Row(
        "experiments:create_experiment",
        "post",
        new_experiment,
        scientist(302),
        others=403,
    ),
    Row("experiments:experiment", "get", experiment, READ),
    Row("experiments:list_runs", "get", of_project, READ),
    # Nothing is chosen, so those who see the project are told to choose.
    Row("experiments:compare_runs", "get", of_project, everybody(422, *READERS)),
    Row("experiments:download_comparison", "get", of_project, everybody(422, *READERS)),
    Row("v1:run_comparison", "get", of_project, everybody(422, *READERS)),
    Row("experiments:run", "get", run, READ),
    Row(
        "experiments:download_artifact", "get", model_file, downloader(200), others=403
    ),
    Row("v1:experiments", "get", of_project, READ),
    Row("v1:experiments", "post", new_experiment, scientist(201), others=403),
    Row("v1:experiment", "get", experiment, READ),
    Row("v1:project_runs", "get", of_project, READ),
    Row("v1:runs", "get", experiment, READ),
    Row("v1:runs", "post", new_run, scientist(201), others=403),
    Row("v1:run", "get", run, READ),
    Row("v1:artifact", "get", model_file_of_the_api, downloader(200), others=403),
]
