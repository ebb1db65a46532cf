"""A data contract in plain words, and what changed from one to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.spec import ColumnContract, Contract

_WHOLE = "table"
_LONGEST_LIST = 80


def column_words(column: ColumnContract) -> list[str]:
    """Say in a few words each what is expected of a column."""
    return [words for _, words in _column_lines(column)]


def contract_words(contract: Contract) -> dict[str, Any]:
    """Say what is expected: of the `table`, and of `columns` as name and words."""
    return {
        "table": [words for _, words in _table_lines(contract)],
        "columns": [(column.name, column_words(column)) for column in contract.columns],
    }


def contract_difference(
    before: Contract, after: Contract
) -> dict[str, tuple[str | None, str | None]]:
    """List what changed, by column and expectation, in words for the audit trail."""
    old, new = dict(_lines(before)), dict(_lines(after))
    return {
        name: (old.get(name), new.get(name))
        for name in {**old, **new}
        if old.get(name) != new.get(name)
    }


def _lines(contract: Contract) -> Iterator[tuple[str, str]]:
    for kind, words in _table_lines(contract):
        yield f"{_WHOLE}: {kind}", words
    for column in contract.columns:
        for kind, words in _column_lines(column):
            yield f"{column.name}: {kind}", words


def _column_lines(column: ColumnContract) -> Iterator[tuple[str, str]]:
    for kind, words_of in _COLUMN_WORDS.items():
        if line := getattr(column, kind):
            yield kind, _ending(words_of(line), line)


def _table_lines(contract: Contract) -> Iterator[tuple[str, str]]:
    if line := contract.rows:
        yield "rows", _ending(f"{_between(line.low, line.high)} rows", line)
    if key := contract.key:
        yield "key", _ending(f"rows told apart by {', '.join(key.columns)}", key)
    if fresh := contract.freshness:
        days = f"{fresh.days:,} day{'' if fresh.days == 1 else 's'}"
        words = f"newest {fresh.column} at most {days} before the upload"
        yield "freshness", _ending(words, fresh)
    if contract.no_others:
        yield "no others", _ending("no further columns", contract.no_others)


def _missing(line: Any) -> str:
    return (
        f"at most {100 * line.ratio:.4g} % missing" if line.ratio else "never missing"
    )


def _ending(words: str, line: Any) -> str:
    return words if line.severity == "block" else f"{words} (warns)"


def _between(low: Any, high: Any) -> str:
    if low is None:
        return f"at most {_shown(high)}"
    if high is None:
        return f"at least {_shown(low)}"
    return f"{_shown(low)} to {_shown(high)}"


def _shown(bound: Any) -> str:
    return bound if isinstance(bound, str) else f"{bound:,}"


def _one_of(values: tuple[str, ...]) -> str:
    listed = ", ".join(values)
    if len(listed) <= _LONGEST_LIST:
        return f"one of {listed}"
    return f"one of {len(values):,} values, such as {values[0][:_LONGEST_LIST]}"


_COLUMN_WORDS: dict[str, Callable[[Any], str]] = {
    "present": lambda line: "must be there",
    "type": lambda line: str(line.type),
    "missing": _missing,
    "range": lambda line: _between(line.low, line.high),
    "allowed": lambda line: _one_of(line.values),
    "pattern": lambda line: f"matches {line.pattern}",
    "unique": lambda line: "all different",
}
