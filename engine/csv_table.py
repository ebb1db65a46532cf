"""Types for the columns of a CSV file, and the places where a value does not fit."""

# ruff: noqa: S608 - names and literals are quoted by `tables`
import csv
from dataclasses import dataclass
from pathlib import Path

import duckdb

from engine import tables
from engine.csv_rows import LONGEST_FIELD, LONGEST_QUOTE, Shape
from engine.folder import MOST_DETAILS, EngineError, Json

_DATE_FORMATS = ("%Y-%m-%d", "%m/%d/%Y")
_SAMPLE_ROWS = 20_480
# Values that a guessed type would not give back as they were written: words for yes
# and no, leading zeros, and digits beyond what a double holds.
_ALTERED = {
    "BOOLEAN": "NOT IN ('true', 'false')",
    "BIGINT": "SIMILAR TO '0[0-9].*'",
    "DOUBLE": "SIMILAR TO '0[0-9].*|[0-9]{16,}'",
}


@dataclass(frozen=True)
class CsvTable:
    """A CSV file of known shape and types.

    Attributes:
        types: column name to SQL type.
        date_format: how its dates are written.
    """

    path: Path
    shape: Shape
    types: dict[str, str]
    date_format: str

    def source(self) -> str:
        """Return the SQL table that reads the file and records what does not fit."""
        return _reader(
            self.path,
            self.shape,
            f"auto_detect = false, columns = {_columns(self.types)}, "
            f"dateformat = {tables.text(self.date_format)}, "
            f"store_rejects = true, rejects_limit = {MOST_DETAILS}",
        )

    def check_rejects(self, database: duckdb.DuckDBPyConnection) -> None:
        """Check that every value fitted, after `source` has been read.

        Raises:
            EngineError: some did not; names their rows and columns.
        """
        rejected = database.execute(
            "SELECT line, column_idx, csv_line FROM reject_errors "
            "ORDER BY line, column_idx"
        ).fetchall()
        details = [
            self._wrong_value(row, int(index), line or "")
            for row, index, line in rejected
        ]
        if details:
            raise EngineError(
                f"{details[0]['message']} Correct the file and upload it again.",
                details=details,
            )

    def _wrong_value(self, row: int, index: int, line: str) -> Json:
        column = self.shape.columns[min(index, len(self.shape.columns)) - 1]
        fields = next(csv.reader([line], delimiter=self.shape.delimiter), [])
        value = fields[index - 1][:LONGEST_QUOTE] if index <= len(fields) else ""
        kind = tables.TYPES[self.types[column]]
        return {
            "row": row,
            "column": column,
            "message": f'Row {row:,}, column "{column}": {value!r} does not fit the '
            f"type {kind} of the rows before.",
            "text": value,
        }


def infer(database: duckdb.DuckDBPyConnection, path: Path, shape: Shape) -> CsvTable:
    """Guess types from the first rows, and take back guesses that alter values."""
    found: dict[str, dict[str, str]] = {}
    for date_format in _DATE_FORMATS:
        reader = _reader(
            path,
            shape,
            f"sample_size = {_SAMPLE_ROWS}, dateformat = {tables.text(date_format)}, "
            f"auto_type_candidates = {list(tables.TYPES)}",
        )
        rows = database.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()
        kinds = (row[1] for row in rows)
        found[date_format] = dict(zip(shape.columns, kinds, strict=True))
    best = max(found, key=lambda key: list(found[key].values()).count("DATE"))
    types = found[best]
    altered = dict.fromkeys(_altered(database, path, shape, types), "VARCHAR")
    return CsvTable(path, shape, types | altered, best)


def _altered(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    shape: Shape,
    types: dict[str, str],
) -> list[str]:
    """List the columns in which some value would not come back as it was written."""
    suspects = {
        column: f"bool_or(lower(trim({tables.name(column)})) {_ALTERED[kind]})"
        for column, kind in types.items()
        if kind in _ALTERED
    }
    if not suspects:
        return []
    columns = _columns(dict.fromkeys(types, "VARCHAR"))
    reader = _reader(path, shape, f"auto_detect = false, columns = {columns}")
    answers = database.execute(
        f"SELECT {', '.join(suspects.values())} FROM {reader}"
    ).fetchall()
    return [column for column, yes in zip(suspects, answers[0], strict=True) if yes]


def _reader(path: Path, shape: Shape, options: str) -> str:
    """Read in the dialect that `csv_rows` has checked; nothing of it is guessed."""
    return (
        f"read_csv({tables.text(path)}, delim = {tables.text(shape.delimiter)}, "
        "quote = '\"', escape = '\"', header = true, comment = '', "
        "strict_mode = false, null_padding = false, parallel = false, "
        f"max_line_size = {2 * LONGEST_FIELD}, {options})"
    )


def _columns(types: dict[str, str]) -> str:
    pairs = (
        f"{tables.text(name)}: {tables.text(kind)}" for name, kind in types.items()
    )
    return f"{{{', '.join(pairs)}}}"
