"""Experiments and runs as MLflow's clients read them."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from orjson import Fragment

from apps.experiments.models import (
    ExperimentTag,
    LoggedModelMetric,
    LoggedModelParameter,
    LoggedModelTag,
    ModelUse,
)
from apps.experiments.search.loading import RunInfo, load_logged
from apps.mlflow_api.errors import INVALID, MlflowError
from apps.mlflow_api.registry_names import shown_name, versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from django.db.models import QuerySet

    from apps.experiments.models import Experiment, LoggedModel, Run
    from apps.mlflow_api.caller import Caller

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
SCHEME = "mlflow-artifacts:/"

Fields = dict[str, Any]


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970, UTC."""
    return (moment - EPOCH) // MILLISECOND


def moment(given: int | None, name: str) -> datetime | None:
    """Read milliseconds since 1970.

    Raises:
        MlflowError: no calendar has this moment.
    """
    if given is None:
        return None
    try:
        return EPOCH + given * MILLISECOND
    except OverflowError as error:
        raise MlflowError(
            INVALID, f"Invalid value {given} for parameter '{name}' supplied: no date."
        ) from error


def number(value: float) -> float | str:
    """Write a float so that JSON can hold it."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def artifact_folder(run: Run) -> str:
    """The path under which the artifacts of a run are addressed."""
    return _run_folder(run.experiment_id, run.pk)


def _run_folder(experiment: UUID, run: UUID) -> str:
    return f"{experiment.hex}/{run.hex}/artifacts"


def model_folder(model: LoggedModel) -> str:
    """The path under which the files of a logged model are addressed."""
    return f"{model.experiment_id.hex}/models/{model.public_id}/artifacts"


def experiment_fields(
    caller: Caller, experiments: Iterable[Experiment]
) -> list[Fields]:
    """Tell experiments with their tags, in one query."""
    experiments = list(experiments)
    tags: dict[UUID, list[Fields]] = defaultdict(list)
    keys = [one.pk for one in experiments]
    rows = ExperimentTag.objects.filter(experiment__in=keys).order_by("key")
    for pk, key, value in rows.values_list("experiment_id", "key", "value"):
        tags[pk].append({"key": key, "value": value})
    return [
        {
            "experiment_id": caller.shown_id(one),
            "name": caller.shown_name(one),
            "artifact_location": f"{SCHEME}{one.pk.hex}",
            "lifecycle_stage": _stage(deleted=one.deleted_at is not None),
            "creation_time": milliseconds(one.created_at),
            "last_update_time": milliseconds(one.updated_at),
            "tags": tags[one.pk],
        }
        for one in experiments
    ]


def info_of(run: Run) -> RunInfo:
    """Give what is told of a run that is at hand with its experiment."""
    return RunInfo(
        id=run.pk,
        name=run.name,
        claimed_user=run.claimed_user,
        status=run.status,
        started=milliseconds(run.started_at),
        ended=milliseconds(run.ended_at) if run.ended_at else None,
        is_deleted=run.deleted_at is not None,
        experiment=run.experiment_id,
        experiment_name=run.experiment.name,
        project=run.experiment.project_id,
    )


def run_info(caller: Caller, run: RunInfo) -> Fields:
    """Tell what a run is, without what was logged to it."""
    run_id = run.id.hex
    found = {
        "run_id": run_id,
        "run_uuid": run_id,
        "experiment_id": caller.id_of(run.experiment, run.experiment_name, run.project),
        "run_name": run.name,
        "user_id": run.claimed_user,
        "status": run.status,
        "start_time": run.started,
        "artifact_uri": f"{SCHEME}{_run_folder(run.experiment, run.id)}",
        "lifecycle_stage": _stage(deleted=run.is_deleted),
    }
    if run.ended is not None:
        found["end_time"] = run.ended
    return found


def _stage(*, deleted: bool) -> str:
    """Say whether something was put aside, in MLflow's words."""
    return "deleted" if deleted else "active"


def run_fields(caller: Caller, runs: Sequence[RunInfo]) -> list[Fields]:
    """Tell runs with everything that was logged, in one query for all of them."""
    everything = load_logged([run.id for run in runs])
    return [
        {
            "info": run_info(caller, run),
            "data": {
                "metrics": Fragment(logged.metrics),
                "params": Fragment(logged.parameters),
                "tags": Fragment(logged.tags),
            },
            "inputs": {
                "dataset_inputs": [input_fields(one) for one in logged.inputs],
                "model_inputs": [
                    {"model_id": _model_id(one)}
                    for one in logged.models
                    if one["use"] == ModelUse.INPUT
                ],
            },
            "outputs": {
                "model_outputs": [
                    {"model_id": _model_id(one), "step": one["step"]}
                    for one in logged.models
                    if one["use"] == ModelUse.OUTPUT
                ]
            },
        }
        for run, logged in zip(runs, everything, strict=True)
    ]


def logged_model_fields(caller: Caller, models: Sequence[LoggedModel]) -> list[Fields]:
    """Tell logged models with what was logged and registered of them, in four queries.

    Of a metric the newest point on each dataset is told.
    """
    keys = [one.pk for one in models]
    parameters = _by_model(LoggedModelParameter.objects.filter(model__in=keys))
    tags = _by_model(LoggedModelTag.objects.filter(model__in=keys))
    registrations = _registrations(caller, keys)
    metrics: dict[UUID, list[Fields]] = defaultdict(list)
    measured = "model", "key", "dataset_name", "dataset_digest"
    points = LoggedModelMetric.objects.filter(model__in=keys).distinct(*measured)
    for point in points.order_by(*measured, "-timestamp", "-step", "-value"):
        metrics[point.model_id].append(model_point_fields(point))
    return [
        {
            "info": _logged_model_info(caller, one)
            | {"tags": tags[one.pk], "registrations": registrations[one.pk]},
            "data": {"params": parameters[one.pk], "metrics": metrics[one.pk]},
        }
        for one in models
    ]


def model_point_fields(point: LoggedModelMetric) -> Fields:
    """Tell a point that speaks of a logged model."""
    told = point_fields(point.key, point.timestamp, point.step, point.value)
    told |= {"model_id": f"m-{point.model_id.hex}", "run_id": point.run_id.hex}
    if point.dataset_name:
        told["dataset_name"] = point.dataset_name
    if point.dataset_digest:
        told["dataset_digest"] = point.dataset_digest
    return told


def _logged_model_info(caller: Caller, model: LoggedModel) -> Fields:
    found = {
        "model_id": model.public_id,
        "experiment_id": caller.shown_id(model.experiment),
        "name": model.name,
        "creation_timestamp_ms": milliseconds(model.created_at),
        "last_updated_timestamp_ms": milliseconds(model.updated_at),
        "artifact_uri": f"{SCHEME}{model_folder(model)}",
        "status": f"LOGGED_MODEL_{model.status}",
        "status_message": model.status_message,
        "model_type": model.model_type,
    }
    if model.source_run_id:
        found["source_run_id"] = model.source_run_id.hex
    return found


def _registrations(caller: Caller, keys: list[UUID]) -> dict[UUID, list[Fields]]:
    """Name the versions that logged models became, of those that the caller sees."""
    found: dict[UUID, list[Fields]] = defaultdict(list)
    became = versions(caller).filter(logged_model__in=keys)
    large = "manifest", "evaluation_files", "signature", "pickles"
    for version in became.order_by("model__name", "number").defer(*large):
        told = {
            "name": shown_name(caller, version.model),
            "version": str(version.number),
        }
        if version.logged_model_id:
            found[version.logged_model_id].append(told)
    return found


def _by_model(
    rows: QuerySet[LoggedModelParameter] | QuerySet[LoggedModelTag],
) -> dict[UUID, list[Fields]]:
    found: dict[UUID, list[Fields]] = defaultdict(list)
    told = rows.order_by("key").values_list("model_id", "key", "value")
    for pk, key, value in told:
        found[pk].append({"key": key, "value": value})
    return found


def point_fields(key: str, timestamp: int, step: int, value: float) -> Fields:
    """Tell one point of a metric."""
    return {"key": key, "value": number(value), "timestamp": timestamp, "step": step}


def pair_fields(pairs: Iterable[tuple[str, str]]) -> list[Fields]:
    """Tell parameters or tags."""
    return [{"key": key, "value": value} for key, value in pairs]


def input_fields(used: dict[str, Any]) -> Fields:
    """Tell which data a run says it used."""
    dataset = {name: used[name] for name in ("name", "digest", "source_type", "source")}
    optional = {name: used[name] for name in ("schema", "profile") if used[name]}
    return {"dataset": dataset | optional, "tags": pair_fields(used["tags"].items())}


def _model_id(used: dict[str, Any]) -> str:
    return f"m-{used['model_id'].replace('-', '')}"
