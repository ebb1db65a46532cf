"""Comparisons of a filter as conditions of the database."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.db.models import (
    BooleanField,
    Case,
    Exists,
    F,
    Func,
    Q,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Left, Replace
from django.db.models.lookups import In

from apps.experiments.search.nodes import Entity, Key, Operator

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet
    from django.db.models.expressions import Combinable

    from apps.experiments.search.nodes import Clause

DEFAULT_ID = "0"  # what clients call the Default experiment
_IDENTITY = re.compile("[0-9a-f]{32}")
_EXPERIMENT = Key(Entity.ATTRIBUTE, "experiment_id")
_PATTERNS = (Operator.LIKE, Operator.ILIKE)
INDEXED = 100
JOINED = 4
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# As far as times reach in both Python and Postgres, in milliseconds.
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999


class Compared(Func):
    """`left sign right`; unknown, so false, where the left side has no value."""

    output_field = BooleanField()
    template = "%(expressions)s"

    def __init__(self, left: Combinable, operator: Operator, right: Any):
        sign = "<>" if operator is Operator.NOT_EQUAL else operator.value
        # Without an escape, a backslash in a pattern is a backslash.
        ending = " ESCAPE ''" if operator in _PATTERNS else ""
        super().__init__(
            left,
            Value(right),
            arg_joiner=f" {sign} ",
            template=f"(%(expressions)s{ending})",
        )


def all_of(conditions: Sequence[Q]) -> Q:
    """Ask for all conditions at once, in a form that stays quick to plan.

    The database tries every order of joining the first ones. The time for that
    multiplies with each, so it checks the others row by row.
    """
    joined, checked = conditions[:JOINED], conditions[JOINED:]
    together = Q(*joined)
    if not checked:
        return together
    # One case for all: the database guesses that half of the rows meet each.
    met = Case(When(Q(*checked), then=Value(True)), default=Value(False))
    return together & Q(Compared(met, Operator.EQUAL, True))


def text_condition(column: str | Combinable, clause: Clause) -> Q:
    """Compare a column of texts as the clause says."""
    left: Combinable = F(column) if isinstance(column, str) else column
    if clause.operator is Operator.IN:
        return Q(In(left, clause.value))
    if clause.operator is Operator.NOT_IN:
        return ~Q(In(left, clause.value))
    return Q(Compared(left, clause.operator, clause.value))


def keyed_condition(rows: QuerySet[Any], clause: Clause) -> Q:
    """Say whether one of `rows`, which have keys and values, meets the clause.

    Args:
        rows: those of the thing that is searched, told by an `OuterRef`.
        clause: of a metric, a parameter or a tag.
    """
    rows = rows.filter(key=clause.key.name)
    if clause.operator is Operator.IS_NULL:
        return ~Q(Exists(rows))
    if clause.operator is Operator.IS_NOT_NULL:
        return Q(Exists(rows))
    if clause.key.entity is Entity.METRIC:
        return Q(Exists(rows.filter(number_condition("value", clause))))
    return Q(Exists(rows.filter(indexed_text_condition("value", clause))))


def identity_condition(clause: Clause) -> Q:
    """Compare the primary key as its 32 hexadecimal digits."""
    if clause.operator in _PATTERNS:
        return text_condition(hex_of("pk"), clause)
    value = cast("str | tuple[str, ...]", clause.value)
    texts = (value,) if isinstance(value, str) else value
    named = Q(pk__in=[UUID(text) for text in texts if _IDENTITY.fullmatch(text)])
    wanted = clause.operator in (Operator.EQUAL, Operator.IN)
    return named if wanted else ~named


def with_default(clauses: Iterable[Clause], default: UUID | None) -> list[Clause]:
    """Read the id that clients give the Default experiment as that of `default`."""
    if default is None:
        return list(clauses)
    return [
        replace(clause, value=_in_full(clause.value, default))
        if clause.key == _EXPERIMENT
        else clause
        for clause in clauses
    ]


def _in_full(value: Any, default: UUID) -> Any:
    if isinstance(value, tuple):
        return tuple(_in_full(one, default) for one in value)
    return default.hex if value == DEFAULT_ID else value


def hex_of(column: str) -> Combinable:
    """Write an id as its 32 hexadecimal digits."""
    return Replace(Cast(column, TextField()), plain("-"), plain(""))


def plain(value: str) -> Value:
    """A text inside an expression."""
    return Value(value, output_field=TextField())


def indexed_text_condition(column: str, clause: Clause) -> Q:
    """Compare a column of long texts whose first signs alone are in an index."""
    if clause.operator is not Operator.EQUAL:
        return text_condition(column, clause)
    text = str(clause.value)
    start = Compared(Left(column, INDEXED), Operator.EQUAL, text[:INDEXED])
    # A start that is shorter than the index holds is the whole text.
    return (
        Q(start) if len(text) < INDEXED else Q(start) & text_condition(column, clause)
    )


def number_condition(column: str, clause: Clause) -> Q:
    """Compare a column of floats; NaN is equal, less and greater than nothing."""
    compared = Q(Compared(F(column), clause.operator, float(_number(clause))))
    if clause.operator in (Operator.GREATER, Operator.AT_LEAST):
        return compared & Q(**{f"{column}__lt": float("nan")})
    return compared


def time_condition(column: str, clause: Clause) -> Q:
    """Compare a column of times with milliseconds since 1970, UTC.

    Times are compared by their whole milliseconds, as they are told to others.
    """
    value = min(max(_number(clause), _FIRST), _LAST)
    here, beyond = _moment(math.ceil(value)), _moment(math.floor(value) + 1)
    ranges = {
        Operator.GREATER: Q(**{f"{column}__gte": beyond}),
        Operator.AT_LEAST: Q(**{f"{column}__gte": here}),
        Operator.LESS: Q(**{f"{column}__lt": here}),
        Operator.AT_MOST: Q(**{f"{column}__lt": beyond}),
    }
    if clause.operator in ranges:
        return ranges[clause.operator]
    exact = Q(**{f"{column}__gte": here, f"{column}__lt": beyond})
    return exact if clause.operator is Operator.EQUAL else ~exact & _known(column)


def _number(clause: Clause) -> int | float:
    """The value of a clause that the parser let through for a number."""
    return cast("int | float", clause.value)


def _known(column: str) -> Q:
    return Q(**{f"{column}__isnull": False})


def _moment(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=min(milliseconds, _LAST))
