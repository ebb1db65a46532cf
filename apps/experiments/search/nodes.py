"""What a filter and an order say, once read; and how they are written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from apps.core.errors import Invalid

Value = int | float | str | tuple[str, ...] | None


class SearchError(Invalid):
    """The text of a search cannot be read as it is.

    Args:
        message: one sentence: what is wrong and what to write instead.
        place: characters before the one at fault, in the text it was read from.
    """

    def __init__(self, message: str, *, place: int = 0):
        super().__init__(message)
        self.place = place


class Entity(StrEnum):
    """What a key names; the value is its prefix as we write it."""

    METRIC = "metrics"
    PARAMETER = "params"
    TAG = "tags"
    ATTRIBUTE = "attributes"
    DATASET = "datasets"


class Operator(StrEnum):
    """How a key and a value are compared."""

    EQUAL = "="
    NOT_EQUAL = "!="
    GREATER = ">"
    AT_LEAST = ">="
    LESS = "<"
    AT_MOST = "<="
    LIKE = "LIKE"
    ILIKE = "ILIKE"
    IN = "IN"
    NOT_IN = "NOT IN"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"


@dataclass(frozen=True)
class Key:
    """What a clause or an order looks at: `metrics.loss` or `start_time`."""

    entity: Entity
    name: str

    def __str__(self) -> str:
        return f"{self.entity}.{_quoted(self.name, '`')}"


@dataclass(frozen=True)
class Clause:
    """One comparison; a filter holds when all of its clauses hold.

    Args:
        key: what is compared.
        operator: how.
        value: a number, a text, texts for `IN`, or None for `IS NULL`.
    """

    key: Key
    operator: Operator
    value: Value = None

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.key} {self.operator}"
        return f"{self.key} {self.operator} {_written(self.value)}"


@dataclass(frozen=True)
class Order:
    """One key to sort by."""

    key: Key
    descending: bool = False

    def __str__(self) -> str:
        return f"{self.key} {'DESC' if self.descending else 'ASC'}"


def write_filter(clauses: tuple[Clause, ...]) -> str:
    """Write a filter so that reading it gives the same clauses."""
    return " AND ".join(str(clause) for clause in clauses)


def _quoted(text: str, mark: str) -> str:
    return f"{mark}{text.replace(mark, mark * 2)}{mark}"


def _written(value: int | float | str | tuple[str, ...]) -> str:
    if isinstance(value, str):
        return _quoted(value, "'")
    if isinstance(value, tuple):
        return f"({', '.join(_quoted(one, chr(39)) for one in value)})"
    if math.isinf(value):
        return "1e999" if value > 0 else "-1e999"
    return repr(value)
