"""Metrics of one run along the way, thinned in the database to keep pages light."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from django.db import connection
from django.db.models import Count, Min, Q, Sum

from apps.experiments.models import Metric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from apps.experiments.models import Run

STRETCHES: Final = 150
MOST_WHOLE: Final = 4 * STRETCHES  # so many points are drawn one by one
SYSTEM: Final = "system/"  # how MLflow's client names what it measures of the machine
# Points and metrics of a run, and how often its page follows it: reading a million
# points takes the database seconds.
_PAUSES: Final = ((20_000, 500, 5), (200_000, 2_000, 30))
_LONGEST_PAUSE: Final = 120
# Sums of the largest numbers would be too large for the database.
_SMALLER: Final = 1e-9

Order = Literal["step", "timestamp"]

# The first, lowest, highest and last point of a stretch draw the same line as all of
# its points do, where a stretch is not wider than a pixel or two.
_THIN = """
WITH placed AS (
  SELECT key, {along} AS x, value,
    row_number() OVER way - 1 AS place,
    count(*) OVER (PARTITION BY key) AS total
  FROM experiments_metric
  WHERE run_id = %(run)s AND key = ANY(%(keys)s)
    AND value > %(above)s AND value < 'Infinity'
  WINDOW way AS (PARTITION BY key ORDER BY {along}, {beside}, value)
), parted AS (
  SELECT *, CASE WHEN total <= %(whole)s THEN place
    ELSE place * %(stretches)s / total END AS stretch
  FROM placed
)
SELECT key, max(total), sum(value * %(smaller)s) / count(*),
  (array_agg(ARRAY[place, x] ORDER BY place))[1:1],
  (array_agg(ARRAY[place, x] ORDER BY value, place))[1:1],
  (array_agg(ARRAY[place, x] ORDER BY value DESC, place))[1:1],
  (array_agg(ARRAY[place, x] ORDER BY place DESC))[1:1],
  (array_agg(value ORDER BY place))[1], min(value), max(value),
  (array_agg(value ORDER BY place DESC))[1]
FROM parted GROUP BY key, stretch ORDER BY key, stretch
"""
_COUNTS: Final = ["key", "total", "not_numbers", "infinite", "not_positive", "first_at"]
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
        return self.total > MOST_WHOLE


class Counted(NamedTuple):
    """How many points a metric has, and which of them no picture shows."""

    total: int
    not_numbers: int
    infinite: int
    not_positive: int
    first_at: int

    @property
    def finite(self) -> int:
        """Count the points that can be drawn."""
        return self.total - self.not_numbers - self.infinite


def counted_points(run: Run) -> dict[str, Counted]:
    """Count the points of every metric of a run, by key, in one query."""
    infinite = Q(value__in=[float("inf"), float("-inf")])
    not_positive = Q(value__lte=0, value__gt=float("-inf"))
    rows = (
        Metric.objects.filter(run=run)
        .values("key")
        .annotate(
            total=Count("value"),
            not_numbers=Count("value", filter=Q(value=float("nan"))),
            infinite=Count("value", filter=infinite),
            not_positive=Count("value", filter=not_positive),
            first_at=Min("timestamp"),
        )
        .order_by("key")
    )
    return {key: Counted(*counts) for key, *counts in rows.values_list(*_COUNTS)}


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
    run: Run, keys: Sequence[str], *, order: Order = "step", positive: bool = False
) -> dict[str, History]:
    """Read metrics of a run, thinned, in one query.

    Args:
        run: whose.
        keys: of the metrics.
        order: what counts from left to right.
        positive: leave out what a logarithmic scale cannot show.

    Returns:
        For each key that has finite points: up to `MOST_WHOLE` of them, else the first,
        lowest, highest and last of each of `STRETCHES` stretches of equally many.
    """
    along, beside = _ALONG[order]
    given: dict[str, Any] = {
        "run": run.pk,
        "keys": list(keys),
        "above": 0.0 if positive else float("-inf"),
        "whole": MOST_WHOLE,
        "stretches": STRETCHES,
        "smaller": _SMALLER,
    }
    points: dict[str, list[Point]] = defaultdict(list)
    middles: dict[str, list[Point]] = defaultdict(list)
    totals: dict[str, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(_THIN.format(along=along, beside=beside), given)
        for key, total, mean, *found in cursor.fetchall():
            places = [place for (place,) in found[:4]]
            corners = {
                place: Point(x, value)
                for (place, x), value in zip(places, found[4:], strict=True)
            }
            points[key] += [corners[place] for place in sorted(corners)]
            middles[key].append(Point(places[-1][1], mean / _SMALLER))
            totals[key] = total
    return {key: History(points[key], middles[key], totals[key]) for key in totals}


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
