"""What a contract asks of one table, as SQL conditions and plain words."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from textwrap import shorten
from typing import Any

from engine import tables
from engine.spec.contract import (
    Allowed,
    Bound,
    ColumnContract,
    Contract,
    Missing,
    Range,
    Severity,
)

_SQL_TYPES = {kind: sql for sql, kind in tables.TYPES.items()}
LONGEST_WORDS = 200
_NUMBERS = ("integer", "number")
_TIMES = ("date", "timestamp")


@dataclass(frozen=True)
class Expectation:
    """One line of a contract, made ready for one table.

    Attributes:
        kind: `present`, `type`, `missing`, `range`, `allowed`, `pattern`, `unique`,
            `no_others`, `rows`, `freshness` or `key`.
        severity: what happens when it is broken.
        expected: what is wanted, in words that follow "expected:".
        columns: which it is about; none for the whole table.
        broken: SQL condition that holds for a row that breaks it.
        ratio: share of the rows that may.
        fault: why it is broken, where the columns alone say so.
        moot: why it cannot be tested: the column may be missing, and is.
    """

    kind: str
    severity: Severity
    expected: str
    columns: tuple[str, ...] = ()
    broken: str = ""
    ratio: float = 0.0
    fault: str = ""
    moot: str = ""


def expectations(contract: Contract, types: dict[str, str]) -> Iterator[Expectation]:
    """Give every expectation, those about the whole table first.

    Args:
        contract: what is expected.
        types: of the table's columns, by name.
    """
    yield from _of_table(contract, types)
    for column in contract.columns:
        found = types.get(column.name)
        if column.present:
            gone = "" if found else "The column is missing."
            severity = column.present.severity
            yield Expectation(
                "present", severity, "is there", (column.name,), "", 0.0, gone
            )
        for line in _of_column(column, found or "text"):
            yield line if found else _moot(line, "The column is missing.")


def _of_table(contract: Contract, types: dict[str, str]) -> Iterator[Expectation]:
    if lines := contract.rows:
        wanted = _between(lines.low, lines.high, "rows")
        yield Expectation("rows", lines.severity, wanted)
    if contract.no_others:
        known = {column.name for column in contract.columns}
        others = ", ".join(f'"{name}"' for name in types if name not in known)
        fault = f"Further columns: {others[:300]}." if others else ""
        severity = contract.no_others.severity
        yield Expectation("no_others", severity, "no further columns", fault=fault)
    if key := contract.key:
        names = ", ".join(key.columns)
        line = Expectation("key", key.severity, f"{names} tell rows apart", key.columns)
        gone = [name for name in key.columns if name not in types]
        yield _faulty(line, f'Column "{gone[0]}" is missing.') if gone else line
    if fresh := contract.freshness:
        wanted = f"at most {fresh.days:,} days old"
        line = Expectation("freshness", fresh.severity, wanted, (fresh.column,))
        is_time = types.get(fresh.column) in _TIMES
        yield line if is_time else _faulty(line, "There is no such column of dates.")


def _of_column(column: ColumnContract, kind: str) -> Iterator[Expectation]:
    value, about = tables.name(column.name), (column.name,)
    if of := column.type:
        fault = "" if of.type == kind else f"It is {kind}."
        yield Expectation("type", of.severity, of.type, about, fault=fault)
    if column.missing:
        yield _missing(column.missing, value, about)
    if column.range:
        yield _range(column.range, value, kind, about)
    if column.allowed and kind != "image":
        yield _allowed(column.allowed, value, kind, about)
    if match := column.pattern:
        line = Expectation(
            "pattern",
            match.severity,
            f"matches {match.pattern}",
            about,
            f"NOT regexp_full_match({value}, {tables.text(match.pattern)})",
        )
        yield line if kind == "text" else _faulty(line, f"It is {kind}, not text.")
    if column.unique:
        yield Expectation("unique", column.unique.severity, "all different", about)


def _missing(line: Missing, value: str, about: tuple[str, ...]) -> Expectation:
    wanted = f"at most {line.ratio:.2%} missing" if line.ratio else "none missing"
    broken = f"{value} IS NULL"
    return Expectation("missing", line.severity, wanted, about, broken, line.ratio)


def _range(line: Range, value: str, kind: str, about: tuple[str, ...]) -> Expectation:
    wanted = _between(line.low, line.high)
    is_time = isinstance(line.low if line.low is not None else line.high, str)
    if kind not in (_TIMES if is_time else _NUMBERS):
        found = Expectation("range", line.severity, wanted, about)
        return _faulty(found, f"It is {kind}, which these bounds do not fit.")
    low, high = (_literal(bound) for bound in (line.low, line.high))
    parts = [f"{value} < {low}"] if low else []
    parts += [f"{value} > {high}"] if high else []
    broken = " OR ".join(parts)
    return Expectation("range", line.severity, wanted, about, broken)


def _allowed(
    line: Allowed, value: str, kind: str, about: tuple[str, ...]
) -> Expectation:
    sql = _SQL_TYPES[kind]
    known = ", ".join(f"TRY_CAST({tables.text(v)} AS {sql})" for v in line.values)
    shown = ", ".join(line.values)
    return Expectation(
        "allowed",
        line.severity,
        f"one of {shorten(shown, LONGEST_WORDS, placeholder=' …')}",
        about,
        f"{value} IS NOT NULL AND NOT coalesce({value} IN ({known}), false)",
    )


def _faulty(line: Expectation, reason: str) -> Expectation:
    return replace(line, broken="", fault=reason)


def _moot(line: Expectation, reason: str) -> Expectation:
    return replace(line, broken="", fault="", moot=reason)


def _literal(bound: Bound) -> str:
    if bound is None:
        return ""
    if isinstance(bound, str):
        return f"CAST({tables.text(bound)} AS TIMESTAMP)"
    return repr(bound)


def _between(low: Bound, high: Bound, unit: str = "") -> str:
    words = f" {unit}" if unit else ""
    if low is None:
        return f"at most {_shown(high)}{words}"
    if high is None:
        return f"at least {_shown(low)}{words}"
    return f"{_shown(low)} to {_shown(high)}{words}"


def _shown(bound: Any) -> str:
    return bound if isinstance(bound, str) else f"{bound:,}"
