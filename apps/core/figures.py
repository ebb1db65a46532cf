"""Figures of the portal: plain numbers in, what `components/figure.html` draws out.

Every figure carries a title, a sentence for readers who cannot see it, and the same
numbers as a table.
"""

from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go

from apps.core.figure_style import (
    COLOURS,
    DIVERGING,
    SHADES,
    Axes,
    Caption,
    Figure,
    Interval,
    Line,
    figure,
    layout_of,
    lines_table,
    reference_trace,
    shares,
    short,
    thin,
    trace_of,
    upright_line,
)

FEW: Final = 10
MARKED: Final = 30

__all__ = [
    "Axes",
    "Caption",
    "Figure",
    "Interval",
    "Line",
    "bars",
    "calibration",
    "correlations",
    "curve",
    "heatmap",
    "intervals",
    "line_history",
    "over_time",
]


def curve(
    caption: Caption,
    lines: Sequence[Line],
    axes: Axes,
    *,
    reference: Line | None = None,
) -> Figure:
    """Draw one or more curves, such as ROC or precision over recall.

    Args:
        caption: names of the figure.
        lines: thinned evenly to `MAX_POINTS` points each, ends kept.
        axes: titles of both axes.
        reference: a grey dashed line to compare with, such as chance.
    """
    thinned = [thin(line) for line in lines]
    traces = [trace_of(line, place) for place, line in enumerate(thinned)]
    if reference:
        traces.append(reference_trace(reference))
    layout = layout_of(axes, legend=len(traces) > 1)
    return figure(caption, traces, layout, lines_table(axes, thinned))


def line_history(caption: Caption, lines: Sequence[Line], axes: Axes) -> Figure:
    """Draw how metrics moved over steps or time; a few points are marked each."""
    thinned = [thin(line) for line in lines]
    longest = max((len(line.x) for line in thinned), default=0)
    mode = "lines+markers" if longest <= MARKED else "lines"
    traces = [trace_of(line, place, mode=mode) for place, line in enumerate(thinned)]
    layout = layout_of(axes, legend=len(traces) > 1)
    places = sorted({x for line in thinned for x in line.x})
    if len(places) <= FEW and all(float(x).is_integer() for x in places):
        # Steps and versions are counted: nothing lies between them.
        layout["xaxis"] |= {"tickmode": "array", "tickvals": places, "tickformat": "d"}
    return figure(caption, traces, layout, lines_table(axes, thinned))


def bars(
    caption: Caption, labels: Sequence[str], values: Sequence[float], axes: Axes
) -> Figure:
    """Draw horizontal bars, the first label on top.

    Args:
        caption: names of the figure.
        labels: one per bar.
        values: lengths, in the unit that `axes.x` names.
        axes: `x` titles the values, `y` the labels (in the table only).
    """
    lengths = [short(value) for value in values]
    trace = go.Bar(
        x=lengths, y=list(labels), orientation="h", marker={"color": COLOURS[0]}
    )
    layout = layout_of(Axes(axes.x, ""))
    layout["bargap"] = 0.6 if len(labels) < FEW / 2 else 0.35
    layout["yaxis"] |= {"autorange": "reversed", "type": "category", "ticks": ""}
    rows = [[label, value] for label, value in zip(labels, lengths, strict=True)]
    return figure(caption, [trace], layout, {"columns": [axes.y, axes.x], "rows": rows})


def heatmap(
    caption: Caption, labels: Sequence[str], counts: Sequence[Sequence[int]], axes: Axes
) -> Figure:
    """Draw a confusion matrix: counts in the cells, shaded by share of their row.

    Args:
        caption: names of the figure.
        labels: of the classes, for rows and columns alike.
        counts: shape (classes, classes); rows are what `axes.y` names.
        axes: such as predicted (x) and actual (y).
    """
    names = list(labels)
    trace = go.Heatmap(
        z=[shares(row) for row in counts],
        text=[[f"{count:,}" for count in row] for row in counts],
        x=names,
        y=names,
        texttemplate="%{text}",
        textfont={"size": 17, "color": "#1b1b1b"},
        hovertemplate=f"{axes.y} %{{y}}, {axes.x} %{{x}}: %{{text}}<extra></extra>",
        colorscale=SHADES,
        zmin=0,
        zmax=1,
        showscale=False,
        xgap=3,
        ygap=3,
    )
    layout = layout_of(axes)
    layout["xaxis"] |= {"type": "category", "showgrid": False, "ticks": ""}
    layout["yaxis"] |= {"type": "category", "showgrid": False, "ticks": ""}
    layout["yaxis"]["autorange"] = "reversed"
    rows = [[name, *row] for name, row in zip(names, counts, strict=True)]
    columns = [f"{axes.y} \\ {axes.x.lower()}", *names]
    return figure(caption, [trace], layout, {"columns": columns, "rows": rows})


def correlations(
    caption: Caption,
    labels: Sequence[str],
    values: Sequence[Sequence[float | None]],
) -> Figure:
    """Draw a square of correlations, blue below zero and orange above.

    Args:
        caption: names of the figure.
        labels: of the columns, for both sides.
        values: shape (columns, columns), in [-1, 1]; `None` is left white.
    """
    names = list(labels)
    numbers = [[None if v is None else round(v, 2) for v in row] for row in values]
    trace = go.Heatmap(
        z=numbers,
        x=names,
        y=names,
        texttemplate="%{z:.2f}" if len(names) < FEW else None,
        textfont={"color": "#1b1b1b"},
        hovertemplate="%{y}, %{x}: %{z:.2f}<extra></extra>",
        colorscale=DIVERGING,
        zmin=-1,
        zmax=1,
        # A colour bar writes a style attribute, which our content policy refuses.
        showscale=False,
        xgap=1,
        ygap=1,
    )
    layout = layout_of(Axes("", ""))
    layout["xaxis"] |= {"type": "category", "showgrid": False, "ticks": ""}
    layout["yaxis"] |= {"type": "category", "showgrid": False, "ticks": ""}
    layout["yaxis"]["autorange"] = "reversed"
    rows = [[name, *row] for name, row in zip(names, numbers, strict=True)]
    return figure(
        caption, [trace], layout, {"columns": ["Column", *names], "rows": rows}
    )


def over_time(
    caption: Caption, dates: Sequence[str], counts: Sequence[int], axes: Axes
) -> Figure:
    """Draw counts by period, so that gaps are seen.

    Args:
        caption: names of the figure.
        dates: ISO dates on which periods begin, evenly apart.
        counts: one per period.
        axes: `x` names the periods, `y` what is counted.
    """
    trace = go.Scatter(
        x=list(dates),
        y=list(counts),
        mode="lines",
        line={"color": COLOURS[0], "width": 2, "shape": "hvh"},
        fill="tozeroy",
        fillcolor="rgba(0, 94, 162, 0.15)",
    )
    layout = layout_of(axes)
    layout["xaxis"] |= {"type": "date"}
    layout["yaxis"] |= {"rangemode": "tozero"}
    rows = [[date, count] for date, count in zip(dates, counts, strict=True)]
    return figure(caption, [trace], layout, {"columns": list(axes), "rows": rows})


def calibration(
    caption: Caption,
    predicted: Sequence[float],
    observed: Sequence[float],
    counts: Sequence[int],
) -> Figure:
    """Draw predicted probability against observed frequency, by bin.

    Args:
        caption: names of the figure.
        predicted: mean prediction of each bin, ratio.
        observed: share of positives in each bin, ratio.
        counts: rows in each bin; larger bins get larger marks.
    """
    axes = Axes("Predicted probability", "Observed frequency")
    line = Line("Model", [short(x) for x in predicted], [short(y) for y in observed])
    trace = trace_of(line, 0, mode="lines+markers")
    trace["marker"]["opacity"] = 1
    trace["marker"]["size"] = [round(7 + 15 * share) for share in shares(counts)]
    traces = [trace, reference_trace(Line("Perfect", [0, 1], [0, 1]))]
    layout = layout_of(axes, legend=True)
    layout["xaxis"]["range"] = layout["yaxis"]["range"] = [-0.03, 1.03]
    rows = [list(row) for row in zip(line.x, line.y, counts, strict=True)]
    return figure(caption, traces, layout, {"columns": [*axes, "Rows"], "rows": rows})


def intervals(
    caption: Caption,
    rows: Sequence[Interval],
    axes: Axes,
    *,
    reference: float | None = None,
) -> Figure:
    """Draw a dot with its confidence interval for each group, the first on top.

    Args:
        caption: names of the figure.
        rows: one per group, with `low <= value <= high`.
        axes: `x` titles the values, `y` the groups (in the table only).
        reference: a value to compare with, drawn as an upright line.
    """
    trace = go.Scatter(
        x=[short(row.value) for row in rows],
        y=[row.group for row in rows],
        mode="markers",
        marker={"color": COLOURS[0], "size": 10},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [short(row.high - row.value) for row in rows],
            "arrayminus": [short(row.value - row.low) for row in rows],
            "color": COLOURS[0],
            "thickness": 2,
        },
    )
    layout = layout_of(Axes(axes.x, ""))
    layout["yaxis"] |= {"autorange": "reversed", "type": "category", "ticks": ""}
    if reference is not None:
        layout["shapes"] = [upright_line(reference)]
    columns = [axes.y, axes.x, "From", "To"]
    cells = [[row.group, *map(short, row[1:])] for row in rows]
    return figure(caption, [trace], layout, {"columns": columns, "rows": cells})
