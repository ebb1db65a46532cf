"""How numeric columns move together, on a sample of rows."""

import numpy as np
from numpy.typing import NDArray

from engine.folder import Json

MOST_COLUMNS = 40
FEWEST_ROWS = 3
_PAIR = 2
Matrix = NDArray[np.float64]


def correlate(columns: dict[str, Matrix]) -> Json | None:
    """Correlate every pair of columns over the rows in which both have a value.

    Args:
        columns: arrays of one length, NaN where missing; the first `MOST_COLUMNS` that
            vary are used.

    Returns:
        `columns`, `pearson` and `spearman` (rows of numbers in [-1, 1], `None` where
        too few rows have both), `rows` (looked at); or `None` for fewer than two.
    """
    varied = [name for name, values in columns.items() if _varies(values)]
    names = varied[:MOST_COLUMNS]
    if len(names) < _PAIR:
        return None
    table = np.column_stack([columns[name] for name in names])
    ranks = np.column_stack([_ranks(column) for column in table.T])
    return {
        "columns": names,
        "left_out": len(varied) - len(names),
        "rows": len(table),
        "pearson": _rounded(_pearson(table)),
        "spearman": _rounded(_pearson(ranks)),
    }


def _varies(values: Matrix) -> bool:
    known = values[np.isfinite(values)]
    return len(known) >= FEWEST_ROWS and bool((known != known[0]).any())


def _ranks(values: Matrix) -> Matrix:
    """Rank values from 1; equal ones share the mean of their ranks; NaN stays."""
    is_known = np.isfinite(values)
    _, places, counts = np.unique(
        values[is_known], return_inverse=True, return_counts=True
    )
    ranks = np.full(len(values), np.nan)
    ranks[is_known] = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return ranks


def _pearson(table: Matrix) -> Matrix:
    """Correlate columns pairwise by sums over the rows that both have.

    Source:
        The product-moment formula with sums restricted to complete pairs, as in
        `DataFrame.corr` of pandas.
    """
    with np.errstate(all="ignore"):
        scaled = (table - np.nanmean(table, axis=0)) / np.nanstd(table, axis=0)
        known = np.isfinite(scaled).astype(np.float64)
        x = np.where(known > 0, scaled, 0.0)
        n = known.T @ known
        sums = x.T @ known
        squares = (x * x).T @ known
        covariance = x.T @ x - sums * sums.T / n
        spread = squares - sums * sums / n
        found: Matrix = covariance / np.sqrt(spread * spread.T)
        found[n < FEWEST_ROWS] = np.nan
    return np.clip(found, -1.0, 1.0)


def _rounded(matrix: Matrix) -> list[list[float | None]]:
    return [
        [round(float(value), 4) if np.isfinite(value) else None for value in row]
        for row in matrix
    ]
