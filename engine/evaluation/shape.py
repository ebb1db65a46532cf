"""The one shape in which every family of checks is left in a result."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.folder import Json
from engine.spec import CHECKS, FAMILIES

MOST_ROWS = 200
MOST_POINTS = 200
MOST_TEXT = 120


class NotTested(Exception):
    """The data or the model do not allow a family; the message says why."""


@dataclass(frozen=True)
class Figure:
    """One number; NaN is one that could not be computed."""

    slug: str
    title: str
    value: float
    unit: str
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Family:
    """What one family of checks found.

    Attributes:
        summary: one or two plain sentences.
        not_tested: why nothing was computed; empty when something was.
    """

    slug: str
    summary: str
    not_tested: str = ""
    figures: Sequence[Figure] = ()
    tables: Sequence[Json] = ()
    curves: Sequence[Json] = field(default_factory=list)

    def to_json(self) -> Json:
        """Return the entry of `result["families"]`."""
        return {
            "slug": self.slug,
            "title": FAMILIES[self.slug],
            "summary": self.summary,
            "not_tested": self.not_tested,
            "figures": [vars(figure) for figure in self.figures],
            "tables": list(self.tables),
            "curves": list(self.curves),
        }


def figure(
    slug: str, value: float, low: float = math.nan, high: float = math.nan
) -> Figure:
    """Make the figure of a check of the catalogue."""
    kind = CHECKS[slug]
    return Figure(slug, kind.title, float(value), kind.unit, float(low), float(high))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Json:
    """Make a table of at most `MOST_ROWS` rows, texts cut to `MOST_TEXT` signs."""
    kept = [[_cell(value) for value in row] for row in rows[:MOST_ROWS]]
    return {"title": title, "columns": list(columns), "rows": kept}


def curve(title: str, x: str, y: str, lines: Sequence[Json]) -> Json:
    """Make a curve of lines, each of `line`."""
    return {"title": title, "x": x, "y": y, "lines": list(lines)}


def line(name: str, x: Sequence[float], y: Sequence[float]) -> Json:
    """Make one line of at most `MOST_POINTS` points, spread evenly over those given."""
    count = min(len(x), MOST_POINTS)
    places = np.unique(np.linspace(0, max(len(x) - 1, 0), count).round().astype(int))
    xs, ys = (
        [float(x[place]) for place in places],
        [float(y[place]) for place in places],
    )
    return {"name": str(name)[:MOST_TEXT], "x": xs, "y": ys}


def _cell(value: Any) -> str | float | int | None:
    if isinstance(value, str):
        return value[:MOST_TEXT]
    if value is None or isinstance(value, int):
        return value
    return float(value)
