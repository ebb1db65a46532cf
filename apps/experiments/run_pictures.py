"""Metrics of one run as lines, as the reader asks for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from apps.core.figure_style import (
    Axes,
    Caption,
    Line,
    figure,
    layout_of,
    short,
    trace_of,
)
from apps.core.templatetags.portal import number, stable_id
from apps.experiments.metric_history import (
    STRETCHES,
    SYSTEM,
    read_histories,
    smoothed,
)
from apps.experiments.queries import counted_by, metric_title, ordered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from apps.core.figures import Figure
    from apps.experiments.metric_history import Counted, History, Order, Point
    from apps.experiments.models import Run

MOST_PICTURES: Final = 6
MOST_TOGETHER: Final = 8
MOST_ROWS: Final = 60  # of each line, in the table under a picture
MARKED: Final = 30
_PALE: Final = 0.35
_UNITS: Final = ((3_600_000, 2, "hours"), (60_000, 2, "minutes"), (1_000, 0, "s"))


@dataclass(frozen=True)
class ChartChoice:
    """How metrics are drawn.

    Args:
        keys: which; those that a page proposes when there are none.
        x: `step`, `time` or `relative`.
        is_log: whether values lie on a logarithmic scale.
        smoothing: weight of the past, in [0, 1).
        together: whether all lines lie in one picture.
    """

    keys: Sequence[str] = field(default_factory=list)
    x: str = "step"
    is_log: bool = False
    smoothing: float = 0.0
    together: bool = False


class _Across(NamedTuple):
    """What lies along a picture."""

    title: str
    kind: str
    zero: int = 0
    unit: int = 1

    def place(self, x: int) -> float:
        """Say where a step or time lies."""
        return x if self.unit == 1 else round((x - self.zero) / self.unit, 3)

    def told(self, x: int) -> object:
        """Say it in a table."""
        if self.kind != "date":
            return self.place(x)
        return _when(x)


def drawable(counted: Mapping[str, Counted], *, system: bool = False) -> list[str]:
    """List metrics that were measured more than once, the important ones first.

    What was never a finite number would make an empty picture.
    """
    return [
        key
        for key in ordered(counted)
        if counted[key].total > 1
        and counted[key].finite > 0
        and key.startswith(SYSTEM) == system
    ]


def chosen_keys(choice: ChartChoice, offered: Sequence[str]) -> list[str]:
    """Say which of the metrics are drawn: the ones asked for, or the first."""
    most = MOST_TOGETHER if choice.together else MOST_PICTURES
    asked = set(choice.keys)
    return ([key for key in offered if key in asked] or list(offered))[:most]


def history_figures(
    run: Run, keys: Sequence[str], choice: ChartChoice, counted: Mapping[str, Counted]
) -> list[Figure]:
    """Draw metrics, each in a picture of its own or all together."""
    if not keys:
        return []
    order: Order = "step" if choice.x == "step" else "timestamp"
    drawn = {key: counted[key] for key in keys}
    found = read_histories(run, drawn, order=order, positive=choice.is_log)
    shown = [key for key in keys if key in found]
    groups = [shown] if choice.together else [[key] for key in shown]
    return [
        _picture(run, {key: found[key] for key in group}, choice, counted)
        for group in groups
        if group
    ]


def _picture(
    run: Run,
    found: Mapping[str, History],
    choice: ChartChoice,
    counted: Mapping[str, Counted],
) -> Figure:
    across = _across(run, found, choice, counted)
    names = {key: metric_title(key) for key in found}
    alone = next(iter(names.values())) if len(names) == 1 else ""
    axes = Axes(across.title, alone or "Value")
    layout = layout_of(axes, legend=not alone)
    layout["xaxis"]["type"] = across.kind
    if choice.is_log:
        layout["yaxis"]["type"] = "log"
    traces = [
        trace
        for place, (key, history) in enumerate(found.items())
        for trace in _traces(names[key], place, history, across, choice)
    ]
    caption = Caption(
        stable_id("history", *([] if choice.together else found)),
        f"{alone or 'Metrics'} by {across.title[0].lower()}{across.title[1:]}",
        " ".join(_sentences(found, choice, counted)),
    )
    rows = [
        [names[key], across.told(point.x), point.value]
        for key, history in found.items()
        for point in _few(history.points)
    ]
    return figure(caption, traces, layout, {"columns": ["Metric", *axes], "rows": rows})


def _across(
    run: Run,
    found: Mapping[str, History],
    choice: ChartChoice,
    counted: Mapping[str, Counted],
) -> _Across:
    if choice.x == "time":
        return _Across("Time (UTC)", "date")
    if choice.x == "relative":
        zero = min(counted[key].first_at for key in found)
        span = max(history.points[-1].x for history in found.values()) - zero
        unit, name = next(
            (unit, name) for unit, least, name in _UNITS if span >= unit * least
        )
        return _Across(f"Time since the first point ({name})", "linear", zero, unit)
    titles = {counted_by(key, run.source) for key in found}
    return _Across(titles.pop() if len(titles) == 1 else "Step", "linear")


def _traces(
    name: str, place: int, history: History, across: _Across, choice: ChartChoice
) -> list[Any]:
    points = history.points
    mode = "lines+markers" if len(points) <= MARKED else "lines"
    line = trace_of(_line(name, points, across), place, mode=mode)
    if not choice.smoothing:
        return [line]
    line["opacity"], line["showlegend"], line["hoverinfo"] = _PALE, False, "skip"
    smooth = smoothed(history.middles, choice.smoothing)
    return [line, trace_of(_line(name, smooth, across), place)]


def _line(name: str, points: Sequence[Point], across: _Across) -> Line:
    return Line(
        name,
        [across.place(point.x) for point in points],
        [short(point.value) for point in points],
    )


def _sentences(
    found: Mapping[str, History], choice: ChartChoice, counted: Mapping[str, Counted]
) -> list[str]:
    """Tell what a picture shows and what it leaves out."""
    total = sum(history.total for history in found.values())
    said = [f"{total:,} points."]
    if len(found) == 1:
        (history,) = found.values()
        first, last = history.points[0].value, history.points[-1].value
        said = [f"From {number(first)} to {number(last)} in {total:,} points."]
    if any(history.is_thinned for history in found.values()):
        said.append(
            f"Thinned: of each of {STRETCHES} stretches of one width the first, "
            "lowest, highest and last point are drawn."
        )
    if choice.smoothing:
        said.append(
            f"Smoothed with weight {choice.smoothing:g}; the pale line is as measured."
        )
    left_out = [counted[key] for key in found]
    if count := sum(one.not_numbers for one in left_out):
        said.append(f"Not drawn: {count:,} that are not a number (NaN).")
    if count := sum(one.infinite for one in left_out):
        said.append(f"Not drawn: {count:,} infinite.")
    if choice.is_log and (count := sum(one.not_positive for one in left_out)):
        said.append(f"Not drawn on this scale: {count:,} not above zero.")
    return said


def _few(points: Sequence[Point]) -> list[Point]:
    last = len(points) - 1
    if last < MOST_ROWS:
        return list(points)
    return [points[round(n * last / (MOST_ROWS - 1))] for n in range(MOST_ROWS)]


def _when(milliseconds: int) -> str:
    try:
        at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):  # a clock far out of any calendar
        return str(milliseconds)
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
