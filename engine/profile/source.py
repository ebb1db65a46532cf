"""Where the values of a profile come from: a Parquet file, whole or a part of it."""

# ruff: noqa: S608 - names and literals are quoted by `tables`
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from engine import tables

EXACT_ROWS = (
    10_000_000  # above, quantiles, histograms and distinct counts are estimates
)
Values = np.ma.MaskedArray[Any, Any]


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
        table, rest = self._table(), ""
        if not self.is_exact:
            step = -(-self.row_count // EXACT_ROWS)
            table = f"{table[:-1]}, file_row_number = true)"
            rest = f"WHERE hash(file_row_number) % {step} = 0"
        found = self._run(f"SELECT {expression} AS value FROM {table} {rest}")
        return np.ma.asarray(found.fetchnumpy()["value"])

    def groups(self, column: str, rest: str, most: int) -> list[tuple[str, int, int]]:
        """Count equal texts of a column, the commonest first.

        Args:
            column: its name.
            rest: a condition on `value`, in SQL.
            most: how many to return.

        Returns:
            The text, its count, and how many different ones there are in all.
        """
        value = tables.name(column)
        return self._run(
            "SELECT CAST(value AS VARCHAR) AS text, count(*) AS count, "
            "count(*) OVER () FROM "
            f"(SELECT {value} AS value FROM {self._table()}) "
            f"WHERE value IS NOT NULL AND {rest} GROUP BY value "
            f"ORDER BY count DESC, text LIMIT {most}"
        ).fetchall()

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
