"""What a run shows before its numbers: figures, and the numbers that count."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from apps.core.figures import (
    Axes,
    Caption,
    Figure,
    Line,
    bars,
    curve,
)
from apps.core.templatetags.portal import number
from apps.experiments.queries import (
    BASELINE,
    HELD_OUT,
    PARTS,
    is_improvement,
    main_keys,
    metric_title,
)
from engine.spec import MEASURES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from apps.experiments.models import Run
    from apps.experiments.queries import Values


def latest_values(run: Run) -> Values:
    """Read the newest value of each metric; it may be infinite or not a number."""
    return dict(run.latest_metrics.values_list("key", "value"))


def finite(values: Values) -> Values:
    """Leave out what can neither be compared nor drawn."""
    return {key: value for key, value in values.items() if math.isfinite(value)}


def key_figures(values: Values) -> list[dict[str, Any]]:
    """Show the main metrics large, each against its baseline where there is one."""
    return [_key_figure(key, values) for key in main_keys([values])]


def _key_figure(key: str, values: Values) -> dict[str, Any]:
    shown = {"label": metric_title(key), "value": number(values[key], 3)}
    baseline = values.get(key.replace(HELD_OUT, BASELINE, 1))
    if baseline is None or not key.startswith(f"{HELD_OUT}."):
        return shown
    better = is_improvement(key, values[key], baseline)
    kinds = {True: "success", False: "warning", None: "neutral"}
    detail = f"Without a model {number(baseline, 3)}"
    return {**shown, "detail": detail, "kind": kinds[better]}


def measure_rows(values: Values) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Sort metrics into measures by part of the data, and all others.

    Returns:
        Measures with `title` and a value for each part, and others with `key` and
        `value`.
    """
    measures: dict[str, dict[str, Any]] = {}
    others = []
    for key, value in sorted(values.items()):
        part, _, slug = key.rpartition(".")
        if part in PARTS and slug in MEASURES:
            title = MEASURES[slug].title
            measures.setdefault(slug, {"title": title})[part] = value
        else:
            others.append({"key": key, "value": value})
    return [measures[slug] for slug in MEASURES if slug in measures], others


def run_figures(run: Run) -> list[Figure]:
    """Draw what the engine kept: curves, and what the model looks at."""
    kept = run.summary.get("figures") or {}
    drawn = [
        _roc(kept.get("roc")),
        _precision_recall(kept.get("precision_recall")),
        _importance(kept.get("importance")),
    ]
    return [figure for figure in drawn if figure]


def _roc(points: Sequence[Sequence[float]] | None) -> Figure | None:
    if not points:
        return None
    return curve(
        Caption(
            "roc",
            "ROC curve",
            "How many positive rows are found for each share of false alarms; further "
            "above the dotted line is better.",
        ),
        [_line("This run", points)],
        Axes("False alarm rate", "Share found"),
        reference=Line("Chance", [0, 1], [0, 1]),
    )


def _precision_recall(points: Sequence[Sequence[float]] | None) -> Figure | None:
    if not points:
        return None
    return curve(
        Caption(
            "precision-recall",
            "Precision and recall",
            "How many alarms are right, for each share of positive rows found.",
        ),
        [_line("This run", points)],
        Axes("Share found (recall)", "Share of alarms that are right (precision)"),
    )


def _line(name: str, points: Sequence[Sequence[float]]) -> Line:
    return Line(name, [x for x, _ in points], [y for _, y in points])


def _importance(rows: Sequence[Mapping[str, Any]] | None) -> Figure | None:
    if not rows:
        return None
    return bars(
        Caption(
            "importance",
            "What the model looks at",
            f"Shuffling {rows[0]['feature']} costs the most.",
        ),
        [row["feature"] for row in rows],
        [row["mean"] for row in rows],
        Axes("Loss when shuffled", "Feature"),
    )
