"""Rows of experiments, their runs and artifacts."""

from apps.experiments import actions
from apps.experiments.actions import RunStart
from apps.experiments.models import DEFAULT_NAME, Run
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


def _started(world, **tags):
    made = factory.experiment(world.project, world.data_scientist)
    start = actions.RunStart(name="Run", tags=tags)
    return actions.start_run(experiment=made, start=start, by=world.data_scientist)


def new_tag(world):
    return {"pk": _started(world).pk}, {"key": "stage", "value": "try"}


def old_tag(world):
    return {"pk": _started(world, stage="try").pk}, {"key": "stage"}


def note(world):
    return {"pk": _started(world).pk}, {"note": "**Why**"}


def experiment_note(world):
    return experiment(world)[0], {"note": "**Why**"}


def typed(world):
    return {}, {"note": "**Why**"}


def picture(world):
    made = factory.experiment(world.project, world.data_scientist)
    drawn = [factory.artifact("a.png", b"\x89PNG\r\n\x1a\n")]
    run = factory.run(made, world.data_scientist, artifacts=drawn)
    return {"pk": run.pk, "path": "a.png"}, None


def text_file(world):
    made = factory.experiment(world.project, world.data_scientist)
    written = [factory.artifact("a.txt", b"text")]
    run = factory.run(made, world.data_scientist, artifacts=written)
    return {"pk": run.pk, "path": "a.txt"}, None


def logged_model(world):
    made = factory.experiment(world.project, world.data_scientist)
    start = actions.LoggedModelStart(name="forest")
    model = actions.create_logged_model(
        experiment=made, start=start, by=world.data_scientist
    )
    file = factory.artifact("MLmodel", b"flavors: {}")
    actions.log_model_file(model=model, file=file, by=world.data_scientist)
    return {"pk": model.pk}, None


def file_of_logged_model(world):
    return logged_model(world)[0] | {"path": "MLmodel"}, None


def some_runs(world):
    made = factory.experiment(world.project, world.data_scientist)
    runs = [
        actions.start_run(experiment=made, start=RunStart(), by=world.data_scientist)
        for _ in range(2)
    ]
    return {"slug": world.project.slug}, {"run": [run.pk for run in runs]}


def runs_to_tag(world):
    arguments, data = some_runs(world)
    return arguments, {**data, "key": "release", "value": "1"}


def deleted_runs(world):
    arguments, data = some_runs(world)
    runs = Run.objects.filter(pk__in=data["run"])
    actions.delete_runs(runs=runs, by=world.data_scientist)
    return arguments, data


def new_name(world):
    return experiment(world)[0], {"name": "Another name"}


def deleted_experiment(world):
    made = factory.experiment(world.project, world.data_scientist)
    actions.delete_experiment(experiment=made, by=world.data_scientist)
    return {"pk": made.pk}, None


def columns(world):
    return experiment(world)[0], {"column": ["status", "metrics.loss"], "query": ""}


def default_experiment(world):
    factory.experiment(world.project, world.data_scientist, DEFAULT_NAME)
    return {}, None


def printed_experiment(world):
    made = factory.experiment(world.project, world.data_scientist)
    return {"experiment": made.pk.hex}, None


def printed_run(world):
    made = _run(world)
    return {"experiment": made.experiment_id.hex, "run": made.pk.hex}, None


LED = everybody(302, *READERS)

ROWS = [
    Row("experiments:upload_run", "get", experiment, scientist(200), others=403),
    Row("experiments:upload_run", "post", run_file, scientist(302), others=403),
    Row("v1:run_files", "post", run_file, scientist(201), others=403, multipart=True),
    Row("experiments:list_imports", "get", of_project, READ),
    Row("experiments:run_import", "get", brought_over, READ),
    Row("experiments:download_import", "get", brought_over, READ),
    Row("experiments:logged_model", "get", logged_model, READ),
    Row(
        "experiments:preview_logged_model_file",
        "get",
        file_of_logged_model,
        downloader(200),
        others=403,
    ),
    Row(
        "experiments:download_logged_model_file",
        "get",
        file_of_logged_model,
        downloader(200),
        others=403,
    ),
    Row("experiments:experiment_note", "get", experiment, READ),
    Row(
        "experiments:write_experiment_note",
        "get",
        experiment_note,
        scientist(200),
        others=403,
    ),
    Row(
        "experiments:write_experiment_note",
        "post",
        experiment_note,
        scientist(302),
        others=403,
    ),
    Row("experiments:preview_note", "post", typed, {}, others=200, anonymous=302),
    Row("experiments:run_progress", "get", run, READ),
    Row("experiments:run_system_metrics", "get", run, READ),
    Row("experiments:set_run_tags", "post", new_tag, scientist(302), others=403),
    Row("experiments:delete_run_tag", "post", old_tag, scientist(302), others=403),
    Row("experiments:write_run_note", "get", note, scientist(200), others=403),
    Row("experiments:write_run_note", "post", note, scientist(302), others=403),
    Row("experiments:run_files", "get", run, READ),
    Row("experiments:preview_artifact", "get", text_file, downloader(200), others=403),
    Row("experiments:show_picture", "get", picture, downloader(200), others=403),
    Row("experiments:default_experiment", "get", default_experiment, LED),
    Row("experiments:mlflow_experiment", "get", printed_experiment, LED),
    Row("experiments:mlflow_run", "get", printed_run, LED),
    Row("experiments:suggest", "get", experiment, READ),
    Row("experiments:suggest_in_project", "get", of_project, READ),
    Row("experiments:choose_columns", "post", columns, LED),
    Row("experiments:download_runs", "get", experiment, READ),
    Row("experiments:download_project_runs", "get", of_project, READ),
    # Nothing is chosen, so those who see the project are told to choose.
    Row("experiments:change_runs", "get", of_project, everybody(422, *READERS)),
    Row("experiments:tag_runs", "post", runs_to_tag, scientist(302), others=403),
    Row("experiments:delete_runs", "post", some_runs, scientist(302), others=403),
    Row("experiments:restore_runs", "post", deleted_runs, scientist(302), others=403),
    Row("experiments:rename_experiment", "get", experiment, scientist(200), others=403),
    Row("experiments:rename_experiment", "post", new_name, scientist(302), others=403),
    Row(
        "experiments:delete_experiment", "post", experiment, scientist(302), others=403
    ),
    Row(
        "experiments:restore_experiment",
        "post",
        deleted_experiment,
        scientist(302),
        others=403,
    ),
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
