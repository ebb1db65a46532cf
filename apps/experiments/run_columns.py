"""Columns of a table of runs: what each is called, and what it holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.experiments.models import LatestMetric, Parameter, RunTag
from apps.experiments.queries import Cell, metric_cells, metric_title, ordered
from apps.experiments.search.completion import written_key
from apps.experiments.search.nodes import Entity, Key, SearchError
from apps.experiments.search.parser import parse_key
from apps.experiments.search.vocabulary import RUNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from django.db.models import Model

    from apps.experiments.models import Run

MOST_COLUMNS = 40
MOST_OFFERED = 200  # of one kind
METRICS_AT_FIRST = 4
PARAMETERS_AT_FIRST = 3
# What is known of each run itself, and how the column is called.
FACTS = {
    "status": "Status",
    "start_time": "Started",
    "duration": "Duration",
    "end_time": "Ended",
    "recorded_by": "Recorded by",
    "user_id": "User, by the client",
    "source": "Source",
    "run_id": "Run ID",
}
FACTS_AT_FIRST = ("status", "start_time", "duration", "recorded_by")
_TABLES: dict[Entity, type[Model]] = {
    Entity.METRIC: LatestMetric,
    Entity.PARAMETER: Parameter,
    Entity.TAG: RunTag,
}
# MLflow's own notes to itself, which nobody wants as a column.
_OWN = "mlflow."

Values = dict[Key, Any]


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        key: what it shows.
        title: as people say it.
    """

    key: Key
    title: str

    @property
    def text(self) -> str:
        """The key as it stands in addresses and filters."""
        return written_key(self.key)

    @property
    def kind(self) -> str:
        """How its cells look: `metrics`, `text`, or the name of a fact."""
        if self.key.entity is Entity.ATTRIBUTE:
            return self.key.name
        return "metrics" if self.key.entity is Entity.METRIC else "text"

    @property
    def is_sortable(self) -> bool:
        """Say whether a search can sort by it."""
        if self.key.entity is Entity.ATTRIBUTE:
            return self.key.name in RUNS.sorted_by
        return self.key.entity in RUNS.free_order


def fact(name: str) -> Column:
    """Give the column of something known of every run."""
    return Column(Key(Entity.ATTRIBUTE, name), FACTS[name])


def logged(entity: Entity, name: str) -> Column:
    """Give the column of a metric, a parameter or a tag."""
    return Column(
        Key(entity, name), metric_title(name) if entity is Entity.METRIC else name
    )


def read_columns(texts: Iterable[str]) -> list[Column]:
    """Read columns as they stand in addresses, each once; nonsense is left out."""
    found: dict[str, Column] = {}
    for text in texts:
        if column := _column(text):
            found.setdefault(column.text, column)
    return list(found.values())[:MOST_COLUMNS]


def _column(text: str) -> Column | None:
    if text in FACTS:
        return fact(text)
    try:
        key = parse_key(text, RUNS)
    except SearchError:
        return None
    return logged(key.entity, key.name) if key.entity in _TABLES else None


def first_columns(keys: Mapping[Entity, Sequence[str]]) -> list[Column]:
    """Choose columns for who has not chosen any."""
    metrics = ordered(keys.get(Entity.METRIC, ()))[:METRICS_AT_FIRST]
    parameters = keys.get(Entity.PARAMETER, ())[:PARAMETERS_AT_FIRST]
    return [
        *map(fact, FACTS_AT_FIRST),
        *(logged(Entity.METRIC, name) for name in metrics),
        *(logged(Entity.PARAMETER, name) for name in parameters),
    ]


def offered_columns(
    keys: Mapping[Entity, Sequence[str]], chosen: Sequence[Column]
) -> list[tuple[str, list[tuple[Column, bool]]]]:
    """Group all columns that can be chosen by kind, each with whether it is."""
    by_kind = {
        "Run": list(map(fact, FACTS)),
        "Metrics": _logged(Entity.METRIC, keys, chosen),
        "Parameters": _logged(Entity.PARAMETER, keys, chosen),
        "Tags": _logged(Entity.TAG, keys, chosen),
    }
    shown = set(chosen)
    return [
        (title, [(column, column in shown) for column in columns])
        for title, columns in by_kind.items()
        if columns
    ]


def _logged(
    entity: Entity, keys: Mapping[Entity, Sequence[str]], chosen: Sequence[Column]
) -> list[Column]:
    names = [key for key in keys.get(entity, ()) if not key.startswith(_OWN)]
    names = ordered(names) if entity is Entity.METRIC else names
    chosen_names = [one.key.name for one in chosen if one.key.entity is entity]
    every = dict.fromkeys([*chosen_names, *names[:MOST_OFFERED]])
    return [logged(entity, name) for name in every]


def load_values(runs: Sequence[UUID], columns: Sequence[Column]) -> dict[UUID, Values]:
    """Read what runs hold for some columns, in one query for each kind."""
    found: dict[UUID, Values] = {run: {} for run in runs}
    for entity, table in _TABLES.items():
        names = [one.key.name for one in columns if one.key.entity is entity]
        if not names:
            continue
        rows = table._default_manager.filter(run__in=runs, key__in=names)
        for run, key, value in rows.values_list("run_id", "key", "value"):
            found[run][Key(entity, key)] = value
    return found


def cells_of(
    column: Column, runs: Sequence[Run], values: Mapping[UUID, Values]
) -> list[Any]:
    """Give what a column shows of each run."""
    held = [values[run.pk].get(column.key) for run in runs]
    if column.kind == "metrics":
        return _numbers(column.key.name, held)
    if column.key.entity is not Entity.ATTRIBUTE:
        return held
    return [plain_fact(column.key.name, run) for run in runs]


def plain_cell(column: Column, run: Run, held: Values) -> Any:
    """Give what a column holds of one run, without looking at other runs."""
    if column.key.entity is Entity.ATTRIBUTE:
        return plain_fact(column.key.name, run)
    return held.get(column.key)


def _numbers(key: str, held: Sequence[float | None]) -> list[Cell | str]:
    """Set finite numbers beside one another; name the others."""
    finite = [
        {key: value} if value is not None and math.isfinite(value) else {}
        for value in held
    ]
    return [
        str(value) if value is not None and not math.isfinite(value) else cell
        for value, cell in zip(held, metric_cells(key, finite), strict=True)
    ]


def plain_fact(name: str, run: Run) -> Any:
    """Tell one fact of a run; durations in seconds, None while it is not known."""
    match name:
        case "status":
            return run.status
        case "start_time":
            return run.started_at
        case "end_time":
            return run.ended_at
        case "duration":
            ended = run.ended_at
            return (ended - run.started_at).total_seconds() if ended else None
        case "recorded_by":
            return run.recorded_by.full_name
        case "user_id":
            return run.claimed_user
        case "source":
            return run.get_source_display()
    return run.pk.hex
