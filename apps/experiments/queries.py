"""Runs as people compare them."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from django.db.models import Count, Max, Q, QuerySet

from apps.experiments.models import (
    Experiment,
    LatestMetric,
    LoggedModelMetric,
    Metric,
    Parameter,
    Run,
    RunSource,
)
from engine.spec import MEASURES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from apps.experiments.models import LogSegment

NAN = float("nan")
MOST_MAIN_KEYS = 4
HELD_OUT, VALIDATION, BASELINE = "test", "validation", "baseline"
PARTS = (HELD_OUT, VALIDATION, BASELINE)
SEARCH = "search"
# To Postgres NaN is larger than infinity.
FINITE = Q(value__gt=float("-inf"), value__lt=float("inf"))
# What models minimise as they learn; reports do not measure it.
_LOSSES = {
    "validation.log_loss": "Log loss (validation)",
    "training.loss": "Loss (training)",
}
# What the engine counts while it learns; see `engine.live`.
_COUNTED = {
    "validation.log_loss": "Tree",
    "validation.rmse": "Tree",
    "training.loss": "Pass",
}
_MODEL_POINT = (
    "model_id",
    "dataset_name",
    "dataset_digest",
    "key",
    "timestamp",
    "step",
    "value",
)
_PLACES = {slug: place for place, slug in enumerate(MEASURES)}

Values = dict[str, float]


def segment_digest(segment: LogSegment) -> str:
    """Digest the rows of a segment as they are now.

    Returns:
        SHA-256 over one line of JSON for each point (`["metric", key, timestamp, step,
        value]`, the value as the 16 hexadecimal digits of its IEEE 754 double), then
        for each parameter (`["parameter", key, value]`), then for each point that
        speaks of a logged model (`["model metric", model, dataset, its digest, key,
        timestamp, step, value]`), each kind sorted by bytes.
    """
    points = Metric.objects.filter(run=segment.run_id, segment=segment.number)
    parameters = Parameter.objects.filter(run=segment.run_id, segment=segment.number)
    of_models = LoggedModelMetric.objects.filter(
        run=segment.run_id, segment=segment.number
    )
    lines = [
        *sorted(
            _point_line(*each)
            for each in points.values_list("key", "timestamp", "step", "value")
        ),
        *sorted(
            _line("parameter", *each) for each in parameters.values_list("key", "value")
        ),
        *sorted(
            _line("model metric", model.hex, *rest, _double(value))
            for model, *rest, value in of_models.values_list(*_MODEL_POINT)
        ),
    ]
    return hashlib.sha256(b"".join(lines)).hexdigest()


def _point_line(key: str, at: int, step: int, value: float) -> bytes:
    """Write what `_line` would: segments have thousands of points and few keys."""
    return b'["metric",%s,%d,%d,"%s"]\n' % (
        _quoted(key),
        at,
        step,
        _double(value).encode(),
    )


@lru_cache
def _quoted(key: str) -> bytes:
    return json.dumps(key, ensure_ascii=False).encode()


def _line(*words: object) -> bytes:
    return json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _double(value: float) -> str:
    return struct.pack(">d", NAN if math.isnan(value) else value).hex()


def with_run_counts(experiments: QuerySet[Experiment]) -> QuerySet[Experiment]:
    """Add `run_count` and `last_recorded_at` to each experiment."""
    return experiments.annotate(
        run_count=Count("runs"), last_recorded_at=Max("runs__recorded_at")
    )


def last_points(runs: Iterable[Run]) -> dict[UUID, dict[str, tuple[int, float]]]:
    """Find the last step and value of every metric of each run, in one query.

    What is infinite or not a number is left out: it cannot be compared or drawn.
    """
    points = LatestMetric.objects.filter(
        FINITE, run__in=[run.pk for run in runs]
    ).values_list("run_id", "key", "step", "value")
    found: dict[UUID, dict[str, tuple[int, float]]] = defaultdict(dict)
    for run_id, key, step, value in points:
        found[run_id][key] = (step, value)
    return found


def latest_metrics(runs: Iterable[Run]) -> dict[UUID, Values]:
    """Find the last value of every metric of each run, in one query."""
    return {
        run_id: {key: value for key, (_, value) in points.items()}
        for run_id, points in last_points(runs).items()
    }


def metric_title(key: str) -> str:
    """Name a metric as people know it: `test.recall` becomes "Recall"."""
    part, _, slug = key.rpartition(".")
    if slug not in MEASURES or part not in ("", *PARTS, SEARCH):
        return _LOSSES.get(key, key)
    title = MEASURES[slug].title
    return title if part in ("", HELD_OUT) else f"{title} ({part})"


def counted_by(key: str, source: str) -> str:
    """Name what the steps of a metric count; whoever else recorded it counts steps."""
    if source != RunSource.TRAINING:
        return "Step"
    return "Trial" if key.startswith(f"{SEARCH}.") else _COUNTED.get(key, "Step")


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
    return ordered(wanted)[:MOST_MAIN_KEYS]


def ordered(keys: Iterable[str]) -> list[str]:
    """Sort metrics: held-out ones first, measures in the order of the catalogue."""
    return sorted(keys, key=_importance)


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
    best = _best(key, known)
    return [
        Cell(some[key], max(some[key], 0) / largest, some[key] == best)
        if key in some
        else Cell(None)
        for some in values
    ]


def _best(key: str, known: list[float]) -> float | None:
    """Find the value that no other beats; None when all are equal or none is better."""
    lower_is_better = is_improvement(key, 0, 1)
    low, high = min(known, default=0), max(known, default=0)
    if lower_is_better is None or low == high:
        return None
    return low if lower_is_better else high
