"""The verb `ingest`: an uploaded table becomes typed Parquet with a profile.

Values stay what they are: a formula is text, `02139` is text and not a number, and
yes/no is text and not a boolean. Only what cannot be computed with becomes missing:
blank text, numbers that are not finite, dates outside the years 1 to 9999.
"""

# ruff: noqa: S608 - names and literals are quoted by `tables`
from pathlib import Path

import duckdb

from engine import csv_rows, csv_table, raw_bytes, seal, tables
from engine.contract import hold_against_contract
from engine.fingerprint import fingerprint
from engine.folder import EngineError, Folder, Json
from engine.profile import profile
from engine.spec import IngestSpec

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
    target = folder.outputs / "data.parquet"
    types = _convert(spec, folder, target)
    sealed = (
        seal.split_off(spec.seal, folder, target, threads=spec.threads)
        if spec.seal
        else None
    )
    with tables.connect(folder.path, threads=spec.threads) as database:
        held = hold_against_contract(database, spec, target)
        row_count, columns = profile(
            database,
            target,
            {column: tables.TYPES[kind] for column, kind in types.items()},
            lambda ratio: folder.progress(0.5 + ratio * 0.4, "Describing columns"),
        )
        prints = fingerprint(
            database,
            target,
            lambda ratio: folder.progress(0.9 + ratio * 0.1, "Fingerprinting"),
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
        "sealed": sealed,
        "fingerprint": prints,
        "contract": held,
    }


def _convert(spec: IngestSpec, folder: Folder, target: Path) -> dict[str, str]:
    """Write the Parquet file and return the SQL type of each column."""
    original = folder.require_input("original")
    convert = _convert_csv if spec.format == "csv" else _convert_parquet
    try:
        with tables.connect(folder.path, threads=spec.threads) as database:
            return convert(database, spec, folder, original, target)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0].replace(f"{folder.inputs}/", "")
        raise EngineError(
            f"The file cannot be read as {spec.format} ({reason}); write it again."
        ) from error


def _convert_csv(
    database: duckdb.DuckDBPyConnection,
    spec: IngestSpec,
    folder: Folder,
    original: Path,
    target: Path,
) -> dict[str, str]:
    stage = "Checking the file"
    raw_bytes.check_text(original, lambda ratio: folder.progress(ratio * 0.1, stage))
    shape = csv_rows.read_shape(original, lambda n: folder.log(f"{n:,} rows checked."))
    _check_row_count(shape.row_count, spec.max_rows)
    folder.progress(0.2, "Finding types")
    table = csv_table.infer(database, original, shape)
    folder.progress(0.3, "Writing Parquet")
    written = _write(database, table.source(), table.types, target)
    table.check_rejects(database)
    if written != shape.row_count:
        raise EngineError(
            f"The file has {shape.row_count:,} rows by one reading and {written:,} by "
            "another; check quotes and line ends and upload it again."
        )
    return table.types


def _convert_parquet(
    database: duckdb.DuckDBPyConnection,
    spec: IngestSpec,
    folder: Folder,
    original: Path,
    target: Path,
) -> dict[str, str]:
    raw_bytes.check_parquet(original)
    folder.progress(0.1, "Writing Parquet")
    source = f"read_parquet({tables.text(original)})"
    rows = database.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    count = database.execute(f"SELECT count(*) FROM {source}").fetchall()[0][0]
    _check_row_count(count, spec.max_rows)
    columns = csv_rows.check_names([row[0] for row in rows])
    kinds = [_readable(row[0], row[1]) for row in rows]
    types = dict(zip(columns, kinds, strict=True))
    renamed = ", ".join(tables.name(column) for column in columns)
    _write(database, f"{source} AS source({renamed})", types, target)
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
