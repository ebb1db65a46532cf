"""Whether runs are read along the values of a metric, or found first and then sorted.

A walk passes each run with the metric, in order, until a page is full. It is quick
where many runs meet the filter, however many there are; sorting is quick where few do.
The database would only guess which it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.lookups import In

from apps.experiments.models import LatestMetric
from apps.experiments.search.conditions import Compared, all_of
from apps.experiments.search.keyset import NAN
from apps.experiments.search.nodes import Operator
from apps.experiments.search.pages import Walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from apps.experiments.models import Run

# Runs: with fewer in all, or fewer that hold a value, they are sorted.
MANY = 5_000
RARE = 1_000
# Runs with a value that the database keeps in memory while it walks; beyond that, so
# many of those it passes hold the value that looking each up is quicker.
GATHERED = 10_000
COUNTED = 4


class Condition(NamedTuple):
    """What runs must meet.

    Args:
        asked: of each run.
        holders: rows of all runs that meet it, where an index leads to them.
    """

    asked: Q
    holders: QuerySet[Any] | None = None


def walk_along(
    metric: str,
    everything: QuerySet[Run],
    conditions: Sequence[Condition],
    *,
    joined: str,
) -> Walk | None:
    """Choose how runs come in the order of a metric, by counting in one statement.

    Args:
        metric: its key.
        everything: runs that may be found, whatever the conditions.
        conditions: of the filter.
        joined: the relation by which values of the metric are joined to them.

    Returns:
        The walk; None where sorting is quicker.
    """
    asked = [one.asked for one in conditions]
    held = [
        (place, one.holders)
        for place, one in enumerate(conditions)
        if one.holders is not None
    ]
    held = held[:COUNTED]
    most = [holders[: GATHERED + 1] for _, holders in held]
    runs, *counts = _counts([everything[:MANY], *most])
    if runs < MANY or any(count < RARE for count in counts):
        return None
    for (place, holders), count in zip(held, counts, strict=True):
        if count <= GATHERED:
            asked[place] = _gathered(f"{joined}__run_id", holders)
    values = LatestMetric.objects.filter(run=OuterRef("pk"), key=metric)
    return Walk(
        rows=everything.filter(all_of(asked)),
        indexed=Q(Exists(values.filter(value__lt=NAN))),
        valued=Q(Exists(values)),
    )


def _gathered(run: str, holders: QuerySet[Any]) -> Q:
    """Ask whether `run` is one of the holders, which are gathered once."""
    # The limit is never reached, but tells the database that they fit in memory.
    gathered = holders.values("run")[: 2 * GATHERED]
    # A comparison with true is not made into a join, which would lose the order.
    return Q(Compared(In(F(run), gathered.query), Operator.EQUAL, True))


def _counts(rows: Sequence[QuerySet[Any]]) -> list[int]:
    """Count each of several in one statement."""
    counts: list[str] = []
    values: list[Any] = []
    for each in rows:
        try:
            query, given = each.values("pk").query.sql_with_params()
        except EmptyResultSet:
            query, given = "SELECT WHERE false", ()
        counts.append(f"(SELECT count(*) FROM ({query}) AS counted)")  # noqa: S608
        values += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(counts)}", values)
        return list(cursor.fetchone())
