"""Where the values of a profile come from: a Parquet file, whole or a part of it."""

# ruff: noqa: S608 - names and literals are quoted by `tables`
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from engine import tables

EXACT_ROWS = (
    10_000_000  # above, quantiles, histograms and distinct counts are estimates
)
Values = np.ma.MaskedArray[Any, Any]


class Group(NamedTuple):
    """Equal texts, and how many groups and rows there are of all of them."""

    text: str
    rows: int
    all_groups: int
    all_rows: int


@dataclass(frozen=True)
class Source:
    """A Parquet file and its number of rows; may be read by several threads."""

    database: duckdb.DuckDBPyConnection
    path: Path
    row_count: int

    @property
    def is_exact(self) -> bool:
        """Whether all values are looked at, and not a sample."""
        return self.row_count <= EXACT_ROWS

    def ask(self, expressions: str, rest: str = "") -> list[Any]:
        """Ask about every row."""
        return self._run(f"SELECT {expressions} FROM {self._table()} {rest}").fetchall()

    def values(self, expression: str) -> Values:
        """Return the values of all rows, or of the same sample for every column."""
        rest = ""
        if not self.is_exact:
            step = -(-self.row_count // EXACT_ROWS)
            # DuckDB's own number of a row; a column of that name serves as well.
            rest = f"WHERE hash(file_row_number) % {step} = 0"
        found = self._run(f"SELECT {expression} AS value FROM {self._table()} {rest}")
        return np.ma.asarray(found.fetchnumpy()["value"])

    def every(self, column: str, step: int) -> list[Any]:
        """Return the values of every `step`-th row that has one."""
        name = tables.name(column)
        found = self._run(
            f"SELECT {name} FROM {self._table()} WHERE file_row_number % {step} = 0 "
            f"AND {name} IS NOT NULL ORDER BY file_row_number"
        )
        return [row[0] for row in found.fetchall()]

    def groups(
        self, column: str, most: int, *, rows: str = "true", groups: str = "true"
    ) -> list[Group]:
        """Count equal texts of a column, the commonest first.

        Args:
            column: its name.
            most: how many to return.
            rows: a condition on `value` in SQL, asked of every row.
            groups: the same, asked of every different text.

        """
        value = tables.name(column)
        found = self._run(
            "SELECT CAST(value AS VARCHAR) AS text, count(*) AS count, "
            "count(*) OVER (), sum(count(*)) OVER () FROM "
            f"(SELECT {value} AS value FROM {self._table()}) "
            f"WHERE value IS NOT NULL AND {rows} GROUP BY value HAVING {groups} "
            f"ORDER BY count DESC, text LIMIT {most}"
        )
        return [Group(text, *map(int, counts)) for text, *counts in found.fetchall()]

    def _table(self) -> str:
        return f"read_parquet({tables.text(self.path)})"

    def _run(self, query: str) -> duckdb.DuckDBPyConnection:
        return self.database.cursor().execute(query)


def sample(values: Values, most: int) -> Values:
    """Choose up to `most` rows, the same ones for every column of one length."""
    if len(values) <= most:
        return values
    places = np.unique(np.random.default_rng(0).integers(0, len(values), most))
    chosen: Values = values[places]
    return chosen


def as_floats(values: Values) -> NDArray[np.float64]:
    """Return plain numbers, NaN where missing."""
    filled: NDArray[np.float64] = np.ma.filled(values.astype(np.float64), np.nan)
    return filled
