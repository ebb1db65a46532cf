"""Rows of the face of MLflow's API; strangers are told that there is nothing."""

import io

from apps.core.ids import new_id
from apps.experiments import actions
from apps.experiments.actions import LogBatch, LoggedModelStart, RunStart
from apps.experiments.parts import PartedFile
from tests.factories import experiments as factory
from tests.permission_rows import DATA_SCIENTIST, PEOPLE, READERS, Row, everybody

READ = everybody(200, *READERS)
EVERYBODY = everybody(200, *PEOPLE)
WRITE = {DATA_SCIENTIST: 200, **everybody(403, *READERS)} | {DATA_SCIENTIST: 200}
DOWNLOAD = READ | everybody(403, "program_manager", "auditor", "ai_official")


def experiment(world):
    return factory.experiment(world.project, world.data_scientist)


def started(world):
    return actions.start_run(
        experiment=experiment(world), start=RunStart("run"), by=world.data_scientist
    )


def of_experiment(world):
    return {}, {"experiment_id": experiment(world).pk.hex}


def by_name(world):
    return {}, {"experiment_name": f"{world.project.slug}/{experiment(world).name}"}


def new_experiment(world):
    return {}, {"name": f"{world.project.slug}/New"}


def renamed(world):
    given = of_experiment(world)[1]
    return {}, given | {"new_name": f"{world.project.slug}/Other"}


def tagged_experiment(world):
    return {}, of_experiment(world)[1] | {"key": "team", "value": "blue"}


def untagged_experiment(world):
    found = experiment(world)
    actions.set_experiment_tag(
        experiment=found, key="team", value="blue", by=world.data_scientist
    )
    return {}, {"experiment_id": found.pk.hex, "key": "team"}


def deleted_experiment(world):
    found = experiment(world)
    actions.delete_experiment(experiment=found, by=world.data_scientist)
    return {}, {"experiment_id": found.pk.hex}


def of_run(world):
    return {}, {"run_id": started(world).pk.hex}


def ended(world):
    return {}, of_run(world)[1] | {"status": "FINISHED", "run_name": "done"}


def deleted_run(world):
    run = actions.delete_run(run=started(world), by=world.data_scientist)
    return {}, {"run_id": run.pk.hex}


def metric(world):
    given = {"key": "auc", "value": 0.5, "timestamp": 1}
    return {}, of_run(world)[1] | given


def pair(world):
    return {}, of_run(world)[1] | {"key": "depth", "value": "4"}


def tagged_run(world):
    run = actions.set_run_tags(
        run=started(world), tags={"depth": "4"}, by=world.data_scientist
    )
    return {}, {"run_id": run.pk.hex, "key": "depth"}


def batch(world):
    point = {"key": "auc", "value": 0.5, "timestamp": 1}
    pairs = [{"key": "a", "value": "b"}]
    return {}, of_run(world)[1] | {"metrics": [point], "params": pairs, "tags": pairs}


def inputs(world):
    dataset = {"name": "n", "digest": "d", "source_type": "local", "source": "s"}
    return {}, of_run(world)[1] | {"datasets": [{"dataset": dataset}]}


def not_offered(_):
    return {"rest": "traces"}, None


def history(world):
    run = started(world)
    point = actions.LoggedPoint("auc", 1, 0, 0.5)
    batch = LogBatch(metrics=[point])
    actions.log_batch(run=run, batch=batch, by=world.data_scientist)
    return {}, {"run_id": run.pk.hex, "metric_key": "auc"}


def histories(world):
    given = history(world)[1]
    return {}, {"run_id": given["run_id"], "metric_key": "auc"}


def with_file(world):
    run = started(world)
    file = factory.artifact("model.bin")
    actions.log_artifact(run=run, file=file, by=world.data_scientist)
    return run


def _folder(run) -> str:
    return f"{run.experiment_id.hex}/{run.pk.hex}/artifacts"


def file_by_run(world):
    return {}, {"run_id": with_file(world).pk.hex, "path": "model.bin"}


def folder(world):
    return {}, {"path": _folder(with_file(world))}


def file(world):
    return {"path": f"{_folder(with_file(world))}/model.bin"}, None


def new_file(world):
    return {"path": f"{_folder(started(world))}/notes.txt"}, b"hello"


def _parted(world):
    folder = _folder(started(world))
    file = PartedFile(new_id(), f"{folder}/big.bin", world.data_scientist)
    file.begin()
    part = file.keep(1, io.BytesIO(b"hello"))
    parts = [{"part_number": 1, "etag": part.receipt}]
    given = {"path": "big.bin", "upload_id": file.pk.hex, "parts": parts}
    return file, folder, given


def parted(world):
    _, folder, given = _parted(world)
    return {"folder": folder}, given


def new_parts(world):
    return {"folder": _folder(started(world))}, {"path": "big.bin", "num_parts": 2}


def part(world):
    file, *_ = _parted(world)
    return {"upload": file.pk, "number": 1, "path": file.place}, b"hello"


def model(world, **content):
    start = LoggedModelStart(source_run=started(world), **content)
    return actions.create_logged_model(
        experiment=start.source_run.experiment, start=start, by=world.data_scientist
    )


def new_model(world):
    return {}, of_experiment(world)[1] | {"name": "churn"}


def of_model(world):
    return {"model_id": model(world).public_id}, None


def ready_model(world):
    return of_model(world)[0], {"status": "LOGGED_MODEL_READY"}


def with_params(world):
    return of_model(world)[0], {"params": [{"key": "depth", "value": "4"}]}


def with_tags(world):
    return of_model(world)[0], {"tags": [{"key": "team", "value": "blue"}]}


def untagged_model(world):
    tagged = model(world, tags={"team": "blue"})
    return {"model_id": tagged.public_id, "key": "team"}, None


def made(world):
    logged = model(world)
    run = logged.source_run.pk.hex
    return {}, {"run_id": run, "models": [{"model_id": logged.public_id, "step": 1}]}


def described(world):
    text = '{"artifact_path": "m", "flavors": {}, "utc_time_created": "", "run_id": ""}'
    return {}, of_run(world)[1] | {"model_json": text}


BYTES = {"Content-Type": "text/plain"}

ROWS = [
    Row("mlflow:version", "get", expect=EVERYBODY, anonymous=200),
    Row("mlflow:health", "get", expect=EVERYBODY, anonymous=200),
    Row("mlflow:server_info", "get", expect=EVERYBODY, anonymous=200),
    Row("mlflow:not_here", "get", not_offered, anonymous=404),
    Row("mlflow:experiments_create", "post", new_experiment, WRITE, others=400),
    Row("mlflow:experiments_get", "get", of_experiment, READ),
    Row("mlflow:experiments_get_by_name", "get", by_name, READ, others=400),
    Row("mlflow:experiments_search", "get", expect=EVERYBODY),
    Row("mlflow:experiments_update", "post", renamed, WRITE),
    Row("mlflow:experiments_delete", "post", of_experiment, WRITE),
    Row("mlflow:experiments_restore", "post", deleted_experiment, WRITE),
    Row("mlflow:experiments_set_experiment_tag", "post", tagged_experiment, WRITE),
    Row("mlflow:experiments_delete_experiment_tag", "post", untagged_experiment, WRITE),
    Row("mlflow:runs_create", "post", of_experiment, WRITE),
    Row("mlflow:runs_get", "get", of_run, READ),
    Row("mlflow:runs_update", "post", ended, WRITE),
    Row("mlflow:runs_delete", "post", of_run, WRITE),
    Row("mlflow:runs_restore", "post", deleted_run, WRITE),
    Row("mlflow:runs_log_metric", "post", metric, WRITE),
    Row("mlflow:runs_log_parameter", "post", pair, WRITE),
    Row("mlflow:runs_set_tag", "post", pair, WRITE),
    Row("mlflow:runs_delete_tag", "post", tagged_run, WRITE),
    Row("mlflow:runs_log_batch", "post", batch, WRITE),
    Row("mlflow:runs_log_inputs", "post", inputs, WRITE),
    Row("mlflow:runs_search", "post", expect=EVERYBODY),
    Row("mlflow:runs_outputs", "post", made, WRITE),
    Row("mlflow:runs_log_model", "post", described, WRITE),
    Row("mlflow:logged_models", "post", new_model, WRITE),
    Row("mlflow:logged_models_search", "post", expect=EVERYBODY),
    Row("mlflow:logged_model", "get", of_model, READ),
    Row("mlflow:logged_model", "patch", ready_model, WRITE),
    Row("mlflow:logged_model", "delete", of_model, WRITE),
    Row("mlflow:model_params", "post", with_params, WRITE),
    Row("mlflow:model_tags", "patch", with_tags, WRITE),
    Row("mlflow:model_tag", "delete", untagged_model, WRITE),
    Row("mlflow:model_files", "get", of_model, READ),
    Row("mlflow:metrics_get_history", "get", history, READ),
    Row("mlflow:metrics_get_history_bulk", "get", histories, EVERYBODY),
    Row("mlflow:artifacts_list", "get", file_by_run, READ),
    Row("mlflow:get_artifact", "get", file_by_run, DOWNLOAD),
    Row("mlflow:list_folder", "get", folder, READ),
    Row("mlflow:artifact", "get", file, DOWNLOAD),
    Row("mlflow:artifact", "put", new_file, WRITE, headers=BYTES),
    Row("mlflow:artifact", "delete", file, WRITE),
    Row("mlflow:create_upload", "post", new_parts, WRITE),
    Row("mlflow:put_part", "put", part, WRITE, headers=BYTES),
    Row("mlflow:complete_upload", "post", parted, WRITE),
    Row("mlflow:abort_upload", "post", parted, WRITE),
]
