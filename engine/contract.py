"""Check a table against a data contract: generated SQL, one pass for all values.

One aggregate over the table counts what breaks each expectation and keeps the first
rows that do. Only what must compare rows with one another (uniqueness, keys) asks
again, once each.
"""

# ruff: noqa: S608 - names and literals are quoted by `tables`
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from engine import tables
from engine.canonical import columns_of
from engine.contract_rules import Expectation, expectations
from engine.folder import MOST_DETAILS, EngineError, Json
from engine.spec import Contract, IngestSpec

MOST_ROWS = 10  # shown for each broken expectation
LONGEST_VALUE = 200
SMALLEST_SHARE = 0.0001  # below this, a share in percent would read 0.00%


def check(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    contract: Contract,
    *,
    uploaded_on: date,
    first_row: int = 1,
) -> Json:
    """Hold a Parquet file of ours against a contract.

    Args:
        database: a connection that may read `path`.
        path: the Parquet file.
        contract: what is expected.
        uploaded_on: when the file came in; freshness counts from there.
        first_row: number of the first row as people count in their file.

    Returns:
        `revision` of the contract; `verdict`: `passed`, `warned` or `failed`; and
        `checks`, one per expectation: `columns`, `kind`, `severity`, `verdict` (also
        `not_tested`), `expected`, `message`, `count` of offending rows and the first
        of them in `rows`, each with `row` and `value`.

    Raises:
        EngineError: a pattern means nothing to the database.
    """
    types = {column.name: column.type for column in columns_of(database, path)}
    lines = list(expectations(contract, types))
    table = _Table(database, tables.numbered(path, types), first_row)
    table.count([line for line in lines if line.broken])
    checks = [_judge(line, table, contract, uploaded_on) for line in lines]
    verdicts = {entry["verdict"] for entry in checks}
    worst = [name for name in ("failed", "warned") if name in verdicts]
    return {
        "revision": contract.revision,
        "verdict": worst[0] if worst else "passed",
        "checks": checks,
    }


def hold_against_contract(
    database: duckdb.DuckDBPyConnection, spec: IngestSpec, path: Path
) -> Json | None:
    """Check what was read against the contract of the spec, if it has one.

    Returns:
        What `check` found; None without a contract.

    Raises:
        EngineError: a broken expectation blocks.
    """
    if spec.contract is None:
        return None
    has_header = spec.format in ("csv", "tsv")
    found = check(
        database,
        path,
        spec.contract,
        uploaded_on=spec.upload_day(),
        first_row=2 if has_header else 1,
    )
    refuse_broken(found)
    return found


def refuse_broken(found: Json) -> None:
    """Raise what the person who uploads reads, when a broken expectation blocks.

    Raises:
        EngineError: names every expectation that is broken, with its first rows.
    """
    broken = [entry for entry in found["checks"] if entry["verdict"] == "failed"]
    if not broken:
        return
    share = max(1, MOST_DETAILS // len(broken))
    details = [place for entry in broken for place in _places(entry)[:share]]
    some = "an expectation" if len(broken) == 1 else f"{len(broken):,} expectations"
    raise EngineError(
        f"The file breaks {some} of the data contract (revision {found['revision']}). "
        "Correct the file, or change the contract if the data is right.",
        details=details,
    )


def _places(entry: Json) -> list[Json]:
    """List where an expectation is broken, as the failure of an upload shows it."""
    common = {
        "expectation": entry["kind"],
        "expected": entry["expected"],
        "found": entry["message"],
        "column": ", ".join(entry["columns"]) or None,
        "message": f"Expected: {entry['expected']}. {entry['message']}",
    }
    rows = entry["rows"] or [{"row": None, "value": None}]
    return [{**common, "row": r["row"], "text": r["value"] or ""} for r in rows]


class _Table:
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
        self._found: dict[Expectation, tuple[int, list[Json]]] = {}
        self.rows = 0

    def count(self, lines: Sequence[Expectation]) -> None:
        """Count the rows that break each line, and keep the first, in one pass."""
        asked = ["count(*)"]
        for line in lines:
            only = f"FILTER (WHERE {line.broken})"
            asked += [f"count(*) {only}", f"{self._first_rows(line.columns)} {only}"]
        try:
            answers = self.ask(", ".join(asked))
        except duckdb.InvalidInputException as error:
            reason = str(error).splitlines()[0]
            raise EngineError(
                f"A pattern of the data contract cannot be used ({reason}); correct "
                "it in the contract."
            ) from error
        self.rows = answers[0]
        pairs = zip(answers[1::2], answers[2::2], strict=True)
        for line, (count, rows) in zip(lines, pairs, strict=True):
            self._found[line] = count, self._numbered(rows)

    def broken(self, line: Expectation) -> tuple[int, list[Json]]:
        """Return how many rows break `line`, and the first of them."""
        if line.kind in ("unique", "key"):
            return self._repeated(line.columns)
        return self._found[line]

    def ask(self, expressions: str, rest: str = "") -> tuple[Any, ...]:
        query = f"SELECT {expressions} FROM {self._table} {rest}"
        row: tuple[Any, ...] = self._database.execute(query).fetchall()[0]
        return row

    def _repeated(self, columns: Sequence[str]) -> tuple[int, list[Json]]:
        """Count rows whose values came before, and show the first that come again."""
        names = ", ".join(map(tables.name, columns))
        full = " AND ".join(f"{tables.name(name)} IS NOT NULL" for name in columns)
        value = names if len(columns) == 1 else f"({names})"
        count = self.ask(f"count(*) - count(DISTINCT {value})", f"WHERE {full}")[0]
        if not count:
            return 0, []
        twice = f"SELECT {names} FROM {self._table} WHERE {full} GROUP BY ALL"
        several = f"({names}) IN ({twice} HAVING count(*) > 1)"
        return count, self._numbered(
            self.ask(self._first_rows(columns), f"WHERE {several}")[0]
        )

    def _first_rows(self, columns: Sequence[str]) -> str:
        values = ", ".join(f"CAST({tables.name(name)} AS VARCHAR)" for name in columns)
        shown = f"left(concat_ws(', ', {values}), {LONGEST_VALUE})"
        row = f"struct_pack(row := {self._row}, value := {shown})"
        return f"arg_min({row}, {self._row}, {MOST_ROWS})"

    def _numbered(self, rows: list[Json] | None) -> list[Json]:
        first = self._first_row
        return [
            {"row": row["row"] + first, "value": row["value"]} for row in rows or []
        ]


def _judge(
    line: Expectation, table: _Table, contract: Contract, uploaded_on: date
) -> Json:
    entry: Json = {
        "columns": list(line.columns),
        "kind": line.kind,
        "severity": line.severity,
        "verdict": "passed",
        "expected": line.expected,
        "message": line.moot or line.fault,
        "count": 0,
        "rows": [],
    }
    if line.moot:
        return entry | {"verdict": "not_tested"}
    holds = not line.fault
    if line.kind == "rows" and contract.rows:
        low, high = contract.rows.low, contract.rows.high
        holds = (low or 0) <= table.rows and (high is None or table.rows <= high)
        entry["message"] = f"There are {table.rows:,} rows."
    elif line.kind == "freshness" and contract.freshness:
        newest = table.ask(f"max({tables.name(contract.freshness.column)})")[0]
        holds, entry["message"] = _is_fresh(
            newest, contract.freshness.days, uploaded_on
        )
    elif line.broken or line.kind in ("unique", "key"):
        count, rows = table.broken(line)
        holds = count <= line.ratio * table.rows
        entry |= {"count": count, "message": _told(line, count, table.rows)}
        entry["rows"] = [] if holds else rows
    if not holds:
        entry["verdict"] = "failed" if line.severity == "block" else "warned"
    return entry


def _is_fresh(newest: Any, days: int, uploaded_on: date) -> tuple[bool, str]:
    if newest is None:
        return False, "There is no date."
    day = newest.date() if isinstance(newest, datetime) else newest
    age = (uploaded_on - day).days
    return age <= days, f"The newest is of {day.isoformat()}, {age:,} days before."


def _told(line: Expectation, count: int, rows: int) -> str:
    if not count:
        return ""
    words = {
        "missing": "missing",
        "unique": "repeated",
        "key": "repeated",
        "pattern": "without a match",
    }.get(line.kind, "not as expected")
    share = count / rows
    percent = "under 0.01%" if share < SMALLEST_SHARE else f"{share:.2%}"
    return f"{count:,} of {rows:,} rows ({percent}) {words}."
