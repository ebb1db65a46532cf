"""What all figures have in common: their types, colours, fonts, axes and lines.

Colours stay apart for colour-blind readers and hold 3:1 against white; lines differ
in dashes too.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape, unescape
from textwrap import wrap
from typing import Any, Final, NamedTuple, TypedDict

import plotly.graph_objects as go

MAX_POINTS: Final = 101
LONGEST_BESIDE: Final = 45  # characters
COLOURS: Final = ("#005ea2", "#c05600", "#00756f", "#7d4698", "#8b0a03", "#565c65")
SHADES: Final = ((0.0, "#f3f8fc"), (1.0, "#73b3e7"))  # dark text is legible on all
# Blue to white to orange; dark text is legible on all.
DIVERGING: Final = ((0.0, "#58a4dc"), (0.5, "#ffffff"), (1.0, "#f2a25c"))
_DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_INK: Final = "#3d4551"
_GRID: Final = "#e6e8ea"
_REFERENCE: Final = "#71767a"
_FONT: Final = {
    "family": "Source Sans Pro Web, Helvetica Neue, Helvetica, Arial, sans-serif",
    "size": 13,
    "color": _INK,
}


class Table(TypedDict):
    """The numbers of a figure in rows."""

    columns: list[str]
    rows: list[list[Any]]


class Figure(TypedDict):
    """What the component needs; plain JSON, so a report can keep it."""

    id: str
    title: str
    summary: str
    json: dict[str, Any]
    table: Table


@dataclass(frozen=True)
class Caption:
    """How a figure is named.

    Args:
        id: HTML id, unique on its page.
        title: what is shown.
        summary: one sentence with what it tells; also read out instead of the drawing.
    """

    id: str
    title: str
    summary: str


@dataclass(frozen=True)
class Line:
    """A named line through points; `x` and `y` are of one length."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


class Axes(NamedTuple):
    """What is measured along, with units where there are any."""

    x: str
    y: str


class Interval(NamedTuple):
    """A value of one group with its confidence interval."""

    group: str
    value: float
    low: float
    high: float


def figure(
    caption: Caption, traces: list[Any], layout: dict[str, Any], table: Table
) -> Figure:
    """Put caption, drawing and table together."""
    drawing = json.loads(go.Figure(data=traces, layout=layout).to_json())
    drawing["data"] = _as_text(drawing["data"])
    return {
        "id": caption.id,
        "title": caption.title,
        "summary": caption.summary,
        "json": drawing,
        "table": table,
    }


def _as_text(drawn: Any) -> Any:
    """Keep Plotly from reading markup in the words of lines, bars and points.

    Runs, metrics and columns are named by people, and Plotly makes links of names.
    Templates of hover texts are the portal's own.
    """
    return _with_texts(drawn, lambda text: escape(text, quote=False))


def as_written(drawn: Any) -> Any:
    """Give words back as people wrote them, for what is not drawn by Plotly."""
    return _with_texts(drawn, unescape)


def _with_texts(drawn: Any, change: Callable[[str], str]) -> Any:
    if isinstance(drawn, str):
        return change(drawn)
    if isinstance(drawn, list):
        return [_with_texts(one, change) for one in drawn]
    if isinstance(drawn, dict):
        return {
            key: value if key.endswith("template") else _with_texts(value, change)
            for key, value in drawn.items()
        }
    return drawn


def layout_of(axes: Axes, *, legend: bool = False) -> dict[str, Any]:
    """Give the calm layout: no zooming, light grid, the fonts of the page."""
    axis = {
        "automargin": True,
        "fixedrange": True,
        "gridcolor": _GRID,
        "linecolor": _REFERENCE,
        "ticks": "outside",
        "tickcolor": _GRID,
        "zeroline": False,
    }
    return {
        "template": "none",
        "font": _FONT,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 8, "r": 12, "t": 8, "b": 8},
        "showlegend": legend,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "hoverlabel": {"font": _FONT, "bgcolor": "#ffffff"},
        "xaxis": axis
        | {"title": {"text": _wrapped(axes.x), "standoff": 10, "font": _FONT}},
        "yaxis": axis
        | {"title": {"text": _beside(axes.y), "standoff": 10, "font": _FONT}},
    }


def _wrapped(title: str) -> str:
    """Break a long title of the lower axis, so that it fits on a phone."""
    return "<br>".join(escape(line, quote=False) for line in wrap(title, 28))


def _beside(title: str) -> str:
    """Shorten a title of the upright axis, which is no longer than the drawing."""
    kept = title if len(title) <= LONGEST_BESIDE else f"{title[: LONGEST_BESIDE - 1]}…"
    return escape(kept, quote=False)


def trace_of(line: Line, place: int, *, mode: str = "lines") -> Any:
    """Draw the line that stands at `place`; the place decides colour and dash."""
    colour = COLOURS[place % len(COLOURS)]
    # Each round through the colours begins with another dash: 36 lines differ.
    dash = _DASHES[(place + place // len(COLOURS)) % len(_DASHES)]
    return go.Scatter(
        x=list(line.x),
        y=list(line.y),
        name=line.name,
        mode=mode,
        line={"color": colour, "width": 2.5, "dash": dash},
        marker={"color": colour, "size": 7},
    )


def reference_trace(line: Line) -> Any:
    """Draw a grey dotted line to compare with."""
    return go.Scatter(
        x=list(line.x),
        y=list(line.y),
        name=line.name,
        mode="lines",
        hoverinfo="skip",
        line={"color": _REFERENCE, "width": 1.5, "dash": "dot"},
    )


def upright_line(x: float) -> dict[str, Any]:
    """Give the shape of a grey dotted line at `x`, from bottom to top."""
    line = {"color": _REFERENCE, "width": 1.5, "dash": "dot"}
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": line,
    }


def thin(line: Line) -> Line:
    """Keep at most `MAX_POINTS` points, evenly, with both ends."""
    last = len(line.x) - 1
    if last < MAX_POINTS:
        kept = list(range(last + 1))
    else:
        kept = [round(n * last / (MAX_POINTS - 1)) for n in range(MAX_POINTS)]
    return Line(
        line.name, [short(line.x[n]) for n in kept], [short(line.y[n]) for n in kept]
    )


def short(value: float) -> float:
    """Round to five significant digits: enough to draw, short to send."""
    return float(f"{value:.5g}")


def shares(row: Sequence[float]) -> list[float]:
    """Divide by the sum; all zero stays all zero."""
    total = sum(row) or 1
    return [short(value / total) for value in row]


def lines_table(axes: Axes, lines: Sequence[Line]) -> Table:
    """List the points of every line."""
    rows = [
        [line.name, x, y] for line in lines for x, y in zip(line.x, line.y, strict=True)
    ]
    return {"columns": ["Line", *axes], "rows": rows}
