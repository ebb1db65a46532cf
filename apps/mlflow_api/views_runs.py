import json
from typing import Any

from django.db import transaction

from apps.access.checks import ensure
from apps.experiments import actions, rules
from apps.experiments.actions import (
    LogBatch,
    LoggedDataset,
    LoggedPoint,
    ModelPoint,
    RunChange,
    RunStart,
)
from apps.experiments.models import ModelUse, Run, RunStatus
from apps.mlflow_api.caller import Caller, model_key
from apps.mlflow_api.door import endpoint
from apps.mlflow_api.errors import INVALID, MlflowError, absent
from apps.mlflow_api.fields import (
    INTEGER,
    NEEDED_INTEGER,
    NEEDED_NUMBER,
    NEEDED_TEXT,
    TEXT,
    listed,
    thing,
)
from apps.mlflow_api.shapes import info_of, moment, run_fields, run_info
from apps.mlflow_api.views_experiments import PAIR, pairs

Fields = dict[str, Any]

MOST_MODELS = 100
NEEDED_OF_MODEL = {"artifact_path", "flavors", "utc_time_created", "run_id"}
MOST_METRICS, MOST_PARAMS, MOST_TAGS, MOST_TOGETHER = 1000, 100, 100, 1000
LONGEST_VALUE, LONGEST_TAG = 6_000, 8_000
RUN = {"run_id": TEXT, "run_uuid": TEXT}
POINT = {
    "key": NEEDED_TEXT,
    "value": NEEDED_NUMBER,
    "timestamp": NEEDED_INTEGER,
    "step": INTEGER,
    "model_id": TEXT,
    "dataset_name": TEXT,
    "dataset_digest": TEXT,
}
USED_MODEL = {"model_id": NEEDED_TEXT}
MADE_MODEL = {"model_id": NEEDED_TEXT, "step": INTEGER}
DATASET = {
    "name": NEEDED_TEXT,
    "digest": NEEDED_TEXT,
    "source_type": NEEDED_TEXT,
    "source": NEEDED_TEXT,
    "schema": TEXT,
    "profile": TEXT,
}


@endpoint(
    {
        "experiment_id": TEXT,
        "user_id": TEXT,
        "run_name": TEXT,
        "start_time": INTEGER,
        "tags": listed(PAIR),
    }
)
def create_run(caller: Caller, given: Fields) -> Fields:
    start = RunStart(
        name=given.get("run_name", ""),
        claimed_user=given.get("user_id", ""),
        started_at=moment(given.get("start_time"), "start_time"),
        tags=_tags(given),
    )
    experiment = caller.experiment(given.get("experiment_id", "") or "0")
    run = actions.start_run(experiment=experiment, start=start, by=caller.user)
    return {"run": run_fields(caller, [info_of(run)])[0]}


@endpoint(RUN, "GET", changes=False)
def get_run(caller: Caller, given: Fields) -> Fields:
    return {"run": run_fields(caller, [info_of(run_of(caller, given))])[0]}


@endpoint({**RUN, "status": TEXT, "end_time": INTEGER, "run_name": TEXT})
def update_run(caller: Caller, given: Fields) -> Fields:
    status = given.get("status")
    if status is not None and status not in RunStatus.values:
        raise MlflowError(
            INVALID,
            f"Invalid value \"{status[:40]}\" for parameter 'status' supplied: there "
            f"are {', '.join(RunStatus.values)}.",
        )
    change = RunChange(
        name=given.get("run_name"),
        status=RunStatus(status) if status else None,
        ended_at=moment(given.get("end_time"), "end_time"),
    )
    run = run_of(caller, given)
    updated = actions.update_run(run=run, change=change, by=caller.user)
    return {"run_info": run_info(caller, info_of(updated))}


@endpoint(RUN)
def delete_run(caller: Caller, given: Fields) -> Fields:
    actions.delete_run(run=run_of(caller, given), by=caller.user)
    return {}


@endpoint(RUN)
def restore_run(caller: Caller, given: Fields) -> Fields:
    actions.restore_run(run=run_of(caller, given), by=caller.user)
    return {}


@endpoint({**RUN, **POINT})
def log_metric(caller: Caller, given: Fields) -> Fields:
    batch = LogBatch(metrics=[_point(given)], model_metrics=_of_models([given]))
    return _log(caller, given, batch)


@endpoint({**RUN, "key": NEEDED_TEXT, "value": TEXT})
def log_parameter(caller: Caller, given: Fields) -> Fields:
    return _log(caller, given, LogBatch(parameters=[_parameter(given)]))


@endpoint({**RUN, "key": NEEDED_TEXT, "value": TEXT})
def set_tag(caller: Caller, given: Fields) -> Fields:
    tags = _tags({"tags": [given]})
    actions.set_run_tags(run=run_of(caller, given), tags=tags, by=caller.user)
    return {}


@endpoint({**RUN, "key": NEEDED_TEXT})
def delete_tag(caller: Caller, given: Fields) -> Fields:
    run = run_of(caller, given)
    tag = run.tags.filter(key=given["key"]).first()
    if tag is None:
        ensure(rules.can_delete_run_tag(caller.user, run))
        raise absent(f"No tag with name: {given['key']} in run with id {run.pk.hex}")
    actions.delete_run_tag(tag=tag, by=caller.user)
    return {}


@endpoint(
    {**RUN, "metrics": listed(POINT), "params": listed(PAIR), "tags": listed(PAIR)}
)
def log_batch(caller: Caller, given: Fields) -> Fields:
    metrics, params = given.get("metrics", []), given.get("params", [])
    tags = given.get("tags", [])
    _check_counts(len(metrics), len(params), len(tags))
    batch = LogBatch(
        metrics=[_point(each) for each in metrics],
        model_metrics=_of_models(metrics),
        parameters=[_parameter(each) for each in params],
        tags=_tags(given),
    )
    return _log(caller, given, batch)


@endpoint(
    {
        **RUN,
        "datasets": listed(
            {"dataset": thing(DATASET, required=True), "tags": listed(PAIR)}
        ),
        "models": listed(USED_MODEL),
    }
)
def log_inputs(caller: Caller, given: Fields) -> Fields:
    datasets = [
        LoggedDataset(**each["dataset"], tags=pairs(each.get("tags", [])))
        for each in given.get("datasets", [])
    ]
    run, used = run_of(caller, given), given.get("models", [])
    with transaction.atomic():
        if datasets or not used:
            actions.log_inputs(run=run, datasets=datasets, by=caller.user)
        if used:
            _log_models(caller, run, ModelUse.INPUT, used)
    return {}


@endpoint({**RUN, "models": listed(MADE_MODEL)})
def log_outputs(caller: Caller, given: Fields) -> Fields:
    made = given.get("models", [])
    _log_models(caller, run_of(caller, given), ModelUse.OUTPUT, made)
    return {}


@endpoint({**RUN, "model_json": NEEDED_TEXT})
def log_model(caller: Caller, given: Fields) -> Fields:
    """Keep what a client before 3.0 says of a model among the files of its run."""
    actions.add_to_model_history(
        run=run_of(caller, given), model=_model(given["model_json"]), by=caller.user
    )
    return {}


def run_of(caller: Caller, given: Fields) -> Run:
    text = given.get("run_id") or given.get("run_uuid")
    if not text:
        raise MlflowError(INVALID, "Missing value for required parameter 'run_id'.")
    return caller.run(text)


def _log(caller: Caller, given: Fields, batch: LogBatch) -> Fields:
    actions.log_batch(run=run_of(caller, given), batch=batch, by=caller.user)
    return {}


def _point(given: Fields) -> LoggedPoint:
    return LoggedPoint(
        given["key"], given["timestamp"], given.get("step", 0), given["value"]
    )


def _of_models(metrics: list[Fields]) -> list[ModelPoint]:
    found = []
    for each in metrics:
        if text := each.get("model_id"):
            dataset = each.get("dataset_name", ""), each.get("dataset_digest", "")
            found.append(ModelPoint(model_key(text), _point(each), *dataset))
    return found


def _log_models(caller: Caller, run: Run, use: ModelUse, given: list[Fields]) -> None:
    if len(given) > MOST_MODELS:
        raise MlflowError(
            INVALID, f"A call takes up to {MOST_MODELS} models. Got {len(given)}."
        )
    steps = {
        caller.logged_model(each["model_id"]): each.get("step", 0) for each in given
    }
    actions.log_run_models(run=run, use=use, steps=steps, by=caller.user)


def _model(text: str) -> Fields:
    try:
        model = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MlflowError(INVALID, "The field model_json holds no JSON.") from error
    if not isinstance(model, dict) or not model.keys() >= NEEDED_OF_MODEL:
        raise MlflowError(
            INVALID,
            "The field model_json holds an object with "
            f"{', '.join(sorted(NEEDED_OF_MODEL))}.",
        )
    return model


def _parameter(given: Fields) -> tuple[str, str]:
    return given["key"], given.get("value", "")[:LONGEST_VALUE]


def _tags(given: Fields) -> dict[str, str]:
    found = pairs(given.get("tags", []))
    return {key: value[:LONGEST_TAG] for key, value in found.items()}


def _check_counts(metrics: int, params: int, tags: int) -> None:
    for name, count, most in (
        ("metrics", metrics, MOST_METRICS),
        ("params", params, MOST_PARAMS),
        ("tags", tags, MOST_TAGS),
        ("metrics, params and tags together", metrics + params + tags, MOST_TOGETHER),
    ):
        if count > most:
            raise MlflowError(
                INVALID,
                f"A batch takes up to {most} {name}. Got {count}.",
            )
