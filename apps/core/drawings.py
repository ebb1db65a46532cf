"""Figures as still pictures: SVG for files that must do without a script.

They hold what `components/figure.html` draws on pages, from the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from apps.core.figure_style import COLOURS, SHADES, Figure, as_written

WIDTH: Final = 640
_HEIGHT: Final = 340
_ROW: Final = 26
_INK: Final = "#3d4551"
_GRID: Final = "#e6e8ea"
_GREY: Final = "#71767a"
_LETTER: Final = 6.9  # mean width of a letter at 13 pixels
_LABEL: Final = 30
_DASHES: Final = {"dash": "8 5", "dot": "2 4", "dashdot": "8 4 2 4"} | {
    "longdash": "14 6",
    "longdashdot": "14 5 2 5",
}
_STEPS: Final = (1, 2, 2.5, 5, 10)
_TICKS: Final = 5

Json = dict[str, Any]
Scale = Callable[[float], float]


def svg(figure: Figure, *, font: str = "sans-serif") -> SafeString:
    """Draw a figure of `apps.core.figures` as one SVG element.

    Args:
        figure: lines, horizontal bars, dots with intervals, or a matrix.
        font: family of all texts.

    Returns:
        Markup without script, style or address; every text is escaped.
    """
    traces, layout = as_written(figure["json"]["data"]), figure["json"]["layout"]
    first = traces[0] if traces else {}
    if first.get("type") == "heatmap":
        height, parts = _matrix(first, layout)
    elif layout["yaxis"].get("type") == "category":
        height, parts = _rows(first, layout)
    else:
        height, parts = _HEIGHT, _lines(traces, layout)
    label = f"{figure['title']}. {figure['summary']}"
    head = {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {WIDTH} {height}"}
    drawn = _tag(
        "svg",
        "".join(parts),
        **head,
        role="img",
        aria_label=label,
        font_family=font,
        font_size="13",
    )
    return mark_safe(drawn)  # noqa: S308  # `_tag` and `_text` escape


def _tag(name: str, content: str = "", **attributes: object) -> str:
    """Write an element; `content` is markup, attributes are escaped."""
    said = "".join(
        f' {key.replace("_", "-")}="{escape(_short(value))}"'
        for key, value in attributes.items()
    )
    return f"<{name}{said}>{content}</{name}>" if content else f"<{name}{said}/>"


def _short(value: object) -> object:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value


def _text(x: float, y: float, text: object, anchor: str = "start", **more: Any) -> str:
    attributes = {"x": float(x), "y": float(y), "text_anchor": anchor, "fill": _INK}
    return _tag("text", str(escape(str(text))), **attributes | more)


def _clipped(text: object) -> str:
    said = str(text)
    return said if len(said) <= _LABEL else said[: _LABEL - 1] + "…"


def _scale(low: float, high: float, start: float, end: float) -> Scale:
    span = (high - low) or 1.0
    return lambda value: start + (value - low) / span * (end - start)


def _ticks(low: float, high: float) -> list[float]:
    """Choose about `_TICKS` round numbers between `low` and `high`."""
    rough = (high - low) / _TICKS or 1.0
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * n for n in _STEPS if size * n >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)]


def _said(value: float) -> str:
    return f"{value:,.6g}"


def _title(axis: Json) -> str:
    title = str((axis.get("title") or {}).get("text") or "").replace("<br>", " ")
    return str(as_written(title))


def _range(axis: Json, values: Sequence[float]) -> tuple[float, float]:
    if axis.get("range"):
        low, high = axis["range"]
        return float(low), float(high)
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = (high - low) * 0.03 or abs(high) * 0.1 or 1.0
    return low - margin, high + margin


def _x_axis(axis: Json, scale: Scale, span: tuple[float, float], box: Any) -> list[str]:
    left, top, right, bottom = box
    parts = [
        part
        for tick in _ticks(*span)
        for part in (
            _tag("path", d=f"M{scale(tick):.1f} {top}V{bottom}", stroke=_GRID),
            _text(scale(tick), bottom + 18, _said(tick), "middle"),
        )
    ]
    middle = (left + right) / 2
    return [*parts, _text(middle, bottom + 40, _title(axis), "middle")]


def _lines(traces: list[Json], layout: Json) -> list[str]:
    xs = [x for trace in traces for x in trace["x"]]
    ys = [y for trace in traces for y in trace["y"]]
    x_span, y_span = _range(layout["xaxis"], xs), _range(layout["yaxis"], ys)
    ticks = _ticks(*y_span)
    longest = max((len(_said(tick)) for tick in ticks), default=1)
    legend = _legend(traces) if len(traces) > 1 else []
    left, top = 34 + longest * _LETTER, 14 + 20 * len(legend)
    right, bottom = WIDTH - 14.0, _HEIGHT - 58.0
    across = _scale(*x_span, left, right)
    up = _scale(*y_span, bottom, top)
    parts = ["".join(row) for row in legend]
    parts += _x_axis(layout["xaxis"], across, x_span, (left, top, right, bottom))
    for tick in ticks:
        line = f"M{left:.1f} {up(tick):.1f}H{right}"
        parts.append(_tag("path", d=line, stroke=_GRID))
        parts.append(_text(left - 6, up(tick) + 4, _said(tick), "end"))
    middle = (top + bottom) / 2
    turned = f"rotate(-90 14 {middle:.1f})"
    parts.append(_text(14, middle, _title(layout["yaxis"]), "middle", transform=turned))
    return parts + [_line(trace, across, up) for trace in traces]


def _line(trace: Json, across: Scale, up: Scale) -> str:
    places = [(across(x), up(y)) for x, y in zip(trace["x"], trace["y"], strict=True)]
    d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    drawn = _tag("path", d=d, fill="none", **_stroke(trace))
    if "markers" not in trace["mode"]:
        return drawn
    colour = trace["line"]["color"]
    marks = (_tag("circle", cx=x, cy=y, r=4, fill=colour) for x, y in places)
    return drawn + "".join(marks)


def _stroke(trace: Json) -> Json:
    line = trace["line"]
    found = {"stroke": line["color"], "stroke_width": line.get("width", 2)}
    dash = _DASHES.get(line.get("dash", "solid"))
    return found | ({"stroke_dasharray": dash} if dash else {})


def _legend(traces: list[Json]) -> list[list[str]]:
    """Name the lines above the drawing, as many in a row as fit."""
    rows: list[list[str]] = [[]]
    x = 40.0
    for trace in traces:
        name = _clipped(trace.get("name", ""))
        width = 40 + len(name) * _LETTER
        if rows[-1] and x + width > WIDTH - 14:
            rows.append([])
            x = 40.0
        y = 14 + 20 * (len(rows) - 1)
        stroke = _tag("path", d=f"M{x:.1f} {y - 4}h24", fill="none", **_stroke(trace))
        rows[-1].append(stroke + _text(x + 30, y, name))
        x += width + 8
    return rows


def _rows(trace: Json, layout: Json) -> tuple[int, list[str]]:
    """Draw bars, or dots with intervals, one under the other."""
    labels = [_clipped(label) for label in trace["y"]]
    error = trace.get("error_x") or {}
    more = error.get("array") or [0.0] * len(labels)
    less = error.get("arrayminus") or more
    values = trace["x"]
    ends = [v + m for v, m in zip(values, more, strict=True)]
    starts = [v - m for v, m in zip(values, less, strict=True)]
    marks = [shape["x0"] for shape in layout.get("shapes") or ()]
    is_bar = trace["type"] == "bar"
    span = _range(layout["xaxis"], [*starts, *ends, *marks, *([0.0] * is_bar)])
    left = 12 + max(map(len, labels), default=1) * _LETTER
    top, bottom = 8.0, 8.0 + _ROW * len(labels)
    across = _scale(*span, left, WIDTH - 20.0)
    parts = _x_axis(layout["xaxis"], across, span, (left, top, WIDTH - 20.0, bottom))
    for mark in marks:
        line = f"M{across(mark):.1f} {top}V{bottom}"
        parts.append(_tag("path", d=line, stroke=_GREY, stroke_dasharray="2 4"))
    for place, label in enumerate(labels):
        y = top + _ROW * (place + 0.5)
        parts.append(_text(left - 8, y + 4, label, "end"))
        if is_bar:
            parts.append(_bar(across(0.0), across(values[place]), y))
        else:
            limits = across(starts[place]), across(ends[place])
            parts.append(_dot(*limits, across(values[place]), y))
    return int(bottom + 58), parts


def _bar(zero: float, end: float, y: float) -> str:
    size: Json = {"width": abs(end - zero), "height": 16}
    return _tag("rect", x=min(zero, end), y=y - 8, fill=COLOURS[0], **size)


def _dot(low: float, high: float, value: float, y: float) -> str:
    line = f"M{low:.1f} {y:.1f}H{high:.1f}"
    whisker = _tag("path", d=line, stroke=COLOURS[0], stroke_width=2)
    return whisker + _tag("circle", cx=value, cy=y, r=5, fill=COLOURS[0])


def _matrix(trace: Json, layout: Json) -> tuple[int, list[str]]:
    """Draw counts in cells, shaded by their share."""
    names = [_clipped(name) for name in trace["x"]]
    texts = trace.get("text") or trace["z"]
    size = max(len(names), 1)
    left = 40 + max(map(len, names), default=1) * _LETTER
    wide = (WIDTH - 20 - left) / size
    high = max(_ROW, min(wide, 220 / size))
    bottom = 8 + high * size
    parts = []
    for row, name in enumerate(names):
        y = 8 + high * row
        parts.append(_text(left - 8, y + high / 2 + 4, name, "end"))
        for column, text in enumerate(texts[row]):
            x = left + wide * column
            box: Json = {"x": x, "y": y, "width": wide - 2, "height": high - 2}
            shade = SHADES[1][1]
            opacity = f"{0.1 + 0.9 * (trace['z'][row][column] or 0):.2f}"
            parts.append(_tag("rect", fill=shade, fill_opacity=opacity, **box))
            where = x + wide / 2, y + high / 2 + 4
            parts.append(_text(*where, text, "middle", fill="#1b1b1b"))
    fits = int(wide / _LETTER)
    for column, name in enumerate(names):
        short = name if len(name) <= fits else name[: max(fits - 1, 0)] + "…"
        parts.append(_text(left + wide * (column + 0.5), bottom + 18, short, "middle"))
    middle = bottom / 2
    parts.append(
        _text((left + WIDTH) / 2, bottom + 40, _title(layout["xaxis"]), "middle")
    )
    turned = f"rotate(-90 14 {middle:.1f})"
    parts.append(_text(14, middle, _title(layout["yaxis"]), "middle", transform=turned))
    return int(bottom + 58), parts
