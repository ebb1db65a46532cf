"""Columns of a version as people look at them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.datasets.models import HintDecision

if TYPE_CHECKING:
    from apps.datasets.models import DatasetVersion


@dataclass(frozen=True)
class ColumnCard:
    """One column as people look at it.

    Args:
        name: of the column.
        type: boolean, integer, number, text, date or timestamp.
        missing_ratio: share of rows without a value, 0 to 1.
        distinct: how many different values.
        counts: rows per bin of the histogram; empty when it has none.
        top: the commonest values, each with its share of all rows.
        facts: name and value of what else is known.
        subgroup: which attribute it seems to hold, such as age; may be empty.
        is_estimate: counts of different values come from a sample.
        hints: kinds of personal data that it seems to hold.
        thumbnails: a few of its images, PNG in base64.
    """

    name: str
    type: str
    missing_ratio: float
    distinct: int
    counts: list[int]
    top: list[dict[str, Any]]
    facts: list[tuple[str, Any]]
    subgroup: str
    is_estimate: bool
    hints: list[str]
    thumbnails: list[str]

    @property
    def hides_figures(self) -> bool:
        """Whether single numbers are hidden, since they may name people."""
        is_numeric = self.type in ("integer", "number")
        return bool(self.hints) and is_numeric and not self.counts


MOST_TOP_VALUES = 5
_FACTS = (
    ("Lowest", "min"),
    ("Highest", "max"),
    ("Mean", "mean"),
    ("Standard deviation", "std"),
)
_QUANTILES = (("5 % lie below", "0.05"), ("Median", "0.5"), ("95 % lie below", "0.95"))


def column_cards(version: DatasetVersion) -> list[ColumnCard]:
    """Turn the profile of a version into what its page draws."""
    rows = version.row_count or 1
    hints = _standing_hints(version)
    return [
        ColumnCard(
            name=column["name"],
            type=column["type"],
            missing_ratio=column["missing"] / rows,
            distinct=column["distinct"],
            counts=(column["histogram"] or {}).get("counts", []),
            top=[
                {**value, "ratio": value["count"] / rows}
                for value in _repeated(column["top"])[:MOST_TOP_VALUES]
            ],
            facts=_facts(column),
            subgroup=column.get("subgroup") or "",
            is_estimate=column.get("is_estimate", False),
            thumbnails=column.get("thumbnails", []),
            hints=hints[column["name"]],
        )
        for column in version.profile.get("columns", [])
    ]


def _standing_hints(version: DatasetVersion) -> dict[str, list[str]]:
    """Find the kinds of personal data in each column that the steward left standing."""
    found = defaultdict(list)
    for hint in version.personal_hints.order_by("kind"):
        if hint.decision != HintDecision.DISMISSED:
            found[hint.column].append(hint.kind_words)
    return found


def _repeated(top: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out a list of many values of which each is there once."""
    is_telling = len(top) <= MOST_TOP_VALUES or top[0]["count"] > 1
    return top if is_telling else []


def _facts(column: dict[str, Any]) -> list[tuple[str, Any]]:
    known = [(label, column[key]) for label, key in _FACTS if column[key] is not None]
    quantiles = column["quantiles"] or {}
    middle = [(label, quantiles[key]) for label, key in _QUANTILES if key in quantiles]
    return [*known[:1], *middle, *known[1:]]
