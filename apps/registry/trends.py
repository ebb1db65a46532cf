"""How the versions of one model compare, as columns and as a figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.core.figures import Axes, Caption, Figure, Line, line_history
from apps.registry import queries
from engine.spec import MEASURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.registry.models import ModelVersion

# The mission first; the others by how much they say about a task.
KEY_MEASURES = (
    "mission_cost_per_1000",
    "roc_auc",
    "recall",
    "precision",
    "balanced_accuracy",
    "macro_f1",
    "rmse",
    "r2",
)
MOST_COLUMNS = 3
FEWEST_POINTS = 2


@dataclass(frozen=True)
class Comparison:
    """Measures on held-out rows, by version.

    Attributes:
        titles: of the columns.
        rows: each version with its values, in the order of the titles.
        figure: the first measure over the versions; None for less than two points.
    """

    titles: list[str]
    rows: list[tuple[ModelVersion, list[float | None]]]
    figure: Figure | None


def compare(versions: Sequence[ModelVersion]) -> Comparison:
    """Compare `versions`, newest first, by what is measured for most of them."""
    found = queries.final_metrics(
        (version.run_id for version in versions if version.run_id),
        [f"test.{slug}" for slug in KEY_MEASURES],
    )
    known = {key for metrics in found.values() for key in metrics}
    slugs = [s for s in KEY_MEASURES if f"test.{s}" in known][:MOST_COLUMNS]
    rows = [
        (version, [measured.get(f"test.{s}") for s in slugs])
        for version in versions
        for measured in [found.get(version.run_id, {}) if version.run_id else {}]
    ]
    titles = [MEASURES[slug].title for slug in slugs]
    return Comparison(titles, rows, _figure(slugs, rows))


def _figure(
    slugs: list[str], rows: list[tuple[ModelVersion, list[float | None]]]
) -> Figure | None:
    points = [
        (version.number, values[0])
        for version, values in reversed(rows)
        if values and values[0] is not None
    ]
    if len(points) < FEWEST_POINTS:
        return None
    measure = MEASURES[slugs[0]]
    caption = Caption(
        "trend",
        f"{measure.title} by version",
        f"On rows held out from training; {measure.better} is better. Version "
        f"{points[-1][0]} has {points[-1][1]:.4g}, version {points[0][0]} had "
        f"{points[0][1]:.4g}.",
    )
    numbers, values = zip(*points, strict=True)
    return line_history(
        caption, [Line(measure.title, numbers, values)], Axes("Version", measure.title)
    )
