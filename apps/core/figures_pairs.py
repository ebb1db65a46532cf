"""Figures of two distributions, one laid over the other or beside it."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from apps.core.figure_style import (
    COLOURS,
    Axes,
    Caption,
    Figure,
    figure,
    layout_of,
    shares,
    short,
)

Pair = tuple[tuple[str, Sequence[int]], tuple[str, Sequence[int]]]


def overlaid_histograms(
    caption: Caption, edges: Sequence[Any], pair: Pair, axes: Axes
) -> Figure:
    """Lay two histograms over one another, each as shares of its own rows.

    Args:
        caption: names of the figure.
        edges: of the bins, one more than there are counts; numbers or ISO dates.
        pair: names and counts per bin of both.
        axes: `x` names the values, `y` the shares.
    """
    traces = [
        go.Scatter(
            # A step begins at its edge, so the last one is drawn to the end.
            x=list(edges),
            y=[*drawn, drawn[-1]],
            name=name,
            mode="lines",
            line={"color": COLOURS[place], "width": 2, "shape": "hv", "dash": dash},
            fill="tozeroy",
            fillcolor=fill,
        )
        for place, (dash, fill, (name, drawn)) in enumerate(
            zip(("solid", "dash"), _FILLS, _drawn(pair), strict=True)
        )
    ]
    layout = layout_of(axes, legend=True)
    layout["yaxis"] |= {"tickformat": ".0%", "rangemode": "tozero"}
    columns = ["From", "To", *(name for name, _ in pair)]
    rows = [
        [*edges[place : place + 2], *(counts[place] for _, counts in pair)]
        for place in range(len(edges) - 1)
    ]
    return figure(caption, traces, layout, {"columns": columns, "rows": rows})


def paired_bars(
    caption: Caption, labels: Sequence[str], pair: Pair, axes: Axes
) -> Figure:
    """Draw two bars for each label, each as a share of its own rows.

    Args:
        caption: names of the figure.
        labels: one per pair of bars, the first on top.
        pair: names and counts per label of both.
        axes: `x` names the shares, `y` the labels (in the table only).
    """
    traces = [
        go.Bar(
            x=drawn,
            y=list(labels),
            name=name,
            orientation="h",
            marker={"color": COLOURS[place], "pattern": {"shape": shape}},
        )
        for place, (shape, (name, drawn)) in enumerate(
            zip(("", "/"), _drawn(pair), strict=True)
        )
    ]
    layout = layout_of(Axes(axes.x, ""), legend=True)
    layout["xaxis"]["tickformat"] = ".0%"
    layout["yaxis"] |= {"autorange": "reversed", "type": "category", "ticks": ""}
    layout |= {"barmode": "group", "bargap": 0.3}
    columns = [axes.y, *(name for name, _ in pair)]
    rows = [
        [label, *(counts[place] for _, counts in pair)]
        for place, label in enumerate(labels)
    ]
    return figure(caption, traces, layout, {"columns": columns, "rows": rows})


_FILLS = ("rgba(0, 94, 162, 0.25)", "rgba(192, 86, 0, 0.18)")


def _drawn(pair: Pair) -> list[tuple[str, list[float]]]:
    return [(name, [short(share) for share in shares(c)]) for name, c in pair]
