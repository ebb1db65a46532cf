"""The meaning of filters and orders, said once more in plain Python.

Knows nothing of SQL and shares no code with what compiles searches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import Any

COMPARISONS = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    "IN": lambda left, right: left in right,
    "NOT IN": lambda left, right: left not in right,
    "LIKE": lambda left, right: is_like(left, right),
    "ILIKE": lambda left, right: is_like(left.lower(), right.lower()),
}


@dataclass(frozen=True)
class Thing:
    """A run or whatever else is searched, as plain values.

    Args:
        identity: the last tie-break.
        datasets: each with name, digest and context.
    """

    identity: str
    attributes: dict[str, Any]
    metrics: dict[str, float] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    datasets: tuple[dict[str, str | None], ...] = ()


def is_like(text: str, pattern: str) -> bool:
    """Match `%` with any signs and `_` with one, every other sign with itself."""
    # reached[n]: the pattern so far matches the first n signs of the text.
    reached = [True] + [False] * len(text)
    for sign in pattern:
        if sign == "%":
            first = reached.index(True) if True in reached else len(reached)
            reached = [place >= first for place in range(len(reached))]
        else:
            reached = [False] + [
                before and sign in ("_", seen)
                for before, seen in zip(reached, text, strict=False)
            ]
    return reached[-1]


def holds(thing: Thing, clause) -> bool:
    """Say whether a thing meets one clause."""
    name, operator = clause.key.name, str(clause.operator)
    if clause.key.entity == "datasets":
        values = [one.get(name) for one in thing.datasets]
        return any(meets(value, operator, clause.value) for value in values)
    value = getattr(thing, clause.key.entity).get(name)
    if operator == "IS NULL":
        return value is None
    if operator == "IS NOT NULL":
        return value is not None
    return meets(value, operator, clause.value)


def meets(value, operator, wanted) -> bool:
    return value is not None and COMPARISONS[operator](value, wanted)


def found(things: list[Thing], clauses) -> list[Thing]:
    """Those that meet every clause."""
    return [thing for thing in things if all(holds(thing, one) for one in clauses)]


def in_order(things: list[Thing], orders, ties) -> list[Thing]:
    """Sort as the orders say.

    Args:
        things: to sort.
        orders: of the search.
        ties: pairs of an attribute and whether it descends, for what is equal.
    """
    wanted = [(one.key.entity, one.key.name, one.descending) for one in orders]
    wanted += [("attributes", name, descending) for name, descending in ties]

    def compare(one, other):
        for entity, name, descending in wanted:
            left = getattr(one, entity).get(name)
            right = getattr(other, entity).get(name)
            difference = compare_values(left, right, descending)
            if difference:
                return difference
        return (one.identity > other.identity) - (one.identity < other.identity)

    return sorted(things, key=cmp_to_key(compare))


def compare_values(left, right, descending) -> int:
    """Numbers and texts first, then NaN, then nothing; those in the direction."""
    places = place(left), place(right)
    if places != (0, 0):
        return places[0] - places[1]
    difference = (left > right) - (left < right)
    return -difference if descending else difference


def place(value) -> int:
    if value is None:
        return 2
    return int(isinstance(value, float) and math.isnan(value))
