"""The profile of a version as figures."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from apps.core import figures
from apps.core.figures import Axes, Caption

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apps.core.figures import Figure
    from apps.datasets.models import DatasetVersion

MOST_RELATED = 25  # columns drawn; more cannot be told apart
MOST_COVERAGES = 2
_STRONG = 0.5
_WIDEST_NAME = 18


def profile_figures(version: DatasetVersion) -> list[Figure]:
    """Draw how numbers move together, and how times are covered."""
    return [*_coverages(version), *_relations(version.profile.get("correlations"))]


def _relations(found: dict[str, Any] | None) -> Iterator[Figure]:
    if not found:
        return
    names = found["columns"][:MOST_RELATED]
    matrix = [row[:MOST_RELATED] for row in found["pearson"][:MOST_RELATED]]
    yield figures.correlations(
        Caption(
            "correlations",
            "Numbers that move together",
            f"{_strongest(names, matrix)} Pearson's correlation over "
            f"{found['rows']:,} rows.",
        ),
        [_short(name) for name in names],
        matrix,
    )


def _strongest(names: list[str], matrix: list[list[float | None]]) -> str:
    pairs = [
        (abs(value), value, names[a], names[b])
        for a, b in combinations(range(len(names)), 2)
        if (value := matrix[a][b]) is not None
    ]
    if not pairs or max(pairs)[0] < _STRONG:
        return "No two columns are closely related."
    _, value, first, second = max(pairs)
    return f"Closest are {first} and {second} ({value:+.2f})."


def _short(name: str) -> str:
    return name if len(name) <= _WIDEST_NAME else f"{name[: _WIDEST_NAME - 1]}…"


def _coverages(version: DatasetVersion) -> Iterator[Figure]:
    covered = [c for c in version.profile.get("columns", []) if c.get("coverage")]
    for place, column in enumerate(covered[:MOST_COVERAGES]):
        coverage = column["coverage"]
        empty, period = coverage["empty"], coverage["period"]
        gaps = f"{empty} without any" if empty else "none without rows"
        yield figures.over_time(
            Caption(
                f"coverage-{place}",
                f"Rows over time by {column['name']}",
                f"From {coverage['first'][:10]} to {coverage['last'][:10]} in "
                f"{len(coverage['counts'])} periods of a {period}, {gaps}.",
            ),
            coverage["starts"],
            coverage["counts"],
            Axes(column["name"], f"Rows per {period}"),
        )
