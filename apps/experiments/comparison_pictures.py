"""Figures of runs side by side: parallel coordinates, scatter, curves and bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.core.figures import Axes, Caption, Line, bars, curve, line_history
from apps.core.figures_many import Point, Scale, parallel, scatter
from apps.experiments.queries import counted_by, metric_title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from apps.core.figures import Figure
    from apps.experiments.comparing import Comparison, Quantity
    from apps.experiments.models import Run

# More names than this do not fit above a figure; the numbers of the columns do.
MOST_NAMED = 5
LONGEST_NAME = 28


def labels(runs: Sequence[Run]) -> list[str]:
    """Name the runs in figures by their place, and by name while there is room.

    Runs may share a name; their place keeps them apart.
    """
    if len(runs) > MOST_NAMED:
        return [f"Run {place}" for place in range(1, len(runs) + 1)]
    return [f"{n}. {run.name[:LONGEST_NAME]}" for n, run in enumerate(runs, start=1)]


def coordinates(
    runs: Sequence[Run], chosen: Sequence[Quantity], best: Sequence[int]
) -> Figure | None:
    """Draw each run as one line through what was chosen; the best stand out."""
    if not chosen:
        return None
    return parallel(
        Caption(
            "compare-parallel",
            "Parallel coordinates",
            "One line is one run, read from top to bottom. Measures stand so that "
            "further right is better.",
        ),
        labels(runs),
        [Scale(one.title, one.values, bool(one.lower_is_better)) for one in chosen],
        best=best,
    )


def cloud(runs: Sequence[Run], x: Quantity, y: Quantity) -> Figure:
    """Draw each run as a point."""
    points = [
        Point(label, str(place), across, up)
        for place, (label, across, up) in enumerate(
            zip(labels(runs), x.values, y.values, strict=True), start=1
        )
        if isinstance(across, float) and isinstance(up, float)
    ]
    return scatter(
        Caption(
            "compare-scatter",
            f"{y.title} by {x.title}",
            f"{len(points)} of {len(runs)} runs have both values.",
        ),
        points,
        Axes(x.title, y.title),
    )


def curves(runs: Sequence[Run]) -> list[Figure]:
    """Lay the ROC and precision-recall curves of the runs over one another."""
    roc, precision = _kept(runs, "roc"), _kept(runs, "precision_recall")
    found = []
    if roc:
        caption = Caption(
            "compare-roc",
            "ROC curves",
            "How many positive rows are found for each share of false alarms; further "
            "above the dotted line is better.",
        )
        chance = Line("Chance", [0, 1], [0, 1])
        axes = Axes("False alarm rate", "Share found")
        found.append(curve(caption, roc, axes, reference=chance))
    if precision:
        caption = Caption(
            "compare-precision-recall",
            "Precision and recall",
            "How many alarms are right, for each share of positive rows found.",
        )
        axes = Axes(
            "Share found (recall)", "Share of alarms that are right (precision)"
        )
        found.append(curve(caption, precision, axes))
    return found


def _kept(runs: Sequence[Run], name: str) -> list[Line]:
    """Take one curve of each run; a run without it keeps its colour free."""
    kept = [(run.summary.get("figures") or {}).get(name) or [] for run in runs]
    if not any(kept):
        return []
    return [
        Line(label, [x for x, _ in points], [y for _, y in points])
        for label, points in zip(labels(runs), kept, strict=True)
    ]


def history(
    runs: Sequence[Run], key: str, found: Mapping[UUID, Sequence[tuple[int, float]]]
) -> Figure | None:
    """Lay one metric over its steps, a line for each run."""
    if not found:
        return None
    lines = [
        Line(label, [x for x, _ in points], [y for _, y in points])
        for run, label in zip(runs, labels(runs), strict=True)
        for points in [found.get(run.pk, [])]
    ]
    title = metric_title(key)
    measured = len(found)
    counts = {counted_by(key, run.source) for run in runs if run.pk in found}
    counted = counts.pop() if len(counts) == 1 else "Step"
    return line_history(
        Caption(
            "compare-history",
            f"{title} by {counted.lower()}",
            f"{measured} of {len(runs)} runs measured it along the way.",
        ),
        lines,
        Axes(counted, title),
    )


def judged(compared: Comparison, key: str) -> Figure:
    """Draw the runs as bars by the metric that says which is best."""
    named = zip(labels(compared.runs), compared.metrics, strict=True)
    shown = [(label, values[key]) for label, values in named if key in values]
    best = [labels(compared.runs)[place] for place in compared.best_by(key)]
    title = metric_title(key)
    return bars(
        Caption(
            "compare-best",
            title,
            f"Best: {', '.join(best)}." if best else "No run is better than another.",
        ),
        [label for label, _ in shown],
        [value for _, value in shown],
        Axes(title, "Run"),
    )
