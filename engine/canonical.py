"""The one way each value of a table is written as bytes before it is hashed.

Shared by the digests over groups of rows and those over single rows. Defined for
readers who do not have this code in `docs/guide/recompute-a-fingerprint.md`.
"""

# ruff: noqa: S608 - names and literals are quoted by `tables`
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from engine import tables
from engine.arrow_stream import Values, batches

LONG_TEXT_BYTES = 1024  # longer ones count by their SHA-256, for memory's sake
_NO_TEXT = np.zeros(0, np.uint8)
_QUIET_NAN = np.uint64(0x7FF8000000000000).view(np.float64)


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: as in the file.
        type: `boolean`, `integer`, `number`, `text`, `date`, `timestamp` or `image`.
    """

    name: str
    type: str


@dataclass(frozen=True)
class Encoded:
    """Values of one column in their canonical form.

    Attributes:
        valid: bool, shape (rows,).
        words: shape (rows,), little-endian: the values, or for text and images the
            number of bytes of each; 0 where missing.
        text: uint8; for text and images, what they count as, one after the other.
        ends: for text and images, shape (rows,): where each one ends in `text`.
    """

    valid: NDArray[np.bool_]
    words: NDArray[Any]
    text: NDArray[np.uint8]
    ends: NDArray[np.int64] | None = None


def columns_of(database: duckdb.DuckDBPyConnection, path: Path) -> list[Column]:
    """List the columns of one of our Parquet files."""
    table = f"read_parquet({tables.text(path)})"
    rows = database.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
    types = tables.TYPES | {"BLOB": "image"}
    return [Column(name, types[kind]) for name, kind, *_ in rows]


def encoded(
    database: duckdb.DuckDBPyConnection, path: Path, columns: list[Column]
) -> Iterator[list[Encoded]]:
    """Read `columns` in the order of the rows, some 100,000 rows at a time."""
    table = f"read_parquet({tables.text(path)})"
    expressions = ", ".join(_expression(column) for column in columns)
    relation = database.sql(f"SELECT {expressions} FROM {table}")
    for batch in batches(relation):
        arrays = iter(batch)
        yield [_encode(column.type, arrays) for column in columns]


def _expression(column: Column) -> str:
    value = tables.name(column.name)
    if column.type == "image":
        return f"octet_length({value}), sha256({value})"
    if column.type == "text":
        short = f"strlen({value}) <= {LONG_TEXT_BYTES}"
        return (
            f"strlen({value}), CASE WHEN {short} THEN {value} ELSE sha256({value}) END"
        )
    return value


def _encode(kind: str, arrays: Iterator[Values]) -> Encoded:
    first = next(arrays)
    words = first.data
    valid = np.ones(len(words), np.bool_) if first.valid is None else first.valid
    if kind == "number":
        words = words + 0.0  # -0.0 becomes 0.0
        words[np.isnan(words)] = _QUIET_NAN
    if kind == "boolean":
        words = words.view("u1")
    if first.valid is not None:
        words = np.where(valid, words, words.dtype.type(0))
    if kind not in ("text", "image"):
        return Encoded(valid, words, _NO_TEXT)
    second = next(arrays)
    return Encoded(valid, words.astype("<u4"), second.data, second.ends)
