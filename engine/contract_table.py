"""The questions that a contract asks of a table, in as few passes as there can be."""

# ruff: noqa: S608 - names and literals are quoted by `tables`
from collections.abc import Sequence
from typing import Any

import duckdb

from engine import tables
from engine.contract_rules import Expectation
from engine.folder import EngineError, Json
from engine.profile.hints import masked_if_personal

MOST_ROWS = 10  # shown for each broken expectation
LONGEST_VALUE = 200


class ContractTable:
    """What is asked of the table, and what was answered."""

    def __init__(
        self,
        database: duckdb.DuckDBPyConnection,
        source: tuple[str, str],
        first_row: int,
    ) -> None:
        self._database = database
        self._table, self._row = source
        self._first_row = first_row
        self._counts: dict[Expectation, int] = {}
        self._repeats: dict[tuple[str, ...], int] = {}
        self.rows = 0

    def count(self, lines: Sequence[Expectation]) -> None:
        """Count the rows, and those that break each line, in one pass."""
        asked = [f"count(*) FILTER (WHERE {line.broken})" for line in lines]
        try:
            self.rows, *counts = self.ask(", ".join(["count(*)", *asked]))
        except duckdb.InvalidInputException as error:
            reason = str(error).splitlines()[0]
            raise EngineError(
                f"A pattern of the data contract cannot be used ({reason}); correct "
                "it in the contract."
            ) from error
        self._counts = dict(zip(lines, counts, strict=True))

    def count_of(self, line: Expectation) -> int:
        """Return how many rows break `line`."""
        if line.broken:
            return self._counts[line]
        if line.columns not in self._repeats:
            self._repeats[line.columns] = self._repeated(line.columns)
        return self._repeats[line.columns]

    def _repeated(self, columns: Sequence[str]) -> int:
        """Count the rows whose values came before."""
        names = ", ".join(map(tables.name, columns))
        value = names if len(columns) == 1 else f"({names})"
        rest = f"WHERE {_full(columns)}"
        count: int = self.ask(f"count(*) - count(DISTINCT {value})", rest)[0]
        return count

    def show(self, wanted: Sequence[tuple[Expectation, Json]]) -> None:
        """Put the first rows that break each line, with their values, in its entry."""
        rows = self._first_rows([line for line, _ in wanted])
        numbers = {number for found in rows for number in found}
        if not numbers:
            return
        values = ", ".join(_shown(line.columns) for line, _ in wanted)
        chosen = f"WHERE {self._row} IN ({', '.join(map(str, sorted(numbers)))})"
        query = f"SELECT {self._row}, {values} FROM {self._table} {chosen}"
        by_row = {row[0]: row[1:] for row in self._database.execute(query).fetchall()}
        for place, ((line, entry), found) in enumerate(zip(wanted, rows, strict=True)):
            entry["rows"] = [
                {
                    "row": number + self._first_row,
                    "value": masked_if_personal(line.columns, by_row[number][place]),
                }
                for number in found
            ]

    def _first_rows(self, lines: Sequence[Expectation]) -> list[list[int]]:
        """Find the numbers of the first rows that break each line."""
        broken = [line.broken or self._several(line.columns) for line in lines]
        first = f"min({self._row}, {MOST_ROWS})"
        asked = ", ".join(f"{first} FILTER (WHERE {one})" for one in broken)
        return [rows or [] for rows in self.ask(asked)] if asked else []

    def _several(self, columns: Sequence[str]) -> str:
        """Give the condition that a row has the values of another."""
        names = ", ".join(map(tables.name, columns))
        twice = f"SELECT {names} FROM {self._table} WHERE {_full(columns)} GROUP BY ALL"
        return f"({names}) IN ({twice} HAVING count(*) > 1)"

    def ask(self, expressions: str, rest: str = "") -> tuple[Any, ...]:
        query = f"SELECT {expressions} FROM {self._table} {rest}"
        row: tuple[Any, ...] = self._database.execute(query).fetchall()[0]
        return row


def _full(columns: Sequence[str]) -> str:
    return " AND ".join(f"{tables.name(name)} IS NOT NULL" for name in columns)


def _shown(columns: Sequence[str]) -> str:
    values = ", ".join(f"CAST({tables.name(name)} AS VARCHAR)" for name in columns)
    return f"left(concat_ws(', ', {values}), {LONGEST_VALUE})"
