"""Runs as people compare them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Count, Max, QuerySet

from apps.core.errors import Invalid
from apps.experiments.models import Experiment, Metric, Run
from engine.spec import MEASURES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FEWEST_COMPARED = 2
MOST_COMPARED = 5
MOST_MAIN_KEYS = 4
HELD_OUT, VALIDATION, BASELINE = "test", "validation", "baseline"
PARTS = (HELD_OUT, VALIDATION, BASELINE)
_PLACES = {slug: place for place, slug in enumerate(MEASURES)}

Values = dict[str, float]


def with_run_counts(experiments: QuerySet[Experiment]) -> QuerySet[Experiment]:
    """Add `run_count` and `last_recorded_at` to each experiment."""
    return experiments.annotate(
        run_count=Count("runs"), last_recorded_at=Max("runs__recorded_at")
    )


def latest_metrics(runs: Iterable[Run]) -> dict[UUID, Values]:
    """Find the last value of every metric of each run, in one query."""
    points = (
        Metric.objects.filter(run__in=[run.pk for run in runs])
        .order_by("run_id", "key", "-step")
        .distinct("run_id", "key")
        .values_list("run_id", "key", "value")
    )
    found: dict[UUID, Values] = defaultdict(dict)
    for run_id, key, value in points:
        found[run_id][key] = value
    return found


def metric_title(key: str) -> str:
    """Name a metric as people know it: `test.recall` becomes "Recall"."""
    part, _, slug = key.rpartition(".")
    if slug not in MEASURES or part not in ("", *PARTS):
        return key
    title = MEASURES[slug].title
    return title if part in ("", HELD_OUT) else f"{title} ({part})"


def is_improvement(key: str, value: float, than: float) -> bool | None:
    """Say whether `value` is better; None when nobody said which way is better."""
    measure = MEASURES.get(key.rpartition(".")[2])
    if measure is None:
        return None
    return value > than if measure.better == "higher" else value < than


def main_keys(values: Iterable[Values]) -> list[str]:
    """Choose the metrics worth a column: held-out measures first, known before own."""
    keys = {key for some in values for key in some}
    others = {BASELINE, VALIDATION}
    wanted = {key for key in keys if key.partition(".")[0] not in others} or keys
    return sorted(wanted, key=_importance)[:MOST_MAIN_KEYS]


def _importance(key: str) -> tuple[bool, int, str]:
    place = _PLACES.get(key.rpartition(".")[2], len(_PLACES))
    return (not key.startswith(f"{HELD_OUT}."), place, key)


@dataclass(frozen=True)
class Cell:
    """A value in a table of runs.

    Args:
        value: None when the run does not have it.
        share: of the largest value beside it, 0 to 1, for a small bar.
        is_best: no other run does better.
    """

    value: float | None
    share: float = 0.0
    is_best: bool = False


def metric_cells(key: str, values: Sequence[Values]) -> list[Cell]:
    """Set the values of one metric beside one another, one per run."""
    known = [some[key] for some in values if key in some]
    largest = max([abs(value) for value in known], default=0) or 1
    return [
        Cell(some[key], max(some[key], 0) / largest, _is_best(key, some[key], known))
        if key in some
        else Cell(None)
        for some in values
    ]


def _is_best(key: str, value: float, known: list[float]) -> bool:
    answers = [is_improvement(key, other, value) for other in known]
    return len(set(known)) > 1 and all(answer is False for answer in answers)


@dataclass(frozen=True)
class RunRow:
    """A run in the table of its experiment."""

    run: Run
    cells: list[Cell]


def run_table(runs: Sequence[Run]) -> tuple[list[str], list[RunRow]]:
    """Set runs beside their main metrics.

    Returns:
        Keys of the columns, and a row for each run with a cell for each key.
    """
    latest = latest_metrics(runs)
    values = [latest.get(run.pk, {}) for run in runs]
    keys = main_keys(values)
    columns = [metric_cells(key, values) for key in keys]
    rows = [
        RunRow(run, [column[place] for column in columns])
        for place, run in enumerate(runs)
    ]
    return keys, rows


@dataclass(frozen=True)
class Line:
    """One parameter or metric across the compared runs."""

    key: str
    cells: list[Any]
    differs: bool


@dataclass(frozen=True)
class Comparison:
    """Some runs side by side; what differs comes first."""

    runs: list[Run]
    parameters: list[Line]
    metrics: list[Line]
    main_keys: list[str]


def chosen_runs(runs: QuerySet[Run], ids: Sequence[str]) -> list[Run]:
    """Take the runs to compare, in the order they were chosen.

    Raises:
        Invalid: fewer than two or more than five are there.
    """
    wanted = list(dict.fromkeys(filter(None, map(_uuid, ids))))
    found = runs.in_bulk(wanted[: MOST_COMPARED + 1])
    if not FEWEST_COMPARED <= len(found) <= MOST_COMPARED:
        raise Invalid(
            f"Choose {FEWEST_COMPARED} to {MOST_COMPARED} runs of this experiment."
        )
    return [found[key] for key in wanted if key in found]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def comparison(runs: list[Run]) -> Comparison:
    """Set the parameters and metrics of `runs` side by side."""
    parameters = [dict(run.parameters.values_list("key", "value")) for run in runs]
    latest = latest_metrics(runs)
    metrics = [latest.get(run.pk, {}) for run in runs]
    keys = sorted({key for some in metrics for key in some}, key=_importance)
    lines = [Line(key, metric_cells(key, metrics), True) for key in keys]
    return Comparison(runs, _parameter_lines(parameters), lines, main_keys(metrics))


def _parameter_lines(parameters: list[dict[str, str]]) -> list[Line]:
    keys = sorted({key for some in parameters for key in some})
    rows = [(key, [some.get(key) for some in parameters]) for key in keys]
    lines = [Line(key, cells, len(set(cells)) > 1) for key, cells in rows]
    return sorted(lines, key=lambda line: not line.differs)
