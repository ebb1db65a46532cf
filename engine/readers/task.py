"""What every reader is given, and what readers have in common."""

# ruff: noqa: S608 - names and literals are quoted by `tables`
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from engine import tables
from engine.folder import EngineError, Folder
from engine.spec import IngestSpec

MOST_COLUMNS = 2_000
# What can be computed with: finite numbers, the years 1 to 9999. NaN sorts as largest.
_RANGES = {
    "DOUBLE": "-1.7976931348623157e308 AND 1.7976931348623157e308",
    "DATE": "DATE '0001-01-01' AND DATE '9999-12-31'",
    "TIMESTAMP": "TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-31 23:59:59.999999'",
}


@dataclass(frozen=True)
class Task:
    """One file to read.

    Attributes:
        database: may touch nothing outside the job folder.
        path: the file, unpacked.
        target: the Parquet file to write.
    """

    database: duckdb.DuckDBPyConnection
    spec: IngestSpec
    folder: Folder
    path: Path
    target: Path

    def progress(self, ratio: float, stage: str) -> None:
        """Say how far reading is; `ratio` is 0 to 1."""
        self.folder.progress(0.05 + ratio * 0.5, stage)

    def write(self, source: str, types: Mapping[str, str]) -> int:
        """Write the cleaned columns of an SQL table as Parquet.

        Returns:
            The number of rows written, in the order of `source`.
        """
        columns = ", ".join(
            f"{_clean(tables.name(column), kind)} AS {tables.name(column)}"
            for column, kind in types.items()
        )
        written = self.database.execute(
            f"COPY (SELECT {columns} FROM {source}) TO {tables.text(self.target)} "
            # Level 2 made smaller files than the default, 3, and in less time.
            "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 2)"
        ).fetchall()
        return int(written[0][0])

    def check_row_count(self, count: int) -> None:
        """Check that there are rows, and not too many.

        Raises:
            EngineError: there are none, or more than the spec allows.
        """
        most = self.spec.max_rows
        if count == 0:
            raise EngineError("The file holds no rows; upload one with data.")
        if most is not None and count > most:
            raise EngineError(
                f"The file has {count:,} rows, more than the {most:,} allowed; "
                "upload a part of it or ask for a higher limit."
            )


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the column names, trimmed.

    Raises:
        EngineError: none, too many, an empty one, or two that differ only in case.
    """
    trimmed = tuple(name.strip() for name in names)
    if not any(trimmed):
        raise EngineError("Row 1 holds no column names; put a header there.")
    if len(trimmed) > MOST_COLUMNS:
        raise EngineError(
            f"The file has {len(trimmed):,} columns, more than {MOST_COLUMNS:,}; "
            "leave out what is not needed."
        )
    seen: dict[str, int] = {}
    for position, name in enumerate(trimmed, start=1):
        if not name:
            raise EngineError(f"Column {position:,} has no name in row 1; give it one.")
        if name.casefold() in seen:
            raise EngineError(
                f'Columns {seen[name.casefold()]:,} and {position:,} are both named "'
                f'{name}"; rename one (upper and lower case count as the same).'
            )
        seen[name.casefold()] = position
    return trimmed


def _clean(column: str, kind: str) -> str:
    value = f"CAST({column} AS {kind})"
    if kind == "VARCHAR":
        # Most texts begin with a mark above the space, which is quicker to see.
        is_some = f"WHEN {value} >= '!' THEN {value} WHEN trim({value}) <> ''"
        return f"CASE {is_some} THEN {value} END"
    if kind in _RANGES:
        return f"CASE WHEN {value} BETWEEN {_RANGES[kind]} THEN {value} END"
    return value
