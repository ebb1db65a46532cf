"""What the launch form proposes for a target, read from the profile of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.spec import MISSION_COST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.datasets.models import DatasetVersion
    from engine.spec import Task

# How a column of each type can be read, the usual way first.
KINDS_OF_TYPE: dict[str, tuple[str, ...]] = {
    "boolean": ("category",),
    "integer": ("number", "category"),
    "number": ("number",),
    "text": ("category", "text"),
    "date": ("date", "category"),
    "timestamp": ("date",),
    "image": ("image",),
}
TIMES = frozenset({"date", "timestamp"})
DEFAULT_ESTIMATOR = "hist_gradient_boosting"
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
        kind: the usual way to read it.
        kinds: all ways.
        hint: why it is not proposed; empty when it is.
    """

    name: str
    kind: str
    kinds: tuple[str, ...]
    hint: str

    @property
    def label(self) -> str:
        """Name, kind and hint for a form."""
        return " – ".join(part for part in (self.name, self.kind, self.hint) if part)


def proposed_spec(
    version: DatasetVersion, target: str, cost: Mapping[str, float] | None
) -> dict[str, Any]:
    """Give the spec that a training of `target` may well begin with.

    Args:
        version: read completely.
        target: a column that can be learned.
        cost: of errors, as the objective of the project states it. With it, settings
            are compared by what errors cost the mission.
    """
    column = version.column_profile(target) or {}
    task = tasks_for(column)[0]
    is_binary = task == "binary"
    features = [one for one in features_for(version, target) if not one.hint]
    spec: dict[str, Any] = {
        "task": task,
        "target": target,
        "positive_label": next(iter(labels_of(column)), None) if is_binary else None,
        "features": [{"name": one.name, "kind": one.kind} for one in features],
        "estimator": DEFAULT_ESTIMATOR,
    }
    if cost and is_binary:
        spec |= {"objective": MISSION_COST, "cost": dict(cost)}
    return spec


def time_columns(version: DatasetVersion) -> list[str]:
    """List the columns that can order rows by time."""
    return [
        column["name"]
        for column in version.profile["columns"]
        if column["type"] in TIMES
    ]


def tasks_for(column: dict[str, Any]) -> list[Task]:
    """List what can be learned about `column`, the likeliest first; may be empty."""
    distinct, is_number = column["distinct"], column["type"] in {"integer", "number"}
    if distinct == TWO and labels_of(column):
        return ["binary"]
    if is_number and TWO < distinct <= MOST_NUMBERED_CLASSES:
        return ["multiclass", "regression"]
    if is_number and distinct > TWO:
        return ["regression"]
    if (
        KINDS_OF_TYPE[column["type"]][0] == "category"
        and TWO < distinct <= MOST_CLASSES
    ):
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
        _proposal(column, version.row_count or 0)
        for column in version.profile["columns"]
        if column["name"] != target
    ]


def _proposal(column: dict[str, Any], rows: int) -> FeatureProposal:
    kinds = KINDS_OF_TYPE[column["type"]]
    is_long = column["type"] == "text" and column["distinct"] > MOST_CATEGORIES
    kind = "text" if is_long else kinds[0]
    return FeatureProposal(column["name"], kind, kinds, _hint(column, rows))


def _hint(column: dict[str, Any], rows: int) -> str:
    distinct = column["distinct"]
    if column["type"] == "image":
        return ""
    if distinct < TWO:
        return "has one value only"
    if column["type"] not in {"number", "date", "timestamp"} and distinct >= rows:
        return "differs in every row, like a number of a case"
    if KINDS_OF_TYPE[column["type"]][0] == "category" and distinct > MOST_CATEGORIES:
        return f"has about {distinct:,} different values"
    return ""
