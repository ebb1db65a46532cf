"""What many runs are and what was logged to them, read at once and by hand.

For a page of runs the ORM takes several times as long: to write the statements, and to
make objects of what is told as numbers and texts.
"""
# ruff: noqa: S608 (names of our own tables and columns, none from outside)

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection

from apps.experiments.models import (
    DatasetInput,
    Experiment,
    LatestMetric,
    Parameter,
    Run,
    RunModel,
    RunTag,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

_ASKED = "FROM unnest(%s::uuid[]) WITH ORDINALITY AS asked(id, place)"
_MILLISECONDS = "floor(extract(epoch FROM {}) * 1000)::bigint"
_INFO = f"""
    SELECT run.id, run.name, run.claimed_user, run.status,
        {_MILLISECONDS.format("run.started_at")},
        {_MILLISECONDS.format("run.ended_at")},
        run.deleted_at IS NOT NULL, held.id, held.name, held.project_id
    {_ASKED}
    JOIN {Run._meta.db_table} AS run ON run.id = asked.id
    JOIN {Experiment._meta.db_table} AS held ON held.id = run.experiment_id
    ORDER BY asked.place
"""


class RunInfo(NamedTuple):
    """What a run is, without what was logged to it.

    Args:
        started: when, in whole milliseconds since 1970, UTC.
        ended: likewise; None while it goes on.
        project: which the experiment belongs to.
    """

    id: UUID
    name: str
    claimed_user: str
    status: str
    started: int
    ended: int | None
    is_deleted: bool
    experiment: UUID
    experiment_name: str
    project: UUID


class Logged(NamedTuple):
    """What one run holds; the first three are JSON, as the database writes it.

    Args:
        metrics: newest points: objects with key, value, timestamp and step. A value
            that no number of JSON can be is a text: NaN, Infinity or -Infinity.
        parameters: objects with key and value.
        tags: objects with key and value.
        inputs: data that it used: rows of `DatasetInput`, oldest first.
        models: logged models that it used or made: rows of `RunModel`, oldest first.
    """

    metrics: str
    parameters: str
    tags: str
    inputs: list[dict[str, Any]]
    models: list[dict[str, Any]]


def load_runs(ids: Sequence[UUID]) -> list[RunInfo]:
    """Read runs in one query; they keep the order of `ids`, less those not there."""
    return [RunInfo(*row) for row in _rows(_INFO, ids)]


def load_logged(runs: Sequence[UUID]) -> list[Logged]:
    """Read what was logged to each run, in one query however many there are.

    Returns:
        One for each id, in the same order; empty for a run that is not there.
    """
    return [
        Logged(metrics, parameters, tags, json.loads(inputs), json.loads(models))
        for metrics, parameters, tags, inputs, models in _rows(_LOGGED, runs)
    ]


def _rows(query: str, ids: Sequence[UUID]) -> list[tuple[Any, ...]]:
    # As one text: the driver takes longer for a list of ids than for all else.
    listed = f"{{{','.join([one.hex for one in ids])}}}"
    with connection.cursor() as cursor:
        cursor.execute(query, [listed])
        return list(cursor.fetchall())


def _json(columns: str, table: str, order: str = "") -> str:
    """Write a list of objects, each with these columns of a row of the run."""
    return f"""
        (SELECT coalesce(json_agg(logged {order}), '[]')::text
        FROM (SELECT {columns} FROM {table} WHERE run_id = asked.id) AS logged)
    """


_LOGGED = f"""
    SELECT {_json("key, value, timestamp, step", LatestMetric._meta.db_table)},
        {_json("key, value", Parameter._meta.db_table)},
        {_json("key, value", RunTag._meta.db_table)},
        {_json("*", DatasetInput._meta.db_table, "ORDER BY id")},
        {_json("*", RunModel._meta.db_table, "ORDER BY id")}
    {_ASKED}
    ORDER BY asked.place
"""
