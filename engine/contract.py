"""Check a table against a data contract, by generated SQL.

One pass over the table counts what breaks each expectation. Only what must compare rows
with one another (uniqueness, keys) asks again, once each; and where something is
broken, two more passes find the first such rows and their values.
"""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from engine import tables
from engine.canonical import columns_of
from engine.contract_rules import Expectation, expectations
from engine.contract_table import ContractTable
from engine.folder import MOST_DETAILS, EngineError, Json
from engine.spec import Contract, IngestSpec

_BROKEN = ("failed", "warned")
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
    table = ContractTable(database, tables.numbered(path, types), first_row)
    table.count([line for line in lines if line.broken])
    checks = [_judge(line, table, contract, uploaded_on) for line in lines]
    pairs = zip(lines, checks, strict=True)
    table.show([(line, e) for line, e in pairs if e["count"] and _is_broken(e)])
    verdicts = {entry["verdict"] for entry in checks}
    worst = [name for name in _BROKEN if name in verdicts]
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


def _judge(
    line: Expectation, table: ContractTable, contract: Contract, uploaded_on: date
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
    elif line.kind == "freshness" and contract.freshness and holds:
        newest = table.ask(f"max({tables.name(contract.freshness.column)})")[0]
        holds, entry["message"] = _is_fresh(
            newest, contract.freshness.days, uploaded_on
        )
    elif not line.fault and (line.broken or line.kind in ("unique", "key")):
        count = table.count_of(line)
        holds = count <= line.ratio * table.rows
        entry |= {"count": count, "message": _told(line, count, table.rows)}
    if not holds:
        entry["verdict"] = "failed" if line.severity == "block" else "warned"
    return entry


def _is_broken(entry: Json) -> bool:
    return entry["verdict"] in _BROKEN


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
