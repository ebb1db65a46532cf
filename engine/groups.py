"""Which group each row belongs to: a common value of a column, or a quarter of it."""

# ruff: noqa: S608 - names and literals are quoted by `tables`
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from engine import reading, tables
from engine.features import Reading
from engine.measures import Floats

MOST_GROUPS = 20
MOST_VALUES = 20  # a number column with more is cut into quarters
MOST_TEXT = 120  # of a name; longer values that begin alike are one group
MISSING = "(missing)"
OTHER = "other"
_QUARTERS = 4


@dataclass(frozen=True)
class Groups:
    """The groups of n rows.

    Attributes:
        codes: shape (n,), places in `names`.
        names: of which each is there once.
    """

    codes: NDArray[np.int64]
    names: tuple[str, ...]


def read(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    asked: Reading,
    column: str,
    kind: str,
) -> Groups:
    """Name the group of each row that `reading.read` returns, in the same order.

    Args:
        database: to read with.
        path: the file.
        asked: how its rows are read.
        column: whose values tell groups apart; rare ones beyond the `MOST_GROUPS`
            commonest are `OTHER`.
        kind: the SQL type of that column; many numbers are cut into quarters.
    """
    rows, value = reading.known_rows(path, asked), tables.name(column)
    if kind in ("BIGINT", "DOUBLE"):
        distinct = f"SELECT count(DISTINCT {value}) FROM {rows}"
        if database.execute(distinct).fetchall()[0][0] > MOST_VALUES:
            numbers = f"SELECT {value}::DOUBLE AS value FROM {rows}"
            found = database.execute(f"{numbers} ORDER BY file_row_number").df()
            return quarters(found["value"].to_numpy(np.float64))
    return _commonest(database, rows, value)


def _commonest(database: duckdb.DuckDBPyConnection, rows: str, value: str) -> Groups:
    known = f"left(CAST({value} AS VARCHAR), {MOST_TEXT})"
    label = f"coalesce({known}, {tables.text(MISSING)})"
    kept = database.execute(
        f"SELECT {label} AS label FROM {rows} GROUP BY label "
        f"ORDER BY count(*) DESC, label LIMIT {MOST_GROUPS}"
    ).fetchall()
    names = [name for (name,) in kept]
    listed = ", ".join(map(tables.text, names))
    database.execute(f"CREATE OR REPLACE TYPE kept AS ENUM ({listed})")
    (found,) = (
        database.execute(
            f"SELECT TRY_CAST({label} AS kept) AS label FROM {rows} "
            "ORDER BY file_row_number"
        )
        .df()
        .items()
    )
    codes = np.asarray(found[1].cat.codes, dtype=np.int64)
    if (codes < 0).any():
        if OTHER not in names:
            names.append(OTHER)
        codes = np.where(codes < 0, names.index(OTHER), codes)
    return Groups(codes, tuple(names))


def quarters(numbers: Floats) -> Groups:
    """Put each number into the quarter of the distribution it lies in.

    Args:
        numbers: shape (n,), missing is NaN.
    """
    known = np.isfinite(numbers)
    edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, _QUARTERS + 1)))
    names = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    codes = np.searchsorted(edges[1:-1], numbers, side="left")
    codes[~known] = len(names)
    return _merged(codes, [*names, MISSING])


def _merged(codes: NDArray[np.int64], names: list[str]) -> Groups:
    """Make one group of groups that are called the same."""
    distinct, places = np.unique(names, return_inverse=True)
    return Groups(places[codes], tuple(map(str, distinct)))
