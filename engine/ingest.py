"""The verb `ingest`: an uploaded table becomes typed Parquet with a profile.

Values stay what they are: a formula is text, `02139` is text and not a number, and
yes/no is text and not a boolean. Only what cannot be computed with becomes missing:
blank text, numbers that are not finite, dates outside the years 1 to 9999.
"""

# ruff: noqa: S608 - names and literals are quoted by `tables`
import csv
from pathlib import Path

import duckdb

from engine import csv_rows, raw_bytes, tables
from engine.folder import MOST_DETAILS, EngineError, Folder, Json
from engine.profile import profile
from engine.spec import IngestSpec

_DATE_FORMATS = ("%Y-%m-%d", "%m/%d/%Y")
_SAMPLE_ROWS = 20_480
# Values that a guessed type would not give back as they were written: words for yes
# and no, leading zeros, and digits beyond what a double holds.
_ALTERED = {
    "BOOLEAN": "NOT IN ('true', 'false')",
    "BIGINT": "SIMILAR TO '0[0-9].*'",
    "DOUBLE": "SIMILAR TO '0[0-9].*|[0-9]{16,}'",
}
_READABLE = {
    "TINYINT": "BIGINT",
    "SMALLINT": "BIGINT",
    "INTEGER": "BIGINT",
    "UTINYINT": "BIGINT",
    "USMALLINT": "BIGINT",
    "UINTEGER": "BIGINT",
    "UBIGINT": "DOUBLE",
    "HUGEINT": "DOUBLE",
    "UHUGEINT": "DOUBLE",
    "FLOAT": "DOUBLE",
    "DECIMAL": "DOUBLE",
    "TIME": "VARCHAR",
    "UUID": "VARCHAR",
    "ENUM": "VARCHAR",
    **{kind: kind for kind in tables.TYPES},
}


def run(spec: IngestSpec, folder: Folder) -> Json:
    """Write `outputs/data.parquet` and describe it."""
    original = folder.require_input("original")
    target = folder.outputs / "data.parquet"
    with tables.connect(folder.path, threads=spec.threads) as database:
        if spec.format == "csv":
            types = _ingest_csv(database, folder, original, target, spec.max_rows)
        else:
            types = _ingest_parquet(database, original, target, spec.max_rows)
        folder.progress(0.5, "Describing columns")
        row_count, columns = profile(
            database,
            target,
            {column: tables.TYPES[kind] for column, kind in types.items()},
            lambda ratio: folder.progress(0.5 + ratio / 2, "Describing columns"),
        )
    folder.log(f"{row_count:,} rows in {len(columns)} columns.")
    return {
        "row_count": row_count,
        "byte_count": target.stat().st_size,
        "schema": [
            {"name": c["name"], "type": c["type"], "nullable": c["missing"] > 0}
            for c in columns
        ],
        "profile": {"columns": columns},
    }


def _ingest_csv(
    database: duckdb.DuckDBPyConnection,
    folder: Folder,
    original: Path,
    target: Path,
    max_rows: int | None,
) -> dict[str, str]:
    stage = "Checking the file"
    raw_bytes.check_text(original, lambda ratio: folder.progress(ratio * 0.1, stage))
    shape = csv_rows.read_shape(original, lambda n: folder.log(f"{n:,} rows checked."))
    _check_row_count(shape.row_count, max_rows)
    folder.progress(0.2, "Finding types")
    types, date_format = _infer_types(database, original, shape)
    folder.progress(0.3, "Writing Parquet")
    columns = ", ".join(f"{tables.text(c)}: {tables.text(k)}" for c, k in types.items())
    source = (
        f"read_csv({tables.text(original)}, {_dialect(shape.delimiter)}, "
        f"auto_detect = false, columns = {{{columns}}}, "
        f"dateformat = {tables.text(date_format)}, "
        f"store_rejects = true, rejects_limit = {MOST_DETAILS})"
    )
    written = _write(database, source, types, target)
    _check_rejects(database, shape, types)
    if written != shape.row_count:
        raise EngineError(
            f"Only {written:,} of {shape.row_count:,} rows could be read; check quotes "
            "and line ends and upload the file again."
        )
    return types


def _dialect(delimiter: str) -> str:
    return (
        f"delim = {tables.text(delimiter)}, quote = '\"', escape = '\"', "
        "header = true, comment = '', strict_mode = false, null_padding = false, "
        f"max_line_size = {2 * csv_rows.LONGEST_FIELD}, parallel = false"
    )


def _infer_types(
    database: duckdb.DuckDBPyConnection, original: Path, shape: csv_rows.Shape
) -> tuple[dict[str, str], str]:
    """Guess types from the first rows; return them with the format of dates."""
    found: dict[str, dict[str, str]] = {}
    for date_format in _DATE_FORMATS:
        rows = database.execute(
            f"DESCRIBE SELECT * FROM read_csv({tables.text(original)}, "
            f"{_dialect(shape.delimiter)}, sample_size = {_SAMPLE_ROWS}, "
            f"dateformat = {tables.text(date_format)}, auto_type_candidates = "
            f"{list(tables.TYPES)})"
        ).fetchall()
        kinds = (row[1] for row in rows)
        found[date_format] = dict(zip(shape.columns, kinds, strict=True))
    best = max(found, key=lambda key: list(found[key].values()).count("DATE"))
    for column in _text_after_all(database, original, shape, found[best]):
        found[best][column] = "VARCHAR"
    return found[best], best


def _text_after_all(
    database: duckdb.DuckDBPyConnection,
    original: Path,
    shape: csv_rows.Shape,
    types: dict[str, str],
) -> list[str]:
    """List the columns whose guessed type would change how some value is written."""
    suspects = {
        column: f"bool_or(lower(trim({tables.name(column)})) {_ALTERED[kind]})"
        for column, kind in types.items()
        if kind in _ALTERED
    }
    if not suspects:
        return []
    columns = ", ".join(f"{tables.text(column)}: 'VARCHAR'" for column in types)
    row = database.execute(
        f"SELECT {', '.join(suspects.values())} "
        f"FROM read_csv({tables.text(original)}, {_dialect(shape.delimiter)}, "
        f"auto_detect = false, columns = {{{columns}}})"
    ).fetchone()
    return [
        column for column, changes in zip(suspects, row or (), strict=True) if changes
    ]


def _ingest_parquet(
    database: duckdb.DuckDBPyConnection,
    original: Path,
    target: Path,
    max_rows: int | None,
) -> dict[str, str]:
    raw_bytes.check_parquet(original)
    source = f"read_parquet({tables.text(original)})"
    try:
        rows = database.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        count = database.execute(f"SELECT count(*) FROM {source}").fetchall()[0][0]
        _check_row_count(count, max_rows)
        columns = csv_rows.check_names([row[0] for row in rows])
        kinds = [_readable(row[0], row[1]) for row in rows]
        types = dict(zip(columns, kinds, strict=True))
        renamed = ", ".join(tables.name(column) for column in columns)
        _write(database, f"{source} AS source({renamed})", types, target)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        message = f"The file cannot be read as Parquet ({reason}); write it again."
        raise EngineError(message) from error
    return types


def _readable(column: str, kind: str) -> str:
    """Return the type to store a Parquet column in."""
    plain = kind.split("(")[0].split(" ")[0].removesuffix("_NS")
    plain = plain.removesuffix("_MS").removesuffix("_S")
    if kind.endswith("]") or plain not in _READABLE:
        raise EngineError(
            f'Column "{column}" is of the type {kind[:60]}, which is not a single '
            "value; split it into plain columns or leave it out."
        )
    return _READABLE[plain]


def _check_row_count(count: int, max_rows: int | None) -> None:
    if count == 0:
        raise EngineError("The file holds no rows; upload one with data.")
    if max_rows is not None and count > max_rows:
        raise EngineError(
            f"The file has {count:,} rows, more than the {max_rows:,} allowed; "
            "upload a part of it or ask for a higher limit."
        )


def _write(
    database: duckdb.DuckDBPyConnection,
    source: str,
    types: dict[str, str],
    target: Path,
) -> int:
    """Write the cleaned columns of `source` as Parquet; return the row count."""
    columns = ", ".join(
        f"{_clean(tables.name(column), kind)} AS {tables.name(column)}"
        for column, kind in types.items()
    )
    written = database.execute(
        f"COPY (SELECT {columns} FROM {source}) TO {tables.text(target)} "
        "(FORMAT parquet, COMPRESSION zstd)"
    ).fetchall()
    return int(written[0][0])


def _clean(column: str, kind: str) -> str:
    value = f"CAST({column} AS {kind})"
    if kind == "VARCHAR":
        return f"CASE WHEN trim({value}) <> '' THEN {value} END"
    if kind == "DOUBLE":
        return f"CASE WHEN isfinite({value}) THEN {value} END"
    if kind in ("DATE", "TIMESTAMP"):
        known = f"isfinite({value}) AND year({value}) BETWEEN 1 AND 9999"
        return f"CASE WHEN {known} THEN {value} END"
    return value


def _check_rejects(
    database: duckdb.DuckDBPyConnection, shape: csv_rows.Shape, types: dict[str, str]
) -> None:
    """Turn what DuckDB could not read into places a person can find."""
    rejected = database.execute(
        "SELECT line, column_idx, csv_line FROM reject_errors ORDER BY line, column_idx"
    ).fetchall()
    details = [
        _wrong_value(row, int(index), line or "", shape, types)
        for row, index, line in rejected
    ]
    if details:
        raise EngineError(
            f"{details[0]['message']} Correct the file and upload it again.",
            details=details,
        )


def _wrong_value(
    row: int, index: int, line: str, shape: csv_rows.Shape, types: dict[str, str]
) -> Json:
    column = shape.columns[min(index, len(shape.columns)) - 1]
    fields = next(csv.reader([line], delimiter=shape.delimiter), [])
    value = fields[index - 1][: csv_rows.LONGEST_QUOTE] if index <= len(fields) else ""
    kind = tables.TYPES[types[column]]
    return {
        "row": row,
        "column": column,
        "message": f'Row {row:,}, column "{column}": {value!r} does not fit the type '
        f"{kind} of the rows before.",
        "text": value,
    }
