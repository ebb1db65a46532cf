"""A profile of every column: counts, quantiles, a histogram, the commonest values."""

# ruff: noqa: S608 - names and literals are quoted by `tables`
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from engine import tables
from engine.folder import Json

BINS = 10
MOST_VALUES = 10
FEW_DISTINCT = 20
LONGEST_VALUE = 200
EXACT_ROWS = 1_000_000  # above this, quantiles and distinct counts are estimates
_QUANTILES = (0.25, 0.5, 0.75)
_DAY_SECONDS = 86_400.0
_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # the years 1 to 9999, in seconds


def profile(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    types: dict[str, str],
    on_progress: Callable[[float], None],
) -> tuple[int, list[Json]]:
    """Describe each column of a Parquet file, one column in memory at a time.

    Args:
        database: a connection that may read `path`.
        path: the Parquet file.
        types: column name to `boolean`, `integer`, `number`, `text`, `date`
            or `timestamp`.
        on_progress: called with the share of columns done.

    Returns:
        The number of rows, and one object per column.
    """
    table = f"read_parquet({tables.text(path)})"
    row_count: int = database.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
    columns = []
    for done, (column, kind) in enumerate(types.items(), start=1):
        columns.append(_Column(database, table, column, kind, row_count).describe())
        on_progress(done / len(types))
    return row_count, columns


class _Column:
    """One column's questions to the database."""

    def __init__(
        self,
        database: duckdb.DuckDBPyConnection,
        table: str,
        column: str,
        kind: str,
        row_count: int,
    ) -> None:
        self._database = database
        self._table = table
        self._kind = kind
        self._is_exact = row_count <= EXACT_ROWS
        self._name = column
        self._value = tables.name(column)
        self._is_time = kind in ("date", "timestamp")
        # Dates are counted as seconds since 1970, so that one code serves all.
        seconds, number = f"epoch({self._value})", f"CAST({self._value} AS DOUBLE)"
        self._number = seconds if self._is_time else number

    def describe(self) -> Json:
        missing, distinct = self._counts()
        found: Json = {
            "name": self._name,
            "type": self._kind,
            "missing": missing,
            "distinct": distinct,
            **dict.fromkeys(("min", "max", "mean", "std", "quantiles", "histogram")),
            "top": [],
        }
        if self._kind not in ("text", "boolean"):
            found |= self._numbers()
        if self._kind in ("text", "boolean") or distinct <= FEW_DISTINCT:
            found["top"] = self._top()
        return found

    def _ask(self, expressions: str, rest: str = "") -> list[Any]:
        query = f"SELECT {expressions} FROM {self._table} {rest}"
        return self._database.execute(query).fetchall()

    def _counts(self) -> tuple[int, int]:
        count = "count(DISTINCT {})" if self._is_exact else "approx_count_distinct({})"
        expressions = f"count(*) - count({self._value}), {count.format(self._value)}"
        missing, distinct = self._ask(expressions)[0]
        return missing, distinct

    def _numbers(self) -> Json:
        quantile = "quantile_cont" if self._is_exact else "approx_quantile"
        x = self._number
        least, most, mean, std, quantiles = self._ask(
            f"min({x}), max({x}), avg({x}), stddev_samp({x}), "
            f"{quantile}({x}, {list(_QUANTILES)})"
        )[0]
        if least is None:
            return {}
        named = zip(map(str, _QUANTILES), map(self._shown, quantiles), strict=True)
        return {
            "min": self._shown(least),
            "max": self._shown(most),
            "mean": None if self._is_time else mean,
            "std": None if self._is_time else std,
            "quantiles": dict(named),
            "histogram": self._histogram(least, most),
        }

    def _histogram(self, least: float, most: float) -> Json:
        """Count the values in bins of equal width; a constant gets a bin around it."""
        if least == most:
            half = _DAY_SECONDS / 2 if self._is_time else 0.5
            least, most = least - half, most + half
        width = most / BINS - least / BINS
        rows = self._ask(
            f"least(greatest(floor(({self._number} - {least!r}) / {width!r}), 0), "
            f"{BINS - 1}) AS bin, count(*)",
            f"WHERE {self._value} IS NOT NULL GROUP BY bin",
        )
        counts = {int(place): count for place, count in rows}
        edges = [least + step * width for step in range(BINS)] + [most]
        return {
            "edges": [self._shown(edge) for edge in edges],
            "counts": [counts.get(place, 0) for place in range(BINS)],
        }

    def _top(self) -> list[Json]:
        value = f"CAST({self._value} AS VARCHAR)"
        rows = self._ask(
            f"{value} AS value, count(*) AS count",
            f"WHERE {self._value} IS NOT NULL GROUP BY value "
            f"ORDER BY count DESC, value LIMIT {MOST_VALUES}",
        )
        return [{"value": v[:LONGEST_VALUE], "count": count} for v, count in rows]

    def _shown(self, number: float) -> float | int | str:
        """Write a number as the column's own kind: dates as ISO text."""
        if not self._is_time:
            whole = self._kind == "integer" and number == int(number)
            return int(number) if whole else number
        moment = datetime.fromtimestamp(min(max(number, _FIRST), _LAST), UTC)
        if self._kind == "date":
            return moment.date().isoformat()
        return moment.replace(tzinfo=None).isoformat(timespec="seconds")
