"""Types for the columns of a CSV file, and the places where a value does not fit."""

# ruff: noqa: S608 - names and literals are quoted by `tables`
import csv
from dataclasses import dataclass
from pathlib import Path

import duckdb

from engine import tables
from engine.folder import EngineError
from engine.readers import csv_rows
from engine.readers.csv_rows import LONGEST_FIELD, Shape
from engine.readers.problems import LONGEST_QUOTE, Problems
from engine.readers.task import Task

_DATE_FORMATS = ("%Y-%m-%d", "%m/%d/%Y")
_SAMPLE_ROWS = 20_480
_HEAD_BYTES = 1024 * 1024
_MOST_REJECTS = 10_000
_GUESSED = ("BOOLEAN", "BIGINT", "DOUBLE", "VARCHAR", "DATE", "TIMESTAMP")
# Values that a guessed type would not give back as they were written: words for yes
# and no, leading zeros, and digits beyond what a double holds.
_ALTERED = {
    "BOOLEAN": "lower(trim({0})) NOT IN ('true', 'false')",
    "BIGINT": "regexp_matches(trim({0}), '^[-+]?0[0-9]')",
    "DOUBLE": "regexp_matches(trim({0}), '^[-+]?(0[0-9]|[0-9]{{16,}}$)')",
}


def read(task: Task) -> dict[str, str]:
    """Write a CSV or TSV file as Parquet; return the SQL type of each column.

    Raises:
        EngineError: the file is wrong; the details list up to 100 places of any kind.
    """
    problems = Problems()
    shape = csv_rows.read_shape(
        task.path,
        task.spec.format,
        problems,
        lambda ratio: task.progress(ratio * 0.3, "Checking the file"),
    )
    if not shape.is_whole:
        problems.check()
    task.check_row_count(shape.row_count)
    task.progress(0.3, "Finding types")
    table = infer(task.database, task.path, shape)
    task.progress(0.45, "Writing Parquet")
    written = task.write(table.source(task.spec.threads), table.types)
    table.note_rejects(task.database, problems)
    problems.check()
    if written != shape.row_count:
        raise EngineError(
            f"The file has {shape.row_count:,} rows by one reading and {written:,} by "
            "another; check quotes and line ends and upload it again."
        )
    return table.types


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

    def source(self, threads: int) -> str:
        """Return the SQL table that reads the file and records what does not fit."""
        parallel = self.shape.is_plain and threads > 1
        return _reader(
            self.path,
            self.shape,
            f"auto_detect = false, columns = {_columns(self.types)}, "
            f"dateformat = {tables.text(self.date_format)}, store_rejects = true, "
            f"rejects_limit = {_MOST_REJECTS}, parallel = {str(parallel).lower()}",
        )

    def note_rejects(
        self, database: duckdb.DuckDBPyConnection, problems: Problems
    ) -> None:
        """Note every value that did not fit, after `source` has been read."""
        # Rows of a wrong length were noted when the shape was read.
        known = "WHERE error_type NOT LIKE '%COLUMNS'" if problems else ""
        rejected = database.execute(
            f"SELECT line, column_idx, csv_line FROM reject_errors {known} "
            "ORDER BY line, column_idx"
        ).fetchall()
        found = Problems()
        for row, index, line in rejected:
            self._note_wrong_value(found, row, int(index), line or "")
        problems.gather(found)

    def _note_wrong_value(
        self, problems: Problems, row: int, index: int, line: str
    ) -> None:
        column = self.shape.columns[min(index, len(self.shape.columns)) - 1]
        fields = next(csv.reader([line], delimiter=self.shape.delimiter), [])
        value = fields[index - 1][:LONGEST_QUOTE] if index <= len(fields) else ""
        problems.add(
            f'Row {row:,}, column "{column}": {value!r} does not fit the '
            f"type {tables.TYPES[self.types[column]]} of the rows before.",
            row=row,
            column=column,
            text=value,
        )


def infer(database: duckdb.DuckDBPyConnection, path: Path, shape: Shape) -> CsvTable:
    """Guess types from the first rows, and take back guesses that alter values."""
    found: dict[str, dict[str, str]] = {}
    with path.open("rb") as file:
        formats = _DATE_FORMATS[: 2 if b"/" in file.read(_HEAD_BYTES) else 1]
    for date_format in formats:
        reader = _reader(
            path,
            shape,
            f"sample_size = {_SAMPLE_ROWS}, dateformat = {tables.text(date_format)}, "
            f"auto_type_candidates = {list(_GUESSED)}, {_passing(shape)}",
        )
        rows = database.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()
        kinds = (row[1] for row in rows)
        found[date_format] = dict(zip(shape.columns, kinds, strict=True))
    best = max(found, key=lambda key: list(found[key].values()).count("DATE"))
    types = found[best]
    # Most wrong guesses show in the first rows, which spares reading all of them.
    for rest in (f"LIMIT {_SAMPLE_ROWS}", ""):
        altered = _altered(database, path, shape, types, rest)
        types |= dict.fromkeys(altered, "VARCHAR")
    return CsvTable(path, shape, types, best)


def _altered(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    shape: Shape,
    types: dict[str, str],
    rest: str,
) -> list[str]:
    """List the columns in which some value would not come back as it was written."""
    suspects = {
        column: f"bool_or({_ALTERED[kind].format(tables.name(column))})"
        for column, kind in types.items()
        if kind == "BOOLEAN" or (kind in _ALTERED and column in shape.suspects)
    }
    if not suspects:
        return []
    columns = _columns(dict.fromkeys(types, "VARCHAR"))
    reader = _reader(
        path, shape, f"auto_detect = false, columns = {columns}, {_passing(shape)}"
    )
    answers = database.execute(
        f"SELECT {', '.join(suspects.values())} FROM (FROM {reader} {rest})"
    ).fetchall()
    return [column for column, yes in zip(suspects, answers[0], strict=True) if yes]


def _passing(shape: Shape) -> str:
    """Pass over rows of a wrong length, which were noted when the shape was read."""
    return f"ignore_errors = {str(not shape.is_plain).lower()}"


def _reader(path: Path, shape: Shape, options: str) -> str:
    """Read in the dialect that `csv_rows` has checked; nothing of it is guessed."""
    return (
        f"read_csv({tables.text(path)}, delim = {tables.text(shape.delimiter)}, "
        "quote = '\"', escape = '\"', header = true, comment = '', "
        "strict_mode = false, null_padding = false, "
        f"max_line_size = {2 * LONGEST_FIELD}, {options})"
    )


def _columns(types: dict[str, str]) -> str:
    pairs = (
        f"{tables.text(name)}: {tables.text(kind)}" for name, kind in types.items()
    )
    return f"{{{', '.join(pairs)}}}"
