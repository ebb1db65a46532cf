"""Put rows aside before anybody looks at them.

The choice depends on the table and the seal only, so that it can be repeated anywhere,
with another version of the database, too. Each row has a key: the last 8 bytes of
the MD5 of `seed:row` as a little-endian number, rows counted from 0 in the order of the
file. With n rows and a ratio r,

* random puts the `round(n * r)` rows with the smallest keys aside;
* stratified does so within each value of the column, missing being one of them;
* group gives each value of the column the key of `seed:value`, and puts whole groups
  aside in the order of their keys until `n * r` rows are reached;
* time puts everything from the first value on aside that leaves at most `n * r` rows
  behind it, so that no row kept is as late; rows without a time are kept.

Both parts keep the order of the rows.
"""

# ruff: noqa: S608 - names and literals are quoted by `tables`
from pathlib import Path
from typing import Any

import duckdb

from engine import tables
from engine.folder import EngineError, Folder, Json
from engine.spec import Seal

SEALED = "sealed.parquet"
MOST_STRATA = 200
_ORDERED = ("BIGINT", "DOUBLE", "DATE", "TIMESTAMP")
_ROW = "file_row_number"


def split_off(seal: Seal, folder: Folder, data: Path, *, threads: int) -> Json:
    """Move the rows that `seal` chooses from `data` to `outputs/sealed.parquet`.

    Args:
        seal: which rows.
        folder: the job's.
        data: the whole table as Parquet; holds the remaining rows afterwards.
        threads: as for every query of the job.

    Returns:
        `rows` put aside, `rows_left`, `method`, and `repeated`: how many of the rows
        put aside are equal, in every value, to a row that is left.

    Raises:
        EngineError: there is no such column, its type has no order or it has too many
            values, or one of both parts would be empty.
    """
    whole = folder.path / "scratch" / "whole.parquet"
    whole.parent.mkdir(exist_ok=True)
    data.replace(whole)
    sealed = folder.outputs / SEALED
    folder.progress(0.45, "Putting rows aside")
    with tables.connect(folder.path, threads=threads) as database:
        kinds = _kinds(database, whole)
        _check_column(seal, kinds)
        source = f"read_parquet({tables.text(whole)}, file_row_number = true)"
        is_sealed = _CHOICES[seal.method](database, source, seal)
        put_aside = _copy(database, source, is_sealed, sealed)
        left = _copy(database, source, f"NOT {is_sealed}", data)
        if not put_aside or not left:
            raise EngineError(
                f"The seal would put {put_aside:,} rows aside and leave {left:,}; "
                "choose another column, method or share."
            )
        repeated = _repeated(database, sealed, data)
    whole.unlink()
    return {
        "rows": put_aside,
        "rows_left": left,
        "method": seal.method,
        "repeated": repeated,
    }


def _kinds(database: duckdb.DuckDBPyConnection, whole: Path) -> dict[str, str]:
    found = database.execute(
        f"DESCRIBE SELECT * FROM read_parquet({tables.text(whole)})"
    ).fetchall()
    return {row[0]: row[1] for row in found}


def _check_column(seal: Seal, kinds: dict[str, str]) -> None:
    if _ROW in {name.lower() for name in kinds}:
        raise EngineError(
            f'A column is called "{_ROW}", which stands for the number of a row while '
            "rows are put aside; rename the column."
        )
    if seal.column is None:
        return
    if seal.column not in kinds:
        raise EngineError(
            f'The table has no column "{seal.column}" to seal rows by; it has '
            f"{', '.join(list(kinds)[:20])}."
        )
    kind = kinds[seal.column]
    if seal.method == "time" and kind not in _ORDERED:
        raise EngineError(
            f'Rows cannot be sealed by the time in "{seal.column}", which holds '
            f"{tables.TYPES.get(kind, kind)}; choose a column of dates, times or "
            "numbers."
        )


def _key(seal: Seal, value: str) -> str:
    return f"md5_number_lower({tables.text(f'{seal.seed}:')} || {value})"


def _random(database: duckdb.DuckDBPyConnection, source: str, seal: Seal) -> str:
    count = _one(database, f"SELECT count(*) FROM {source}")
    return _up_to(database, source, _key(seal, _ROW), _rounded(count * seal.ratio))


def _up_to(
    database: duckdb.DuckDBPyConnection, source: str, key: str, rows: int
) -> str:
    if rows < 1:
        return "(false)"
    last = _one(
        database,
        f"SELECT {key} AS key FROM {source} ORDER BY key LIMIT 1 OFFSET {rows - 1}",
    )
    return f"({key} <= {last}::UBIGINT)"


def _stratified(database: duckdb.DuckDBPyConnection, source: str, seal: Seal) -> str:
    column, key = tables.name(seal.column or ""), _key(seal, _ROW)
    strata = _one(database, f"SELECT count(DISTINCT {column}) FROM {source}")
    if strata > MOST_STRATA:
        raise EngineError(
            f'"{seal.column}" has {strata:,} different values, more than the '
            f"{MOST_STRATA:,} that are kept in proportion; choose another column."
        )
    # The last key to put aside, for each value of which any row is.
    cuts = database.execute(
        f"SELECT value::VARCHAR, list_sort(keys)[wanted] FROM (SELECT {column} AS "
        f"value, list({key}) AS keys, floor(count(*) * {seal.ratio!r}::DOUBLE + 0.5)"
        f"::BIGINT AS wanted FROM {source} GROUP BY ALL) WHERE wanted > 0"
    ).fetchall()
    # Not a join, which would mix up the order of the rows.
    branches = " ".join(
        f"WHEN {column}::VARCHAR IS NOT DISTINCT FROM {_literal(value)} "
        f"THEN {key} <= {cut}::UBIGINT"
        for value, cut in cuts
    )
    return f"(CASE {branches} ELSE false END)" if cuts else "(false)"


def _literal(value: str | None) -> str:
    return "NULL" if value is None else tables.text(value)


def _group(database: duckdb.DuckDBPyConnection, source: str, seal: Seal) -> str:
    column = tables.name(seal.column or "")
    key = _key(seal, f"coalesce({column}::VARCHAR, '')")
    count = _one(database, f"SELECT count(*) FROM {source}")
    # Whole groups by key, as long as those before have not reached the share.
    last = _one(
        database,
        "SELECT max(key) FROM (SELECT key, sum(size) OVER (ORDER BY key) - size "
        f"AS before FROM (SELECT {key} AS key, count(*) AS size FROM {source} "
        f"GROUP BY ALL)) WHERE before < {count * seal.ratio!r}::DOUBLE",
    )
    return f"({key} <= {last}::UBIGINT)"


def _time(database: duckdb.DuckDBPyConnection, source: str, seal: Seal) -> str:
    column = tables.name(seal.column or "")
    count = _one(database, f"SELECT count({column}) FROM {source}")
    first = _one(
        database,
        "SELECT min(value) FROM (SELECT value, sum(size) OVER (ORDER BY value DESC) "
        f"AS behind FROM (SELECT {column} AS value, count(*) AS size FROM {source} "
        f"WHERE {column} IS NOT NULL GROUP BY ALL)) "
        f"WHERE behind <= {count * seal.ratio!r}::DOUBLE",
    )
    if first is None:
        return "(false)"
    return f"coalesce({column} >= {tables.text(first)}, false)"


_CHOICES = {
    "random": _random,
    "stratified": _stratified,
    "group": _group,
    "time": _time,
}


def _rounded(rows: float) -> int:
    """Round half up, as the SQL does."""
    return int(rows + 0.5)


def _one(database: duckdb.DuckDBPyConnection, query: str) -> Any:
    return database.execute(query).fetchall()[0][0]


def _copy(
    database: duckdb.DuckDBPyConnection, source: str, condition: str, target: Path
) -> int:
    written = database.execute(
        f"COPY (SELECT * EXCLUDE ({_ROW}) FROM {source} WHERE {condition}) TO "
        f"{tables.text(target)} (FORMAT parquet, COMPRESSION zstd)"
    ).fetchall()
    return int(written[0][0])


def _repeated(database: duckdb.DuckDBPyConnection, sealed: Path, data: Path) -> int:
    """Count rows put aside that are left, too; equal rows have equal hashes."""
    aside, left = (f"read_parquet({tables.text(path)})" for path in (sealed, data))
    return int(
        _one(
            database,
            f"SELECT count(*) FROM {aside} AS one WHERE hash(one) IN "
            f"(SELECT hash(other) FROM {left} AS other)",
        )
    )
