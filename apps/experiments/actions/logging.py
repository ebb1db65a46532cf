"""What is logged to a run while it happens, in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection, transaction

from apps.access.checks import ensure
from apps.audit.event_types import EventType
from apps.audit.record import record
from apps.core.errors import Invalid
from apps.experiments import rules
from apps.experiments.actions.checks import (
    LONGEST_VALUE,
    STEP_LIMIT,
    check_key,
    check_text,
    invalid,
    shortened,
)
from apps.experiments.actions.runs import keep_tags
from apps.experiments.actions.segments import count_rows, lock_run, open_segment
from apps.experiments.models import DatasetInput, LoggedModel, Parameter, Run

if TYPE_CHECKING:
    from uuid import UUID

    from apps.accounts.models import User

LONGEST_DATASET = 500
LONGEST_DIGEST = 36
LONGEST_SOURCE_TYPE = 36
LONGEST_TEXT = 16 * 1024 * 1024
CONTEXT_TAG = "mlflow.data.context"

# Points and the newest of each metric in one statement, so that they travel once.
_ADD_METRICS = """
WITH points AS (
    SELECT (%(keys)s::text[])[place] AS key, timestamp, step, value
    FROM unnest(%(places)s::int[], %(timestamps)s::bigint[], %(steps)s::bigint[],
        %(values)s::float8[]) AS given (place, timestamp, step, value)
), added AS (
    INSERT INTO experiments_metric (run_id, key, timestamp, step, value, segment)
    SELECT %(run)s, key, timestamp, step, value, %(segment)s FROM points
    ON CONFLICT DO NOTHING
    RETURNING 1
), kept AS (
    INSERT INTO experiments_latestmetric AS latest
        (run_id, key, timestamp, step, value)
    SELECT DISTINCT ON (key) %(run)s::uuid, key, timestamp, step, value FROM points
    ORDER BY key, step DESC, timestamp DESC, value DESC
    ON CONFLICT (run_id, key) DO UPDATE
    SET timestamp = excluded.timestamp, step = excluded.step, value = excluded.value
    WHERE (latest.step, latest.timestamp, latest.value)
        < (excluded.step, excluded.timestamp, excluded.value)
)
SELECT count(*) FROM added
"""
_ADD_MODEL_METRICS = """
INSERT INTO experiments_loggedmodelmetric (run_id, segment, model_id, key, timestamp,
    step, value, dataset_name, dataset_digest)
SELECT %s, %s, model, key, timestamp, step, value, name, digest
FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::bigint[], %s::float8[],
    %s::text[], %s::text[])
    AS points (model, key, timestamp, step, value, name, digest)
ON CONFLICT DO NOTHING
"""
_ADD_PARAMETERS = """
INSERT INTO experiments_parameter (run_id, key, value, segment)
SELECT %s, key, value, %s FROM unnest(%s::text[], %s::text[]) AS given (key, value)
ON CONFLICT DO NOTHING
"""


class LoggedPoint(NamedTuple):
    """A figure, measured at a time (milliseconds since 1970, UTC) in a step."""

    key: str
    timestamp: int
    step: int
    value: float


class ModelPoint(NamedTuple):
    """A point of the run that speaks of a logged model, measured on some data.

    The names of a dataset may be empty.
    """

    model: UUID
    point: LoggedPoint
    dataset_name: str = ""
    dataset_digest: str = ""


class LoggedDataset(NamedTuple):
    """Data that a run says it used."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str = ""
    profile: str = ""
    tags: Mapping[str, str] = {}  # never written to


@dataclass(frozen=True)
class LogBatch:
    """What is added to a run at once, all of it or nothing.

    Args:
        metrics: points of the run.
        model_metrics: those of them that speak of a model of the same project.
        parameters: keys and values.
        tags: words about the run.
    """

    metrics: Sequence[LoggedPoint] = ()
    model_metrics: Sequence[ModelPoint] = ()
    parameters: Sequence[tuple[str, str]] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


class ParameterChanged(Invalid):
    """A parameter has another value already, and parameters never change."""


@transaction.atomic
def log_batch(*, run: Run, batch: LogBatch, by: User) -> Run:
    """Add points, parameters and tags to a run; what it has already changes nothing.

    Points and parameters are counted in the open segment, and the trail is told of
    them when it ends. Tags can change, so the trail is told at once.

    Raises:
        Invalid: something cannot be kept.
        ParameterChanged: nothing of the batch was kept.
        Refused: only who may record runs; or the run was recorded whole.
        WrongState: it is deleted.
    """
    parameters = _checked(batch)
    run = lock_run(run)
    ensure(rules.can_log_batch(by, run))
    segment = open_segment(run, by)
    count_rows(
        segment,
        metrics=add_metrics(run, batch.metrics, segment.number),
        model_metrics=_add_model_metrics(run, batch.model_metrics, segment.number),
        parameters=_add_parameters(run, parameters, segment.number),
        by=by,
    )
    if batch.tags:
        keep_tags(run, batch.tags, by)
    return run


@transaction.atomic
def log_inputs(*, run: Run, datasets: Sequence[LoggedDataset], by: User) -> Run:
    """Keep which data a run says it used; each name and digest once.

    Raises:
        Invalid: something is empty or too long.
        Refused: only who may record runs; or the run was recorded whole.
        WrongState: it is deleted.
    """
    for each in datasets:
        check_dataset(each)
    run = lock_run(run)
    ensure(rules.can_log_inputs(by, run))
    known = set(run.dataset_inputs.values_list("name", "digest"))
    new = {
        (one.name, one.digest): one
        for one in datasets
        if (one.name, one.digest) not in known
    }
    DatasetInput.objects.bulk_create(
        DatasetInput(
            run=run,
            context=one.tags.get(CONTEXT_TAG),
            **one._replace(tags=dict(one.tags))._asdict(),
        )
        for one in new.values()
    )
    if new:
        record(
            EventType.RUN_INPUTS_LOGGED,
            target=run,
            project=run.project,
            by=by,
            changes={"datasets": [[name, digest] for name, digest in new]},
        )
    return run


def _checked(batch: LogBatch) -> dict[str, str]:
    """Check points and parameters; give parameters by key."""
    check_points(batch.metrics)
    for each in batch.model_metrics:
        for text, longest in (
            (each.dataset_name, LONGEST_DATASET),
            (each.dataset_digest, LONGEST_DIGEST),
        ):
            check_text("dataset_name", text, longest, may_be_empty=True)
    parameters: dict[str, str] = {}
    for key, value in batch.parameters:
        check_key("params", key)
        check_text("params", value, LONGEST_VALUE, may_be_empty=True)
        if parameters.setdefault(key, value) != value:
            sentence = f"Duplicate parameter keys have been submitted: {key}."
            raise invalid("params", sentence)
    return parameters


def add_metrics(run: Run, points: Sequence[LoggedPoint], segment: int) -> int:
    """Add points to a locked run and keep the newest; say how many were new."""
    if not points:
        return 0
    keys, timestamps, steps, values = zip(*points, strict=True)
    places = {key: place for place, key in enumerate(dict.fromkeys(keys), 1)}
    with connection.cursor() as cursor:
        cursor.execute(
            _ADD_METRICS,
            {
                "run": run.pk,
                "segment": segment,
                "keys": list(places),
                "places": _array(places[key] for key in keys),
                "timestamps": _array(timestamps),
                "steps": _array(steps),
                "values": _array(values),
            },
        )
        return int(cursor.fetchone()[0])


def _array(numbers: Iterable[float]) -> str:
    """Write numbers as Postgres reads an array, many times quicker than the driver."""
    return f"{{{','.join(map(repr, numbers))}}}"


def _add_model_metrics(run: Run, points: Sequence[ModelPoint], segment: int) -> int:
    if not points:
        return 0
    asked = {each.model for each in points}
    models = LoggedModel.objects.active().filter(pk__in=asked)
    if models.filter(experiment__project=run.project).count() < len(asked):
        raise invalid("model_id", "A model is deleted, or of another project.")
    columns = zip(
        *(
            (one.model, *one.point, one.dataset_name, one.dataset_digest)
            for one in points
        ),
        strict=True,
    )
    with connection.cursor() as cursor:
        cursor.execute(_ADD_MODEL_METRICS, [run.pk, segment, *map(list, columns)])
        return int(cursor.rowcount)


def _add_parameters(run: Run, given: Mapping[str, str], segment: int) -> int:
    if not given:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            _ADD_PARAMETERS, [run.pk, segment, list(given), list(given.values())]
        )
        added = int(cursor.rowcount)
    if added < len(given):
        _refuse_changes(run, given)
    return added


def _refuse_changes(run: Run, given: Mapping[str, Any]) -> None:
    kept = Parameter.objects.filter(run=run, key__in=list(given)).order_by("key")
    for key, value in kept.values_list("key", "value"):
        if given[key] != value:
            raise ParameterChanged(
                f"Changing param values is not allowed. Param with key='{key}' of run "
                f"{run.pk.hex} is {shortened(value)!r} and cannot become "
                f"{shortened(given[key])!r}; nothing of this call was kept.",
                fields={"params": f"{key} has another value already."},
            )


def check_points(points: Sequence[LoggedPoint]) -> None:
    """Take points that can be kept.

    Raises:
        Invalid: a key or a number of them cannot.
    """
    for key in dict.fromkeys(point.key for point in points):
        check_key("metrics", key)
    for key, timestamp, step, _ in points:
        if not (
            -STEP_LIMIT <= step < STEP_LIMIT and -STEP_LIMIT <= timestamp < STEP_LIMIT
        ):
            raise invalid(
                "metrics", f"Step or timestamp of metric {key} is out of range."
            )


def check_dataset(dataset: LoggedDataset) -> None:
    """Take a dataset that can be kept.

    Raises:
        Invalid: something about it cannot.
    """
    check_text("dataset.name", dataset.name, LONGEST_DATASET)
    check_text("dataset.digest", dataset.digest, LONGEST_DIGEST)
    check_text("dataset.source_type", dataset.source_type, LONGEST_SOURCE_TYPE)
    check_text("dataset.source", dataset.source, LONGEST_TEXT)
    check_text("dataset.schema", dataset.schema, LONGEST_TEXT, may_be_empty=True)
    check_text("dataset.profile", dataset.profile, LONGEST_TEXT, may_be_empty=True)
    for key, value in dataset.tags.items():
        check_text("tags", key, LONGEST_DATASET)
        check_text("tags", value, LONGEST_DATASET, may_be_empty=True)
