"""Figures that set many things side by side: points, and parallel coordinates."""

import math
from collections.abc import Collection, Sequence
from html import escape
from typing import Any, Final, NamedTuple

from apps.core.figure_style import (
    Axes,
    Caption,
    Figure,
    Line,
    figure,
    layout_of,
    short,
    trace_of,
)

ROW_PIXELS: Final = 68
HEAD_PIXELS: Final = 60
NAME_PIXELS: Final = 7  # a legend on a phone has a line for three names
# A range of more than two powers of ten is drawn by powers.
WIDE: Final = 100.0
MOST_WORDS: Final = 5
LONGEST_WORD: Final = 14

Value = float | str | None


class Point(NamedTuple):
    """A named point; `mark` is the short text beside it."""

    name: str
    mark: str
    x: float
    y: float


class Scale(NamedTuple):
    """One axis of parallel coordinates.

    Args:
        title: what is measured.
        values: one for each line, numbers or words; None where a line has none.
        lower_is_better: turns the axis around, so that better stands further right.
    """

    title: str
    values: Sequence[Value]
    lower_is_better: bool = False


def scatter(caption: Caption, points: Sequence[Point], axes: Axes) -> Figure:
    """Draw each point in the colour of its place, with its mark above.

    Args:
        caption: names of the figure.
        points: a few dozen at most, or their marks run into one another.
        axes: titles of both axes.
    """
    traces = [
        trace_of(Line(point.name, [short(point.x)], [short(point.y)]), place)
        for place, point in enumerate(points)
    ]
    for trace, point in zip(traces, points, strict=True):
        trace["mode"], trace["text"] = "markers+text", [point.mark]
        trace["textposition"] = "top center"
        trace["marker"]["size"] = 11
    rows = [[point.name, short(point.x), short(point.y)] for point in points]
    table = {"columns": ["Name", *axes], "rows": rows}
    layout = layout_of(axes)
    for axis, values in (
        ("xaxis", [p.x for p in points]),
        ("yaxis", [p.y for p in points]),
    ):
        if _is_wide(values):
            layout[axis]["type"] = "log"
    return figure(caption, traces, layout, table)  # type: ignore[arg-type]


def parallel(
    caption: Caption,
    names: Sequence[str],
    scales: Sequence[Scale],
    *,
    best: Collection[int] = (),
) -> Figure:
    """Draw each thing as one line from scale to scale; the scales lie across.

    Lying scales have room for their titles on a phone, which upright ones do not.

    Args:
        caption: names of the figure.
        names: one per line.
        scales: from top to bottom.
        best: places of the lines that stand out.
    """
    across = [_places(scale) for scale in scales]
    rows = list(range(len(scales)))
    traces = []
    for place, name in enumerate(names):
        trace = trace_of(Line(name, rows, rows), place, mode="lines+markers")
        trace["x"] = [places[place] for places in across]
        trace["text"] = [f"{s.title}: {_word(s.values[place])}" for s in scales]
        trace["opacity"] = 1 if place in best or not best else 0.55
        trace["line"]["width"] = 4 if place in best else 2
        trace["hovertemplate"] = "%{text}<extra>%{fullData.name}</extra>"
        traces.append(trace)
    table = {
        "columns": ["Name", *(scale.title for scale in scales)],
        "rows": [
            [name, *(_cell(scale.values[place]) for scale in scales)]
            for place, name in enumerate(names)
        ],
    }
    return figure(caption, traces, _layout(scales, across, len(names)), table)  # type: ignore[arg-type]


def _cell(value: Value) -> float | str:
    return short(value) if isinstance(value, int | float) else value or "–"


def _word(value: Value) -> str:
    text = f"{value:.4g}" if isinstance(value, int | float) else value or "–"
    return text if len(text) <= LONGEST_WORD else f"{text[: LONGEST_WORD - 1]}…"


def _is_number(scale: Scale) -> bool:
    return all(isinstance(v, int | float | None) for v in scale.values)


def _places(scale: Scale) -> list[float | None]:
    """Find where on its scale, from 0 to 1, each line passes."""
    if _is_number(scale):
        numbers = [v for v in scale.values if isinstance(v, int | float)]
        low, high = min(numbers, default=0.0), max(numbers, default=0.0)
        by_power = _is_wide(numbers)
        low, high = (math.log(low), math.log(high)) if by_power else (low, high)
        found = [
            _share(math.log(v) if by_power else v, low, high)
            if isinstance(v, int | float)
            else None
            for v in scale.values
        ]
    else:
        words = sorted({str(v) for v in scale.values if v is not None})
        found = [
            None if v is None else _share(words.index(str(v)), 0, len(words) - 1)
            for v in scale.values
        ]
    if scale.lower_is_better:
        return [None if place is None else short(1 - place) for place in found]
    return found


def _is_wide(numbers: Sequence[float]) -> bool:
    """Say whether numbers are better told apart by their powers of ten."""
    low = min(numbers, default=0.0)
    return low > 0 and max(numbers) / low >= WIDE


def _share(value: float, low: float, high: float) -> float:
    span = high - low
    return short((value - low) / span) if span else 0.5


def _layout(
    scales: Sequence[Scale], across: Sequence[Sequence[float | None]], lines: int
) -> dict[str, Any]:
    layout = layout_of(Axes("", ""), legend=True)
    count = len(scales)
    layout["height"] = HEAD_PIXELS + NAME_PIXELS * lines + ROW_PIXELS * count
    layout["xaxis"] |= {"visible": False, "range": [-0.03, 1.03]}
    layout["yaxis"] |= {
        "range": [count - 0.5, -0.5],
        "tickvals": list(range(count)),
        "showticklabels": False,
        "ticks": "",
        "gridcolor": "#a9aeb1",
        "linecolor": "rgba(0,0,0,0)",
    }
    layout["annotations"] = [
        note
        for row, (scale, places) in enumerate(zip(scales, across, strict=True))
        for note in _notes(row, scale, places)
    ]
    return layout


def _notes(
    row: int, scale: Scale, places: Sequence[float | None]
) -> list[dict[str, Any]]:
    """Write the title above a scale, and below it the values at its marks."""
    title = _note(escape(scale.title, quote=False), row, 0, 17)
    # A weight, not <b>: markup becomes an inline style, which our policy refuses.
    notes = [title | {"font": {"weight": 700}}]
    marks = {
        place: _word(value)
        for place, value in zip(places, scale.values, strict=True)
        if place is not None
    }
    wanted = sorted(marks)
    if _is_number(scale) or len(wanted) > MOST_WORDS:
        wanted = list(dict.fromkeys([wanted[0], wanted[-1]])) if wanted else []
    return notes + [
        _note(escape(marks[place], quote=False), row, place, -15) for place in wanted
    ]


def _note(text: str, row: int, x: float, shift: int) -> dict[str, Any]:
    edge = {0.0: "left", 1.0: "right"}.get(x, "center")
    return {
        "text": text,
        "x": x,
        "y": row,
        "xanchor": edge,
        "yshift": shift,
        "showarrow": False,
        "bgcolor": "rgba(255,255,255,0.8)",
    }
