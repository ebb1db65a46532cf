"""How far two trainings are apart in what they answer and in what was measured."""

# ruff: noqa: S608 - names and literals are quoted by `tables`
import math
from dataclasses import dataclass
from pathlib import Path

import duckdb

from engine import tables
from engine.folder import EngineError, Json
from engine.spec.decode import require


@dataclass(frozen=True)
class Tolerance:
    """The largest differences that still count as the same.

    Attributes:
        predictions: of a probability, or of a predicted value in its own unit.
        metrics: of any measure.
    """

    predictions: float
    metrics: float

    def __post_init__(self) -> None:
        require(self.predictions >= 0, "predictions", "must not be negative.")
        require(self.metrics >= 0, "metrics", "must not be negative.")


@dataclass(frozen=True)
class Gap:
    """How far the predictions of two trainings are apart.

    Attributes:
        rows: that either has.
        unmatched: that only one of both has.
        changed: rows with another class; for regression none.
        largest: absolute difference of a probability or predicted value; NaN when
            there is nothing to compare.
    """

    rows: int
    unmatched: int
    changed: int
    largest: float

    def is_within(self, tolerance: Tolerance) -> bool:
        """Say whether no row is missing, no class another and no value too far."""
        close = self.largest <= tolerance.predictions
        return not self.unmatched and not self.changed and close


def predictions_gap(
    database: duckdb.DuckDBPyConnection, expected: Path, found: Path
) -> Gap:
    """Compare two files of predictions row by row.

    Raises:
        EngineError: one of them is no such file.
    """
    try:
        old, new = (_columns(database, path) for path in (expected, found))
        if old != new:
            return Gap(0, 0, 0, math.nan)
        is_value = old["prediction"] == "DOUBLE"
        scores = [name for name in old if name.startswith("probability")]
        scores = ["prediction"] if is_value else scores
        query = _query(expected, found, scores, has_classes=not is_value)
        rows, unmatched, changed, *gaps = database.execute(query).fetchall()[0]
    except (duckdb.Error, KeyError) as error:
        raise EngineError(
            "The kept predictions cannot be read; the file was damaged."
        ) from error
    known = [gap for gap in gaps if gap is not None]
    return Gap(rows, unmatched, changed, max(known, default=math.nan))


def metric_rows(expected: Json, found: Json) -> list[Json]:
    """Put each measure of both trainings side by side, the farthest apart first."""
    rows = [
        {
            "key": key,
            "expected": expected.get(key),
            "found": found.get(key),
            "difference": _difference(expected.get(key), found.get(key)),
        }
        for key in sorted(expected.keys() | found.keys())
    ]
    return sorted(rows, key=lambda row: -_size(row["difference"]))


def metrics_within(rows: list[Json], tolerance: Tolerance) -> bool:
    """Say whether every measure of `metric_rows` is close enough."""
    return all(_size(row["difference"]) <= tolerance.metrics for row in rows)


def _columns(database: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    query = f"DESCRIBE SELECT * FROM read_parquet({tables.text(path)})"
    return {row[0]: row[1] for row in database.execute(query).fetchall()}


def _query(expected: Path, found: Path, scores: list[str], *, has_classes: bool) -> str:
    changed = "a.prediction <> b.prediction" if has_classes else "false"
    gaps = ", ".join(f"max(abs(a.{name} - b.{name}))" for name in scores)
    return (
        "SELECT count(*), count(*) FILTER (a.row IS NULL OR b.row IS NULL), "
        f"count(*) FILTER ({changed}){', ' * bool(gaps)}{gaps} "
        f"FROM read_parquet({tables.text(expected)}) a "
        f"FULL JOIN read_parquet({tables.text(found)}) b ON a.row = b.row"
    )


def _difference(old: float | None, new: float | None) -> float | None:
    return None if old is None or new is None else abs(old - new)


def _size(difference: float | None) -> float:
    """Rank what only one of both has above everything."""
    return math.inf if difference is None else difference
