"""Comparisons of a filter as conditions of the database."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from django.db.models import BooleanField, F, Func, Q, Value
from django.db.models.functions import Left
from django.db.models.lookups import In

from apps.experiments.search.nodes import Operator

if TYPE_CHECKING:
    from django.db.models.expressions import Combinable

    from apps.experiments.search.nodes import Clause

_PATTERNS = (Operator.LIKE, Operator.ILIKE)
INDEXED = 100
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


def text_condition(column: str | Combinable, clause: Clause) -> Q:
    """Compare a column of texts as the clause says."""
    left: Combinable = F(column) if isinstance(column, str) else column
    if clause.operator is Operator.IS_NOT_NULL:
        return Q()
    if clause.operator is Operator.IN:
        return Q(In(left, clause.value))
    if clause.operator is Operator.NOT_IN:
        return ~Q(In(left, clause.value))
    return Q(Compared(left, clause.operator, clause.value))


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
