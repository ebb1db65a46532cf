"""Experiments and runs as MLflow's clients read them."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from apps.experiments.models import (
    DatasetInput,
    ExperimentTag,
    LatestMetric,
    Parameter,
    RunTag,
)
from apps.mlflow_api.errors import INVALID, MlflowError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.db.models import Model

    from apps.experiments.models import Experiment, Run
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
    return f"{run.experiment_id.hex}/{run.pk.hex}/artifacts"


def experiment_fields(caller: Caller, experiments: Iterable[Experiment]) -> list[Fields]:
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
            "lifecycle_stage": stage(one),
            "creation_time": milliseconds(one.created_at),
            "last_update_time": milliseconds(one.updated_at),
            "tags": tags[one.pk],
        }
        for one in experiments
    ]


def stage(thing: Experiment | Run) -> str:
    """Say whether something was put aside, in MLflow's words."""
    return "deleted" if thing.deleted_at else "active"


def run_info(caller: Caller, run: Run) -> Fields:
    """Tell what a run is, without what was logged to it."""
    found = {
        "run_id": run.pk.hex,
        "run_uuid": run.pk.hex,
        "experiment_id": caller.shown_id(run.experiment),
        "run_name": run.name,
        "user_id": run.claimed_user,
        "status": run.status,
        "start_time": milliseconds(run.started_at),
        "artifact_uri": f"{SCHEME}{artifact_folder(run)}",
        "lifecycle_stage": stage(run),
    }
    if run.ended_at:
        found["end_time"] = milliseconds(run.ended_at)
    return found


def run_fields(caller: Caller, runs: Sequence[Run]) -> list[Fields]:
    """Tell runs with everything that was logged, in four queries for all of them."""
    metrics, parameters = _metrics(runs), _pairs(Parameter, runs)
    tags, inputs = _pairs(RunTag, runs), _inputs(runs)
    return [
        {
            "info": run_info(caller, run),
            "data": {
                "metrics": metrics[run.pk],
                "params": parameters[run.pk],
                "tags": tags[run.pk],
            },
            "inputs": {"dataset_inputs": inputs[run.pk]},
        }
        for run in runs
    ]


def point_fields(key: str, timestamp: int, step: int, value: float) -> Fields:
    """Tell one point of a metric."""
    return {"key": key, "value": number(value), "timestamp": timestamp, "step": step}


def _metrics(runs: Sequence[Run]) -> Mapping[UUID, list[Fields]]:
    found: dict[UUID, list[Fields]] = defaultdict(list)
    rows = LatestMetric.objects.filter(run__in=[run.pk for run in runs])
    columns = rows.order_by("run_id", "key").values_list(
        "run_id", "key", "timestamp", "step", "value"
    )
    for pk, *point in columns:
        found[pk].append(point_fields(*point))
    return found


def _pairs(model: type[Model], runs: Sequence[Run]) -> Mapping[UUID, list[Fields]]:
    found: dict[UUID, list[Fields]] = defaultdict(list)
    rows = model._default_manager.filter(run__in=[run.pk for run in runs])
    for pk, key, value in rows.order_by("run_id", "key").values_list(
        "run_id", "key", "value"
    ):
        found[pk].append({"key": key, "value": value})
    return found


def _inputs(runs: Sequence[Run]) -> Mapping[UUID, list[Fields]]:
    found: dict[UUID, list[Fields]] = defaultdict(list)
    rows = DatasetInput.objects.filter(run__in=[run.pk for run in runs])
    for one in rows.order_by("pk"):
        dataset = {
            "name": one.name,
            "digest": one.digest,
            "source_type": one.source_type,
            "source": one.source,
        }
        optional = {"schema": one.schema, "profile": one.profile}
        tags = [{"key": key, "value": value} for key, value in one.tags.items()]
        found[one.run_id].append(
            {
                "dataset": dataset | {k: v for k, v in optional.items() if v},
                "tags": tags,
            }
        )
    return found
