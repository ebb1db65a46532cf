"""Read the rows of a Parquet file that have a target, column by column."""

# ruff: noqa: S608 - names and literals are quoted by `tables`
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine import pictures, tables, words
from engine.features import (
    DATE_PARTS,
    Codes,
    Layout,
    Positions,
    Reading,
    Table,
    Texts,
)
from engine.folder import EngineError
from engine.measures import Floats
from engine.spec import Feature

BATCH = 256
_TYPES = {
    "number": ("BOOLEAN", "BIGINT", "DOUBLE"),
    "date": ("DATE", "TIMESTAMP"),
    "text": ("VARCHAR",),
    "image": ("BLOB",),
    "category": ("BOOLEAN", "BIGINT", "DOUBLE", "VARCHAR", "DATE", "TIMESTAMP"),
}
_BETTER = {"BLOB": "an image", "VARCHAR": "a category or text"}


def column_types(database: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """Return the SQL type of each column of a Parquet file."""
    query = f"DESCRIBE SELECT * FROM read_parquet({tables.text(path)})"
    return {row[0]: row[1] for row in database.execute(query).fetchall()}


def read(database: duckdb.DuckDBPyConnection, path: Path, reading: Reading) -> Table:
    """Read the rows of `path` that have a target.

    Raises:
        EngineError: a column is missing or of a type that does not fit its kind.
    """
    _check_columns(column_types(database, path), reading)
    source = _Source(database, path, reading)
    rows = source.rows()
    target, classes = source.target()
    codes, levels = source.categories()
    layout = reading.layout()
    return Table(
        rows=rows,
        numbers=source.numbers(len(rows), layout),
        codes=codes,
        levels=levels,
        target=target,
        classes=classes,
        layout=layout,
        division=source.division(),
        dropped=source.total - source.known,
        left_out=source.known - len(rows),
    )


def known_rows(path: Path, reading: Reading) -> str:
    """Return an SQL source of the rows that have a target.

    Its column `file_row_number` says where in the file a row is, from 0.
    """
    return f"{_file(path)} WHERE {_label(reading)} IS NOT NULL"


def _file(path: Path) -> str:
    return f"read_parquet({tables.text(path)}, file_row_number = true)"


def _label(reading: Reading) -> str:
    kind = "DOUBLE" if reading.task == "regression" else "VARCHAR"
    return f"TRY_CAST({tables.name(reading.target)} AS {kind})"


class _Source:
    """The rows with a target of one file, or a sample of them, in their order."""

    def __init__(
        self, database: duckdb.DuckDBPyConnection, path: Path, reading: Reading
    ) -> None:
        self.database, self.reading = database, reading
        self.file, self.label = _file(path), _label(reading)
        counts = f"SELECT count(*), count({self.label}) FROM {self.file}"
        self.total, self.known = database.execute(counts).fetchall()[0]
        self._where = known_rows(path, reading)
        most = reading.most_rows
        if most is not None and most < self.known:
            self._sample(most)

    def rows(self) -> Positions:
        return self._columns(["file_row_number"])[0].to_numpy(np.int64)

    def target(self) -> tuple[NDArray[Any], Texts]:
        if self.reading.task == "regression":
            return self._columns([self.label])[0].to_numpy(np.float64), np.empty(0, str)
        codes, levels = self._levels(self.label)
        present, places = np.unique(codes, return_inverse=True)
        return places, levels[present].astype(str)

    def categories(self) -> tuple[Codes, tuple[Texts, ...]]:
        found = [
            self._levels(f"coalesce(CAST({tables.name(f.name)} AS VARCHAR), '')")
            for f in self.reading.features
            if f.kind == "category"
        ]
        if not found:
            return np.empty((len(self.rows()), 0), np.int32), ()
        return np.column_stack([codes for codes, _ in found]), tuple(
            levels for _, levels in found
        )

    def numbers(self, count: int, layout: Layout) -> Floats:
        found = np.empty((count, len(layout.numbers)))
        simple = {
            feature.name: _expressions(feature)
            for feature in self.reading.features
            if feature.kind in ("number", "date")
        }
        read = iter(self._columns([e for parts in simple.values() for e in parts]))
        for feature in self.reading.features:
            places = list(layout.positions[feature.name])
            if feature.name in simple:
                for place in places:
                    found[:, place] = next(read)
            elif feature.kind != "category":
                rows = self._words if feature.kind == "text" else self._pictures
                for row, numbers in enumerate(rows(feature.name)):
                    found[row, places] = numbers
        return found

    def division(self) -> Positions:
        """Number the groups, or rank the moments, by the column of the division."""
        if self.reading.division is None:
            return np.empty(0, np.int64)
        column, method = self.reading.division
        quoted = tables.name(column)
        (missing,) = self._query(f"count(*) - count({quoted})").fetchall()[0]
        if missing and method == "time":
            raise EngineError(
                f'"{column}", by which rows are divided in time, is missing in '
                f"{missing:,} rows; fill it in, or leave those rows out."
            )
        (ranks,) = self._columns([f"dense_rank() OVER (ORDER BY {quoted})"])
        return ranks.to_numpy(np.int64)

    def _sample(self, most: int) -> None:
        """Draw rows; only their numbers are held in memory while the file is read."""
        rng = np.random.default_rng(self.reading.seed)
        drawn = np.sort(rng.choice(self.known, most, replace=False))
        places = self.rows()[drawn]
        self.database.register("drawn", pd.DataFrame({"place": places}))
        self._where = f"{self.file} WHERE file_row_number IN (SELECT place FROM drawn)"

    def _query(self, chosen: str) -> duckdb.DuckDBPyConnection:
        return self.database.execute(f"SELECT {chosen} FROM {self._where}")

    def _columns(self, expressions: Sequence[str]) -> list["pd.Series[Any]"]:
        if not expressions:
            return []
        chosen = ", ".join(expressions)
        frame = self.database.execute(
            f"SELECT file_row_number, {chosen} FROM {self._where} "
            "ORDER BY file_row_number"
        ).df()
        return [frame.iloc[:, place] for place in range(1, frame.shape[1])]

    def _levels(self, expression: str) -> tuple[Codes, Texts]:
        """Return the codes of a text column and its distinct values, sorted."""
        self.database.execute(
            "CREATE OR REPLACE TYPE level AS ENUM "
            f"(SELECT DISTINCT {expression} AS value FROM {self._where} ORDER BY value)"
        )
        (column,) = self._columns([f"({expression})::level"])
        levels = column.cat.categories.to_numpy(object)
        return np.asarray(column.cat.codes, dtype=np.int32), levels

    def _words(self, column: str) -> Iterator[Floats]:
        """Yield the numbers of each row's text; texts are not held together."""
        buckets = self.reading.text_buckets
        for batch in self._batches(column, words.BATCH):
            yield from words.numbers([text or "" for _, text in batch], buckets)

    def _pictures(self, column: str) -> Iterator[Floats | float]:
        """Yield the numbers of each row's picture; all missing where there is none."""
        for batch in self._batches(column, BATCH):
            for row, content in batch:
                yield np.nan if content is None else self._picture(column, row, content)

    def _picture(self, column: str, row: int, content: bytes) -> Floats:
        try:
            return pictures.numbers(content, self.reading.images)
        except ValueError as error:
            raise EngineError(
                f'Row {row + 1:,} of "{column}" {error}; leave it out.'
            ) from error

    def _batches(self, column: str, size: int) -> Iterator[list[Any]]:
        """Yield lists of row number and value, in the order of the rows."""
        query = self.database.execute(
            f"SELECT file_row_number, {tables.name(column)} FROM {self._where} "
            "ORDER BY file_row_number"
        )
        while batch := query.fetchmany(size):
            yield batch


def _expressions(feature: Feature) -> list[str]:
    column = tables.name(feature.name)
    if feature.kind == "number":
        return [f"TRY_CAST({column} AS FLOAT)::DOUBLE"]
    return [f"{part}({column})::DOUBLE" for part in DATE_PARTS.values()]


def _check_columns(types: dict[str, str], reading: Reading) -> None:
    target, task = reading.target, reading.task
    if target not in types:
        raise EngineError(f'The target "{target}" is not a column; choose one that is.')
    if task == "regression" and types[target] not in _TYPES["number"]:
        raise EngineError(
            f'The target "{target}" is not a number; choose another column or task.'
        )
    if reading.division and reading.division[0] not in types:
        raise EngineError(
            f'"{reading.division[0]}", by which rows are divided, is not a column; '
            "choose one that is."
        )
    for feature in reading.features:
        if feature.name not in types:
            raise EngineError(
                f'The feature "{feature.name}" is not a column; leave it out.'
            )
        if types[feature.name] not in _TYPES[feature.kind]:
            better = _BETTER.get(types[feature.name], "a category")
            raise EngineError(
                f'The feature "{feature.name}" cannot be used as a {feature.kind}; '
                f"use it as {better}."
            )
