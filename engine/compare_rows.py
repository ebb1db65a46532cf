"""Rows that were added, removed or changed, by key or as a bag of whole rows."""

# ruff: noqa: S608 - names and literals are quoted by `tables`
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from engine import tables
from engine.fingerprint import GROUP_ROWS
from engine.folder import EngineError, Json
from engine.spec import CompareSpec

LONGEST_VALUE = 200
MOST_WHOLE_ROWS = 20  # examples of added and of removed rows, which are shown whole

_Texts = Sequence[str | None]


def compare_rows(
    database: duckdb.DuckDBPyConnection,
    paths: tuple[Path, Path],
    types: tuple[Mapping[str, str], Mapping[str, str]],
    spec: CompareSpec,
) -> Json:
    """Count and show what changed between the rows of two tables.

    Args:
        database: a connection that may read `paths`.
        paths: the Parquet files before and after.
        types: of their columns, by name; only columns that both have are compared.
        spec: with the key; none compares whole rows, which then never count as
            changed.

    Returns:
        `before`, `after`: numbers of rows; `added`, `removed`, `changed`, `same`;
        `by_column`: rows changed in each column; `examples`, each with `kind`,
        `before_row`, `after_row` (from 1) and `values`: column to before and after.

    Raises:
        EngineError: the key does not tell the rows of a table apart.
    """
    before, after = (_count(database, path) for path in paths)
    comparison = _Comparison(database, paths, types, spec)
    found = comparison.by_key() if spec.key else comparison.as_bag()
    gone = found["removed"] + found["changed"]
    return {
        "before": before,
        "after": after,
        "key": list(spec.key),
        "same": before - gone,
        **found,
    }


def _count(database: duckdb.DuckDBPyConnection, path: Path) -> int:
    query = f"SELECT count(*) FROM read_parquet({tables.text(path)})"
    count: int = database.execute(query).fetchall()[0][0]
    return count


class _Comparison:
    """Both tables, without the row groups that are known to be the same.

    Inside, columns go by their place (`c0`, `c1` …) and rows by `n`, so that no name
    of a column can stand in the way.
    """

    def __init__(
        self,
        database: duckdb.DuckDBPyConnection,
        paths: tuple[Path, Path],
        types: tuple[Mapping[str, str], Mapping[str, str]],
        spec: CompareSpec,
    ) -> None:
        self._database = database
        self._paths = paths
        self._types = types
        self._spec = spec
        self._names = [name for name in types[1] if name in types[0]]
        self._aliases = [f"c{place}" for place in range(len(self._names))]
        self._key = [self._aliases[self._names.index(name)] for name in spec.key]

    def by_key(self) -> Json:
        """Match the rows by their key and look for other values in the rest."""
        for place in (0, 1):
            self._check_key(place)
        differs = {
            name: f"b.{alias} IS DISTINCT FROM a.{alias}"
            for name, alias in zip(self._names, self._aliases, strict=True)
            if alias not in self._key
        }
        both = "b.n IS NOT NULL AND a.n IS NOT NULL"
        kinds = {
            "changed": f"{both} AND ({' OR '.join(differs.values()) or 'false'})",
            "added": "b.n IS NULL",
            "removed": "a.n IS NULL",
        }
        counted = [*kinds.values(), *(f"{both} AND {one}" for one in differs.values())]
        sums = ", ".join(f"count(*) FILTER (WHERE {one})" for one in counted)
        counts = self._ask(f"SELECT {sums} FROM {self._joined()}")[0]
        found = dict(zip(kinds, counts, strict=False))
        by_column = zip(differs, counts[len(kinds) :], strict=True)
        examples = [
            example
            for kind, condition in kinds.items()
            if found[kind]
            for example in self._examples(kind, condition)
        ]
        return {
            **found,
            "by_column": [{"name": n, "rows": rows} for n, rows in by_column if rows],
            "examples": examples,
        }

    def as_bag(self) -> Json:
        """Count how often each whole row stands in either table."""
        listed = ", ".join(self._aliases)
        sides = " UNION ALL ".join(
            f"SELECT {sign} AS sign, * FROM ({self._side(place)})"
            for place, sign in ((0, -1), (1, 1))
        )
        # What is left over is asked three times, so it is kept for the moment.
        self._database.execute(
            "CREATE OR REPLACE TEMP TABLE left_over AS "
            f"SELECT {listed}, sum(sign) AS net, "
            "min(n) FILTER (WHERE sign < 0) AS b_n, "
            "min(n) FILTER (WHERE sign > 0) AS a_n "
            f"FROM ({sides}) GROUP BY {listed} HAVING sum(sign) <> 0"
        )
        added, removed = self._ask(
            "SELECT coalesce(sum(net) FILTER (WHERE net > 0), 0)::BIGINT, "
            "coalesce(-sum(net) FILTER (WHERE net < 0), 0)::BIGINT FROM left_over"
        )[0]
        return {
            "changed": 0,
            "added": added,
            "removed": removed,
            "by_column": [],
            "examples": [*self._left_over("added"), *self._left_over("removed")],
        }

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        return self._database.execute(query).fetchall()

    def _side(self, place: int) -> str:
        table, row = tables.numbered(self._paths[place], self._types[place])
        columns = ", ".join(map(self._column, self._names, self._aliases))
        same = ", ".join(map(str, self._spec.same_groups))
        rest = f" WHERE {row} // {GROUP_ROWS} NOT IN ({same})" if same else ""
        return f"SELECT {row} + 1 AS n, {columns} FROM {table}{rest}"

    def _column(self, name: str, alias: str) -> str:
        """Read a column, as text where its type changed."""
        value = tables.name(name)
        is_alike = self._types[0][name] == self._types[1][name]
        return f"{value if is_alike else f'CAST({value} AS VARCHAR)'} AS {alias}"

    def _joined(self) -> str:
        on = " AND ".join(f"b.{key} IS NOT DISTINCT FROM a.{key}" for key in self._key)
        return f"({self._side(0)}) b FULL OUTER JOIN ({self._side(1)}) a ON {on}"

    def _check_key(self, place: int) -> None:
        key = ", ".join(self._key)
        twice = self._ask(
            f"SELECT concat_ws(', ', {key}), list_sort(list(n))[:2] "
            f"FROM ({self._side(place)}) GROUP BY {key} HAVING count(*) > 1 LIMIT 1"
        )
        if twice:
            value, rows = twice[0]
            when = ("earlier", "later")[place]
            raise EngineError(
                f"{', '.join(self._spec.key)} does not tell rows apart: rows "
                f"{rows[0]:,} and {rows[1]:,} of the {when} version both have "
                f'"{value[:100]}". Choose other key columns, or none to compare whole '
                "rows."
            )

    def _shown(self, side: str = "") -> str:
        """Read the columns of a side as a list of texts, NULL where missing."""
        values = []
        for name, alias in zip(self._names, self._aliases, strict=True):
            is_image = self._types[0][name] == self._types[1][name] == "image"
            text = f"CAST({side}{alias} AS VARCHAR)"
            shortened = f"left({text}, {LONGEST_VALUE})"
            values.append(f"sha256({side}{alias})" if is_image else shortened)
        return f"[{', '.join(values)}]"

    def _most(self, kind: str) -> int:
        most = self._spec.examples
        return most if kind == "changed" else min(most, MOST_WHOLE_ROWS)

    def _examples(self, kind: str, condition: str) -> list[Json]:
        rows = self._ask(
            f"SELECT b.n, a.n, {self._shown('b.')}, {self._shown('a.')} "
            f"FROM {self._joined()} WHERE {condition} "
            f"ORDER BY coalesce(a.n, b.n) LIMIT {self._most(kind)}"
        )
        return [self._example(kind, row[:2], *row[2:]) for row in rows]

    def _left_over(self, kind: str) -> list[Json]:
        row, condition = {"added": ("a_n", "net > 0"), "removed": ("b_n", "net < 0")}[
            kind
        ]
        rows = self._ask(
            f"SELECT {row}, {self._shown()} FROM left_over WHERE {condition} "
            f"ORDER BY {row} LIMIT {self._most(kind)}"
        )
        nothing: _Texts = [None] * len(self._names)
        if kind == "added":
            return [self._example(kind, (None, n), nothing, row) for n, row in rows]
        return [self._example(kind, (n, None), row, nothing) for n, row in rows]

    def _example(
        self,
        kind: str,
        rows: tuple[int | None, int | None],
        before: _Texts,
        after: _Texts,
    ) -> Json:
        """Put one row together; of a changed one, its key and what differs."""
        values = {
            name: [old, new]
            for name, old, new in zip(self._names, before, after, strict=True)
            if kind != "changed" or old != new or name in self._spec.key
        }
        before_row, after_row = rows
        return {
            "kind": kind,
            "before_row": before_row,
            "after_row": after_row,
            "values": values,
        }
