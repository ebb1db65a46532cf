"""The families of checks of a finished report, as its page shows them."""

from __future__ import annotations

from typing import Any

from django.template.defaultfilters import filesizeformat

from apps.core import figures
from apps.core.figures import Axes, Caption, Figure, Line
from apps.validation.reading import Json, Measured, said, span

# What the page shows in parts of its own.
SHOWN_APART = frozenset({"performance", "champion", "mission"})
DRAWN_APART = frozenset({"calibration"})


def family_sections(report: Measured, *, every: bool = False) -> list[dict[str, Any]]:
    """List the families that have no part of their own; none for old reports.

    Args:
        report: finished.
        every: those with a part of their own too, without the curves of that part.

    Returns:
        `slug`, `title`, `summary`, `not_tested`, `figures`, `tables` and `curves`.
    """
    return [
        {
            "slug": family["slug"],
            "title": family["title"],
            "summary": family["summary"],
            "not_tested": family["not_tested"],
            "figures": [_figure(one) for one in family["figures"]],
            "tables": [_table(one) for one in family["tables"]],
            "curves": [
                _curve(f"{family['slug']}-{place}", one)
                for place, one in enumerate(family["curves"])
                if family["slug"] not in DRAWN_APART | SHOWN_APART
            ],
        }
        for family in report.result.get("families", [])
        if every or family["slug"] not in SHOWN_APART
    ]


def _figure(one: Json) -> dict[str, str]:
    return {
        "title": one["title"],
        "value": _in_unit(one["value"], one["unit"]),
        "interval": span(one["low"], one["high"]) or "–",
    }


def _in_unit(value: float | None, unit: str) -> str:
    if value is None:
        return said(value)
    if unit == "yes_no":
        return "Yes" if value else "No"
    if unit == "bytes":
        return filesizeformat(value)
    return f"{said(value)} ms" if unit == "milliseconds" else said(value)


def _table(one: Json) -> dict[str, Any]:
    rows = [[_cell(value) for value in row] for row in one["rows"]]
    return {"title": one["title"], "columns": one["columns"], "rows": rows}


def _cell(value: object) -> str:
    return value if isinstance(value, str) else said(value)


def _curve(name: str, one: Json) -> Figure:
    """Draw lines, or bars where each line is a single point."""
    axes = Axes(one["x"], one["y"])
    summary = f"{one['y']} by {one['x']}."
    caption = Caption(f"family-{name}", one["title"], summary)
    if all(len(line["x"]) == 1 for line in one["lines"]):
        labels = [line["name"] for line in one["lines"]]
        values = [line["y"][0] for line in one["lines"]]
        return figures.bars(caption, labels, values, Axes(one["y"], one["x"]))
    lines = [Line(line["name"], line["x"], line["y"]) for line in one["lines"]]
    return figures.curve(caption, lines, axes)
