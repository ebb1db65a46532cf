"""DuckDB, locked into the job folder: the only reader and writer of tables."""

# ruff: noqa: S608 - names and literals are quoted here

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

# How a column of ours is stored, and what people call it.
TYPES = {
    "BOOLEAN": "boolean",
    "BIGINT": "integer",
    "DOUBLE": "number",
    "VARCHAR": "text",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "BLOB": "image",  # a PNG
}
MEMORY_LIMIT = "512MB"  # enough for any size of file: what does not fit is spilled


@contextmanager
def connect(folder: Path, *, threads: int = 1) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in memory that can touch nothing outside `folder`.

    Args:
        folder: the job folder; spilled data goes to its `scratch/`.
        threads: one keeps written files the same byte for byte.

    Raises:
        MemoryError: a query did not fit even by spilling.
    """
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": threads,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(folder / "scratch"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "arrow_large_buffer_size": True,  # texts of a batch may exceed 2 GiB
        },
    )
    with connection:
        connection.execute(f"SET allowed_directories = [{text(folder)}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        try:
            yield connection
        except duckdb.OutOfMemoryException as error:
            raise MemoryError(str(error)) from error


def text(value: object) -> str:
    """Quote `value` as an SQL text literal."""
    return "'" + str(value).replace("'", "''") + "'"


def name(column: str) -> str:
    """Quote `column` as an SQL identifier."""
    return '"' + column.replace('"', '""') + '"'


def numbered(path: Path, taken: Iterable[str]) -> tuple[str, str]:
    """Read a Parquet file with the number of each row, counted from 0.

    Args:
        path: the file.
        taken: names of its columns.

    Returns:
        An SQL source, and the quoted name of its column with the number.
    """
    # A column of the file may have any name, also DuckDB's `file_row_number`.
    used, row = {column.casefold() for column in taken}, "row"
    while row in used:
        row += "_"
    number = f"row_number() OVER () - 1 AS {name(row)}"
    return f"(SELECT *, {number} FROM read_parquet({text(path)}))", name(row)
