"""How far the distribution of each column moved between two tables.

Population stability index (PSI), sum of (q - p) ln(q / p) over the shares p before
and q after: over the deciles of the values before, or over categories. An empty share
counts as `SMALLEST_SHARE`, so that the sum stays finite. For numbers the
Kolmogorov-Smirnov distance, for categories the chi-square test of homogeneity.
"""

# ruff: noqa: S608 - names and literals are quoted by `tables`
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray
from scipy import stats

from engine import tables
from engine.arrow_stream import batches
from engine.canonical import Column
from engine.folder import Json

BINS = 20
DECILES = 10
MOST_CATEGORIES = 12
LONGEST_VALUE = 100
SMALLEST_SHARE = 1e-4
MOST_VALUES = 1_000_000  # of a column; in larger tables every n-th row is taken
OTHER = "all other values"

_Paths = tuple[Path, Path]
_Floats = NDArray[np.float64]


def shifts(
    database: duckdb.DuckDBPyConnection,
    paths: _Paths,
    columns: Sequence[Column],
    on_progress: Callable[[float], None],
) -> list[Json]:
    """Measure how far each column moved.

    Args:
        database: a connection that may read `paths`.
        paths: the Parquet files before and after.
        columns: that both have with the same type, but not images.
        on_progress: called with the share of columns done.

    Returns:
        For each column `name`, `type`, `missing` (ratios before and after), `psi`,
        `test` (`ks` or `chi2`), `statistic` and `p_value`, each None where there are
        no values to compare, and `bins`: `labels` (of categories) or `edges` (numbers,
        or seconds since 1970 for dates) with counts `before` and `after`.
    """
    found = []
    for done, column in enumerate(columns, start=1):
        is_category = column.type in ("text", "boolean")
        measure = _category if is_category else _number
        found.append(
            {
                "name": column.name,
                "type": column.type,
                "missing": [_missing(database, path, column) for path in paths],
                **measure(database, paths, column),
            }
        )
        on_progress(done / len(columns))
    return found


def psi(before: Sequence[float], after: Sequence[float]) -> float:
    """Population stability index between two lists of counts, no unit; 0 is the same.

    Source:
        N. Siddiqi, Credit Risk Scorecards (Wiley, 2006), chapter on monitoring, also
        for reading it: below 0.1 little, above 0.25 a large shift.
    """
    p = np.maximum(np.asarray(before) / np.sum(before), SMALLEST_SHARE)
    q = np.maximum(np.asarray(after) / np.sum(after), SMALLEST_SHARE)
    return float(np.sum((q - p) * np.log(q / p)))


def _missing(
    database: duckdb.DuckDBPyConnection, path: Path, column: Column
) -> float | None:
    value = tables.name(column.name)
    rows = database.execute(
        f"SELECT count(*) - count({value}), count(*) "
        f"FROM read_parquet({tables.text(path)})"
    ).fetchall()
    missing, count = rows[0]
    return missing / count if count else None


def _number(database: duckdb.DuckDBPyConnection, paths: _Paths, column: Column) -> Json:
    before, after = (_values(database, path, column) for path in paths)
    if not len(before) or not len(after):
        return _nothing("ks")
    shares = np.linspace(0, 1, DECILES + 1)[1:-1]
    deciles = np.unique(np.quantile(before, shares, method="inverted_cdf"))
    counts = [
        np.bincount(np.searchsorted(deciles, side, "left"), minlength=len(deciles) + 1)
        for side in (before, after)
    ]
    test = stats.ks_2samp(before, after, method="asymp")
    edges = _edges(before, after)
    return {
        "psi": psi(counts[0].tolist(), counts[1].tolist()),
        "test": "ks",
        "statistic": float(test.statistic),
        "p_value": float(test.pvalue),
        "bins": {
            "edges": edges.tolist(),
            "before": np.histogram(before, edges)[0].tolist(),
            "after": np.histogram(after, edges)[0].tolist(),
        },
    }


def _edges(before: _Floats, after: _Floats) -> _Floats:
    low = min(before.min(), after.min())
    high = max(before.max(), after.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    # Halved first: the distance between two floats need not be a float.
    return np.linspace(low / 2, high / 2, BINS + 1) * 2


def _values(database: duckdb.DuckDBPyConnection, path: Path, column: Column) -> _Floats:
    """Read the values that are not missing as floats, dates as seconds since 1970."""
    value = tables.name(column.name)
    is_time = column.type in ("date", "timestamp")
    number = f"epoch({value})" if is_time else f"CAST({value} AS DOUBLE)"
    table, row = tables.numbered(path, [column.name])
    count = database.execute(f"SELECT count({value}) FROM {table}").fetchall()[0][0]
    every = max(1, -(-count // MOST_VALUES))
    relation = database.sql(
        f"SELECT {number} FROM {table} WHERE {value} IS NOT NULL "
        f"AND {row} % {every} = 0 AND isfinite({number})"
    )
    parts = [batch[0].data.copy() for batch in batches(relation)]
    return np.concatenate(parts) if parts else np.zeros(0)


def _category(
    database: duckdb.DuckDBPyConnection, paths: _Paths, column: Column
) -> Json:
    value = tables.name(column.name)
    sides = " UNION ALL ".join(
        f"SELECT CAST({value} AS VARCHAR) AS value, {place} AS side "
        f"FROM read_parquet({tables.text(path)}) WHERE {value} IS NOT NULL"
        for place, path in enumerate(paths)
    )
    counted = [f"count(*) FILTER (WHERE side = {place})" for place in (0, 1)]
    rows = database.execute(
        f"SELECT left(value, {LONGEST_VALUE}), {counted[0]}, {counted[1]}, "
        f"sum({counted[0]}) OVER (), sum({counted[1]}) OVER () "
        f"FROM ({sides}) GROUP BY value "
        f"ORDER BY count(*) DESC, value LIMIT {MOST_CATEGORIES}"
    ).fetchall()
    if not rows or not rows[0][3] or not rows[0][4]:
        return _nothing("chi2")
    labels = [row[0] for row in rows]
    before, after = ([row[place] for row in rows] for place in (1, 2))
    rest = [int(rows[0][3]) - sum(before), int(rows[0][4]) - sum(after)]
    if any(rest):
        labels, before, after = [*labels, OTHER], [*before, rest[0]], [*after, rest[1]]
    statistic, p_value = _homogeneity(before, after)
    return {
        "psi": psi(before, after),
        "test": "chi2",
        "statistic": statistic,
        "p_value": p_value,
        "bins": {"labels": labels, "before": before, "after": after},
    }


def _homogeneity(before: list[int], after: list[int]) -> tuple[float, float]:
    if len(before) == 1:
        return 0.0, 1.0
    test: Any = stats.chi2_contingency([before, after])
    return float(test.statistic), float(test.pvalue)


def _nothing(test: str) -> Json:
    return {
        "psi": None,
        "test": test,
        "statistic": None,
        "p_value": None,
        "bins": None,
    }
