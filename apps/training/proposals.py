"""What the launch form proposes for a target, read from the profile of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apps.datasets.models import DatasetVersion
    from engine.spec import Task

KIND_OF_TYPE = {
    "boolean": "category",
    "integer": "number",
    "number": "number",
    "text": "category",
    "date": "date",
    "timestamp": "date",
}
TWO = 2
# The engine refuses targets with more classes.
MOST_CLASSES = 50
# A whole number with more values than this is measured, not counted into classes.
MOST_NUMBERED_CLASSES = 20
# A text with more values than this is rather a name than a category.
MOST_CATEGORIES = 200


@dataclass(frozen=True)
class FeatureProposal:
    """A column the model could look at.

    Attributes:
        kind: number, category or date.
        hint: why it is not proposed; empty when it is.
    """

    name: str
    kind: str
    hint: str

    @property
    def label(self) -> str:
        """Name, kind and hint for a form."""
        return " – ".join(part for part in (self.name, self.kind, self.hint) if part)


def tasks_for(column: dict[str, Any]) -> list[Task]:
    """List what can be learned about `column`, the likeliest first; may be empty."""
    distinct, is_number = column["distinct"], column["type"] in {"integer", "number"}
    if distinct == TWO and labels_of(column):
        return ["binary"]
    if is_number and TWO < distinct <= MOST_NUMBERED_CLASSES:
        return ["multiclass", "regression"]
    if is_number and distinct > TWO:
        return ["regression"]
    if KIND_OF_TYPE[column["type"]] == "category" and TWO < distinct <= MOST_CLASSES:
        return ["multiclass"]
    return []


def labels_of(column: dict[str, Any]) -> list[str]:
    """List the values that may count as positive, the rarer first.

    Fractions are not counted one by one; of two the lowest and highest are all.
    """
    values = [entry["value"] for entry in column["top"]]
    if not values and column["type"] == "number":
        values = [str(column["min"]), str(column["max"])]
    return list(reversed(values[:TWO]))


def features_for(version: DatasetVersion, target: str) -> list[FeatureProposal]:
    """List every column but the target, with a hint where it is better left out."""
    return [
        FeatureProposal(
            column["name"],
            KIND_OF_TYPE[column["type"]],
            _hint(column, version.row_count or 0),
        )
        for column in version.profile["columns"]
        if column["name"] != target
    ]


def _hint(column: dict[str, Any], rows: int) -> str:
    distinct = column["distinct"]
    if distinct < TWO:
        return "has one value only"
    if column["type"] not in {"number", "date", "timestamp"} and distinct >= rows:
        return "differs in every row, like a number of a case"
    if KIND_OF_TYPE[column["type"]] == "category" and distinct > MOST_CATEGORIES:
        return f"has about {distinct:,} different values"
    return ""
