"""Pages of a sorted list, found by the values of their last row."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Case, F, Q, Value, When

from apps.experiments.search.nodes import SearchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Scalar = float | str | UUID | datetime
NAN = float("nan")
NONE = Q(pk__in=[])
MOST_TOKEN_CHARACTERS = 1_000_000


@dataclass(frozen=True)
class Term:
    """One expression to sort by; what lacks a value comes last in both directions.

    Args:
        name: of the annotation or column.
        kind: of its values.
        descending: largest first.
        gaps: some rows may lack a value or hold NaN, which comes just before those.
    """

    name: str
    kind: type[Scalar]
    descending: bool = False
    gaps: bool = True

    @property
    def ordering(self) -> list[Any]:
        """What `order_by` needs."""
        field = F(self.name)
        last = {"nulls_last": True} if self.gaps else {}
        directed = field.desc(**last) if self.descending else field.asc(**last)
        return [self._rank(), directed] if self._may_be_nan else [directed]

    @property
    def present(self) -> Q:
        """Rows with a value that is not NaN."""
        if self.kind is float:
            return Q(**{f"{self.name}__lt": NAN})  # to Postgres, NaN is the largest
        return Q(**{f"{self.name}__isnull": False})

    def after(self, value: Scalar | None) -> Q:
        """Rows that come later than one with this value."""
        if value is None:
            return NONE
        later = NONE if self.is_gap(value) else self._beyond(value)
        return later | Q(**{f"{self.name}__isnull": True}) if self.gaps else later

    def same(self, value: Scalar | None) -> Q:
        """Rows with this value."""
        if value is None:
            return Q(**{f"{self.name}__isnull": True})
        return Q(**{self.name: value})

    def bound(self, value: Scalar | None) -> Q:
        """A plain range that holds every row from this one on, fit for an index."""
        if self.gaps:
            return Q()
        return Q(**{f"{self.name}__{'lte' if self.descending else 'gte'}": value})

    def is_gap(self, value: Scalar | None) -> bool:
        """Say whether this is no value, or NaN."""
        return value is None or _is_nan(value)

    def write(self, value: Scalar | None) -> object:
        """Give a value to a token."""
        if isinstance(value, datetime):
            return value.isoformat()
        return value.hex if isinstance(value, UUID) else value

    def read(self, value: object) -> Scalar | None:
        """Take a value from a token.

        Raises:
            ValueError: it is none of this kind.
        """
        if value is None and self.gaps:
            return None
        if isinstance(value, str) and self.kind is not float:
            return _READERS[self.kind](value)
        if not isinstance(value, float) or self.kind is not float:
            raise ValueError("A value has the wrong type.")
        return value

    @property
    def _may_be_nan(self) -> bool:
        return self.gaps and self.kind is float

    def _beyond(self, value: Scalar) -> Q:
        if not self.descending:
            return Q(**{f"{self.name}__gt": value})
        smaller = Q(**{f"{self.name}__lt": value})
        return smaller | Q(**{self.name: NAN}) if self._may_be_nan else smaller

    def _rank(self) -> Case:
        return Case(
            When(**{f"{self.name}__isnull": True, "then": Value(2)}),
            When(**{self.name: NAN, "then": Value(1)}),
            default=Value(0),
        )


def rows_after(terms: Sequence[Term], values: Sequence[Scalar | None]) -> Q:
    """Rows that come after the one with these values, in the order of `terms`."""
    later = NONE
    for term, value in reversed(list(zip(terms, values, strict=True))):
        later = term.after(value) | (term.same(value) & later)
    return later & terms[0].bound(values[0])


def write_token(
    terms: Sequence[Term], values: Sequence[Scalar | None], search: str
) -> str:
    """Write where a page ended, so that the next one starts there.

    Args:
        terms: what the list is sorted by.
        values: of the last row, one for each term.
        search: names the search, so that its token serves no other.
    """
    plain = [term.write(value) for term, value in zip(terms, values, strict=True)]
    content = json.dumps([_digest(search), *plain], ensure_ascii=False)
    return base64.urlsafe_b64encode(content.encode()).decode()


def read_token(terms: Sequence[Term], token: str, search: str) -> list[Scalar | None]:
    """Read the values of the row that a page ended with.

    Raises:
        SearchError: the text is no token, or that of another search.
    """
    try:
        if len(token) > MOST_TOKEN_CHARACTERS:
            raise ValueError("It is too long.")
        content = json.loads(
            base64.b64decode(token.encode("ascii"), b"-_", validate=True)
        )
        digest, *values = content
        if digest != _digest(search):
            raise ValueError("It belongs to another search.")
        return [term.read(value) for term, value in zip(terms, values, strict=True)]
    except (ValueError, TypeError, OverflowError, RecursionError) as fault:
        raise SearchError(
            "Invalid page token: start again without one, with the same search."
        ) from fault


def _digest(search: str) -> str:
    return hashlib.sha256(search.encode()).hexdigest()[:16]


def _is_nan(value: Scalar | None) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _text(value: str) -> str:
    if "\0" in value:
        raise ValueError("No text holds this character.")
    value.encode()
    return value


def _time(value: str) -> datetime:
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError("A time without its zone.")
    return time.astimezone(UTC)


_READERS: dict[type[Scalar], Callable[[str], Scalar]] = {
    str: _text,
    UUID: UUID,
    datetime: _time,
}
