"""Metrics of one run along the way, thinned in the database to keep pages light."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, Max, Min, Q, Sum

from apps.experiments.models import Metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from apps.experiments.models import Run

STRETCHES: Final = 150
CORNERS: Final = 4  # of a stretch: its first, lowest, highest and last point
MOST_WHOLE: Final = CORNERS * STRETCHES  # so many points are drawn one by one
MOST_OF_EACH: Final = 100  # points of a run, where several are compared
SYSTEM: Final = "system/"  # how MLflow's client names what it measures of the machine
# Points and metrics of a run, and how often its page follows it: reading a million
# points takes the database seconds.
_PAUSES: Final = ((20_000, 500, 5), (200_000, 2_000, 30))
_LONGEST_PAUSE: Final = 120
# Sums of the largest numbers would be too large for the database.
_SMALLER: Final = 1e-9

Order = Literal["step", "timestamp"]
_Line = tuple[UUID, str]  # the run and the key of a metric

# The first, lowest, highest and last point of a stretch draw the same line as all of
# its points do, where a stretch is not wider than a pixel or two. Stretches are of one
# width: so each point is put into its own as it is met, and nothing is sorted. Arrays
# are compared number by number, which finds whole points; they are floating, as every
# number is that a browser draws.
_THIN = """
WITH ends AS (
  SELECT * FROM unnest(%(runs)s::uuid[], %(keys)s::text[], %(firsts)s::float8[],
    %(widths)s::float8[]) AS given (run_id, key, first, width)
), parted AS (
  SELECT run_id, key, {along}::float8 AS x, {beside}::float8 AS beside, value,
    greatest(0, least(%(stretches)s - 1,
      coalesce(floor(({along} - first) / nullif(width, 0)), 0))) AS stretch
  FROM experiments_metric JOIN ends USING (run_id, key)
  WHERE run_id = ANY(%(runs)s) AND key = ANY(%(keys)s)
    AND value > %(above)s AND value < 'Infinity'
)
SELECT run_id, key, count(*), sum(value * %(smaller)s) / count(*),
  min(ARRAY[x, beside, value]), max(ARRAY[x, beside, value]),
  min(ARRAY[value, x, beside]), max(ARRAY[value, x, beside])
FROM parted GROUP BY run_id, key, stretch
"""
# The database cannot know that there are few stretches, and would rather sort.
_NO_SORT: Final = """
SET LOCAL enable_sort = off;
SET LOCAL enable_incremental_sort = off
"""
_COUNTS: Final = {
    "total": Count("value"),
    "not_numbers": Count("value", filter=Q(value=float("nan"))),
    "infinite": Count("value", filter=Q(value__in=[float("inf"), float("-inf")])),
    "not_positive": Count("value", filter=Q(value__lte=0, value__gt=float("-inf"))),
    "first_at": Min("timestamp"),
    "last_at": Max("timestamp"),
    "first_step": Min("step"),
    "last_step": Max("step"),
}
_ALONG: Final = {"step": ("step", "timestamp"), "timestamp": ("timestamp", "step")}


class Point(NamedTuple):
    """Where a line goes: `x` is a step, or milliseconds since 1970, UTC."""

    x: int
    value: float


@dataclass(frozen=True)
class History:
    """One metric along the way.

    Args:
        points: what is drawn, in order.
        middles: the mean of each stretch, at its last point; all points where they
            are few.
        total: points that could be drawn.
    """

    points: list[Point]
    middles: list[Point]
    total: int

    @property
    def is_thinned(self) -> bool:
        """Say whether there are more points than are drawn."""
        return self.total > len(self.points)


class Counted(NamedTuple):
    """How many points a metric has, which no picture shows, and where they lie."""

    total: int
    not_numbers: int
    infinite: int
    not_positive: int
    first_at: int = 0
    last_at: int = 0
    first_step: int = 0
    last_step: int = 0

    @property
    def finite(self) -> int:
        """Count the points that can be drawn."""
        return self.total - self.not_numbers - self.infinite

    def ends(self, order: Order) -> tuple[int, int]:
        """Say where the first and the last point lie."""
        if order == "step":
            return self.first_step, self.last_step
        return self.first_at, self.last_at


def counted_points(run: Run) -> dict[str, Counted]:
    """Count the points of every metric of a run, by key, in one query."""
    rows = Metric.objects.filter(run=run).values("key").annotate(**_COUNTS)
    counted = rows.order_by("key").values_list("key", *_COUNTS)
    return {key: Counted(*counts) for key, *counts in counted}


def logged_so_far(run: Run) -> str:
    """Give a short text that changes with the state of a run and with each new point.

    Segments count points, so that not one of the points has to be read.
    """
    points = run.segments.aggregate(points=Sum("metrics"))["points"]
    return f"{run.status}-{points or 0}"


def pause_seconds(counted: Mapping[str, Counted]) -> int:
    """Say how long a page waits before it reads the metrics of a run again."""
    points = sum(one.total for one in counted.values())
    for most_points, most_keys, seconds in _PAUSES:
        if points <= most_points and len(counted) <= most_keys:
            return seconds
    return _LONGEST_PAUSE


def read_histories(
    run: Run,
    counted: Mapping[str, Counted],
    *,
    order: Order = "step",
    positive: bool = False,
) -> dict[str, History]:
    """Read metrics of a run, thinned, in at most two queries of them.

    Args:
        run: whose.
        counted: what `counted_points` told of the metrics, by key.
        order: what counts from left to right.
        positive: leave out what a logarithmic scale cannot show.

    Returns:
        For each key that has finite points: all of them, up to `MOST_WHOLE`, else the
        first, lowest, highest and last of each of `STRETCHES` stretches of one width.
    """
    asked = _Asked(order, 0.0 if positive else float("-inf"))
    lines = {(run.pk, key): one for key, one in counted.items()}
    return {key: found for (_, key), found in _read(asked, lines).items()}


def compared_histories(runs: Iterable[Run], key: str) -> dict[UUID, Sequence[Point]]:
    """Read one metric of each run over its steps, in at most three queries.

    Returns:
        For each run that has finite points: as of `read_histories`, but of fewer
        stretches, at most `MOST_OF_EACH` points.
    """
    rows = Metric.objects.filter(run__in=[run.pk for run in runs], key=key)
    counted = rows.values("run").annotate(**_COUNTS).values_list("run", *_COUNTS)
    lines = {(run, key): Counted(*counts) for run, *counts in counted.order_by("run")}
    asked = _Asked(stretches=MOST_OF_EACH // CORNERS)
    return {run: found.points for (run, _), found in _read(asked, lines).items()}


class _Asked(NamedTuple):
    order: Order = "step"
    above: float = float("-inf")
    stretches: int = STRETCHES


def _read(asked: _Asked, lines: Mapping[_Line, Counted]) -> dict[_Line, History]:
    """Read lines, all of one run or of one key."""
    most_whole = asked.stretches * CORNERS
    few = [line for line, one in lines.items() if one.finite <= most_whole]
    many = {line: lines[line] for line in lines.keys() - few}
    return _whole(asked, few) | _thinned(asked, many)


def _whole(asked: _Asked, lines: Sequence[_Line]) -> dict[_Line, History]:
    if not lines:
        return {}
    runs, keys = zip(*lines, strict=True)
    along, beside = _ALONG[asked.order]
    rows = Metric.objects.filter(
        run__in=runs, key__in=keys, value__gt=asked.above, value__lt=float("inf")
    ).order_by("run", "key", along, beside, "value")
    points: dict[_Line, list[Point]] = defaultdict(list)
    for run, key, x, value in rows.values_list("run", "key", along, "value"):
        points[run, key].append(Point(x, value))
    return {line: History(found, found, len(found)) for line, found in points.items()}


def _thinned(asked: _Asked, lines: Mapping[_Line, Counted]) -> dict[_Line, History]:
    if not lines:
        return {}
    runs, keys = zip(*lines, strict=True)
    along, beside = _ALONG[asked.order]
    ends = [one.ends(asked.order) for one in lines.values()]
    given: dict[str, Any] = {
        "runs": list(runs),
        "keys": list(keys),
        "firsts": [first for first, _ in ends],
        "widths": [(last - first) / asked.stretches for first, last in ends],
        "above": asked.above,
        "stretches": asked.stretches,
        "smaller": _SMALLER,
    }
    found: dict[_Line, History] = {}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_NO_SORT)
        cursor.execute(_THIN.format(along=along, beside=beside), given)
        rows = sorted(cursor.fetchall(), key=lambda row: row[4])
        for run, key, count, mean, first, last, lowest, highest in rows:
            extremes = [(x, place, value) for value, x, place in (lowest, highest)]
            corners = sorted({tuple(first), *extremes, tuple(last)})
            before = found.get((run, key), History([], [], 0))
            found[run, key] = History(
                [*before.points, *(Point(int(x), value) for x, _, value in corners)],
                [*before.middles, Point(int(last[0]), mean / _SMALLER)],
                before.total + count,
            )
    return found


def smoothed(points: Sequence[Point], weight: float) -> list[Point]:
    """Let each point lean on those before it.

    Args:
        points: in order.
        weight: of the past, in [0, 1); 0 changes nothing.

    Returns:
        As many points: exponential moving averages, corrected for their short past.
    """
    average, found = 0.0, []
    for place, point in enumerate(points, start=1):
        average = average * weight + point.value * (1 - weight)
        found.append(Point(point.x, average / (1 - weight**place)))
    return found
