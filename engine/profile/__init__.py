"""A profile of a table: its columns, how they move together, what may be personal."""

# ruff: noqa: S608 - names and literals are quoted by `tables`
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb

from engine import tables
from engine.folder import Json
from engine.profile import columns, hints, subgroups
from engine.profile.correlations import correlate
from engine.profile.source import Source


@dataclass(frozen=True)
class Profile:
    """What is known about a table.

    Attributes:
        columns: one object per column, in order.
        correlations: of the numeric columns, or `None` if there are fewer than two.
        hints: values that look like personal data, for people to judge.
    """

    row_count: int
    columns: list[Json]
    correlations: Json | None
    hints: list[Json]


def profile(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    types: dict[str, str],
    *,
    threads: int,
    on_progress: Callable[[float], None],
) -> Profile:
    """Describe a Parquet file, with as many columns in memory as there are threads.

    Args:
        database: a connection that may read `path`.
        path: the Parquet file.
        types: column name to `boolean`, `integer`, `number`, `text`, `date`,
            `timestamp` or `image`.
        threads: how many columns are described at once.
        on_progress: called with the share of columns done.
    """
    table = f"read_parquet({tables.text(path)})"
    counted = database.execute(f"SELECT count(*) FROM {table}").fetchall()
    source = Source(database, path, counted[0][0])

    def describe(item: tuple[str, str]) -> columns.Described:
        return columns.describe(source, *item)

    found = []
    with ThreadPoolExecutor(threads) as workers:
        for described in workers.map(describe, types.items()):
            found.append(described)
            on_progress(len(found) / len(types))
    personal = [hints.find(source, column) for column in found]
    return Profile(
        source.row_count,
        [
            column.profile
            | {
                "subgroup": subgroups.kind_of(column.profile),
                "top": hints.covered(column.profile, named),
            }
            | hints.hidden_figures(column.profile, named)
            for column, named in zip(found, personal, strict=True)
        ],
        correlate({c.profile["name"]: c.sample for c in found if c.sample is not None}),
        [hint for named in personal for hint in named],
    )
