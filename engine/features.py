"""From typed Parquet to what a model sees, the same way wherever a model is used.

Every feature becomes numbers or text before the pipeline begins:

* `number`: rounded to single precision, because that is what an exported model
  computes with; missing stays missing, and so does what is too large.
* `category`: the value as text; missing is the category `''`.
* `date`: three numbers, the year, the month (1 to 12) and the weekday (1 is Monday).

Number columns come first and category columns after them; the pipeline knows columns
by position, so that no name can be misread.
"""

# ruff: noqa: S608 - names and literals are quoted by `tables`
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine import tables
from engine.folder import EngineError
from engine.spec import Feature, Task

DATE_PARTS = {"year": "year", "month": "month", "weekday": "isodow"}
_TYPES = {
    "number": ("BOOLEAN", "BIGINT", "DOUBLE"),
    "date": ("DATE", "TIMESTAMP"),
}


@dataclass(frozen=True)
class Layout:
    """Which model columns come out of which features.

    Attributes:
        numbers: number columns in the order of the model's input.
        categories: category columns, after the numbers.
        positions: feature name to the positions of its columns.
    """

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    positions: dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Table:
    """Rows with a known target.

    Attributes:
        rows: shape (n,), place of each row in the file, from 0.
        features: n rows of model columns: float64, then text.
        target: shape (n,), text labels, or float64 for regression.
        layout: which columns belong to which feature.
        dropped: rows of the file without a target.
    """

    rows: NDArray[np.int64]
    features: pd.DataFrame
    target: NDArray[Any]
    layout: Layout
    dropped: int = 0

    def take(self, positions: NDArray[np.int64]) -> "Table":
        """Return only the rows at `positions`."""
        return Table(
            self.rows[positions],
            self.features.iloc[positions],
            self.target[positions],
            self.layout,
        )


def layout(features: Sequence[Feature]) -> Layout:
    """Lay out the model's columns for `features`."""
    columns: dict[bool, list[tuple[str, str]]] = {True: [], False: []}
    for feature in features:
        for column in _columns_of(feature):
            columns[feature.kind != "category"].append((feature.name, column))
    positions: dict[str, tuple[int, ...]] = {feature.name: () for feature in features}
    for place, (name, _) in enumerate(columns[True] + columns[False]):
        positions[name] += (place,)
    return Layout(
        numbers=tuple(column for _, column in columns[True]),
        categories=tuple(column for _, column in columns[False]),
        positions=positions,
    )


def column_types(database: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """Return the SQL type of each column of a Parquet file."""
    query = f"DESCRIBE SELECT * FROM read_parquet({tables.text(path)})"
    return {row[0]: row[1] for row in database.execute(query).fetchall()}


def read(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    features: Sequence[Feature],
    target: str,
    task: Task,
) -> Table:
    """Read the rows of `path` that have a target.

    Raises:
        EngineError: a column is missing or of a type that does not fit its kind.
    """
    _check_columns(column_types(database, path), features, target, task)
    label = f"TRY_CAST({tables.name(target)} AS {_target_type(task)})"
    chosen = ", ".join([*_number_columns(features), *_category_columns(features)])
    frame = database.execute(
        f"SELECT file_row_number, {label}, {chosen} "
        f"FROM read_parquet({tables.text(path)}, file_row_number = true) "
        f"WHERE {label} IS NOT NULL ORDER BY file_row_number"
    ).df()
    total = database.execute(f"SELECT count(*) FROM read_parquet({tables.text(path)})")
    found = layout(features)
    columns = frame.iloc[:, 2:].set_axis([*found.numbers, *found.categories], axis=1)
    return Table(
        rows=frame.iloc[:, 0].to_numpy(np.int64),
        features=_as_objects(columns, len(found.numbers)),
        target=frame.iloc[:, 1].to_numpy(np.float64 if task == "regression" else str),
        layout=found,
        dropped=total.fetchall()[0][0] - len(frame),
    )


def read_text(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    column: str,
    rows: NDArray[np.int64],
) -> NDArray[Any]:
    """Return one column of the given rows as text; missing is `None`."""
    frame = database.execute(
        f"SELECT CAST({tables.name(column)} AS VARCHAR) "
        f"FROM read_parquet({tables.text(path)}, file_row_number = true) "
        "ORDER BY file_row_number"
    ).fetchall()
    values = np.array([value for (value,) in frame], dtype=object)
    return values[rows]


def _columns_of(feature: Feature) -> list[str]:
    if feature.kind != "date":
        return [feature.name]
    return [f"{feature.name} ({part})" for part in DATE_PARTS]


def _number_columns(features: Sequence[Feature]) -> list[str]:
    found = []
    for feature in features:
        column = tables.name(feature.name)
        if feature.kind == "number":
            found.append(f"TRY_CAST({column} AS FLOAT)::DOUBLE")
        elif feature.kind == "date":
            found += [f"{part}({column})::DOUBLE" for part in DATE_PARTS.values()]
    return found


def _category_columns(features: Sequence[Feature]) -> list[str]:
    return [
        f"coalesce(CAST({tables.name(feature.name)} AS VARCHAR), '')"
        for feature in features
        if feature.kind == "category"
    ]


def _as_objects(columns: pd.DataFrame, number_count: int) -> pd.DataFrame:
    """Hold categories as plain Python text, which every encoder understands."""
    numbers = columns.iloc[:, :number_count]
    categories = columns.iloc[:, number_count:].astype(object)
    return pd.concat([numbers, categories], axis=1)


def _target_type(task: Task) -> str:
    return "DOUBLE" if task == "regression" else "VARCHAR"


def _check_columns(
    types: dict[str, str], features: Sequence[Feature], target: str, task: Task
) -> None:
    if target not in types:
        raise EngineError(f'The target "{target}" is not a column; choose one that is.')
    if task == "regression" and types[target] not in _TYPES["number"]:
        raise EngineError(
            f'The target "{target}" is not a number; choose another column or task.'
        )
    for feature in features:
        if feature.name not in types:
            raise EngineError(
                f'The feature "{feature.name}" is not a column; leave it out.'
            )
        allowed = _TYPES.get(feature.kind)
        if allowed and types[feature.name] not in allowed:
            raise EngineError(
                f'The feature "{feature.name}" cannot be used as a {feature.kind}; '
                "use it as a category."
            )
