"""One page of a sorted search, with the token of the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from apps.experiments.search.keyset import read_token, rows_after, write_token
from apps.experiments.search.nodes import SearchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Q, QuerySet

    from apps.experiments.search.keyset import Scalar, Term

LARGEST_PAGE = 50_000

Row = tuple[Any, ...]
Values = list["Scalar | None"]


@dataclass(frozen=True)
class Walk:
    """A way to read sorted rows off an index, as far as a page needs.

    Only rows with a value for the first term are in the index; the others come last.

    Args:
        rows: those to be told, asked for so that the database keeps to the index.
        indexed: rows that are in it.
        valued: rows with any value, NaN too.
    """

    rows: QuerySet[Any]
    indexed: Q
    valued: Q


@dataclass(frozen=True)
class Sorted:
    """Rows to be told in pages.

    Args:
        rows: unsorted; each term is one of their columns or annotations.
        terms: to sort by; together they tell any two rows apart.
        search: names what was asked, so that a token serves no other search.
        walk: of the first term, if it has one.
    """

    rows: QuerySet[Any]
    terms: Sequence[Term]
    search: str
    walk: Walk | None = None


def read_page(found: Sorted, *, token: str, size: int) -> tuple[list[Any], str]:
    """Read one page.

    Args:
        found: all the rows.
        token: that the page before came with; empty for the first page.
        size: at most so many rows.

    Returns:
        Primary keys in order, and the token of the next page, empty at the end.

    Raises:
        SearchError: the token is none, or the size is not possible.
    """
    if not 1 <= size <= LARGEST_PAGE:
        raise SearchError(
            f"Invalid value for max_results: a page has 1 to {LARGEST_PAGE:,} results."
        )
    after = read_token(found.terms, token, found.search) if token else None
    rows = _read(found, after, size + 1)
    keys = [row[0] for row in rows[:size]]
    if len(rows) <= size:
        return keys, ""
    return keys, write_token(found.terms, rows[size - 1][1:], found.search)


def _read(found: Sorted, after: Values | None, most: int) -> list[Row]:
    """Read rows with their values."""
    walk = found.walk
    if walk is None:
        return _sorted(found.rows, found.terms, after, most)
    first, rows = found.terms[0], []
    if after is not None and after[0] is None:
        # To say that the joined value is missing would mislead the database's plan.
        bare = found.rows.exclude(walk.valued)
        return _sorted(bare, found.terms, after, most, alike=1)
    if after is None or not first.is_gap(after[0]):
        terms = [replace(first, gaps=False), *found.terms[1:]]
        rows = _sorted(walk.rows.filter(first.present), terms, after, most)
        after = None
    if len(rows) < most:
        gaps = found.rows.exclude(walk.indexed)
        rows += _sorted(gaps, found.terms, after, most - len(rows))
    return rows


def _sorted(
    rows: QuerySet[Any],
    terms: Sequence[Term],
    after: Values | None,
    most: int,
    *,
    alike: int = 0,
) -> list[Row]:
    """Read rows in order; in the first so many terms, `alike`, they do not differ."""
    if after is not None:
        rows = rows.filter(rows_after(terms[alike:], after[alike:]))
    ordering = [part for term in terms[alike:] for part in term.ordering]
    names = [term.name for term in terms]
    return list(rows.order_by(*ordering).values_list("pk", *names)[:most])
