"""Performance by subgroup: whom does the model serve worse?"""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.metrics import (
    accuracy_score,
    mean_absolute_error,
    precision_score,
    recall_score,
)

from engine.folder import Json
from engine.intervals import wilson
from engine.measures import Outcomes

MOST_GROUPS = 20
MOST_VALUES = 20  # a number column with more is cut into quarters
MISSING = "(missing)"
OTHER = "other"
_QUARTERS = 4


def group_labels(values: NDArray[Any], is_number: bool) -> NDArray[Any]:
    """Name the group of each row.

    Args:
        values: shape (n,), text or `None`.
        is_number: whether many values should be cut into quarters.

    Returns:
        Shape (n,), text; rare values beyond the `MOST_GROUPS` commonest are `OTHER`.
    """
    series = pd.Series(values, dtype=object)
    if is_number and series.nunique() > MOST_VALUES:
        series = _quarters(series.astype(float))
    labels = series.where(series.notna(), MISSING).astype(str)
    commonest = labels.value_counts(sort=False).sort_index()
    kept = commonest.sort_values(ascending=False, kind="stable").index[:MOST_GROUPS]
    return labels.where(labels.isin(kept), OTHER).to_numpy(object)


def compare(
    outcomes: Outcomes, labels: NDArray[Any], *, confidence: float, smallest: int
) -> list[Json]:
    """Measure every group, the largest first and `OTHER` last.

    Args:
        outcomes: truth and scores of n rows.
        labels: shape (n,), the group of each row.
        confidence: of Wilson's intervals (regression: normal, over absolute errors).
        smallest: groups with fewer rows are marked small.
    """
    frame = _frame(outcomes, labels)
    found = []
    for group, points in frame.by_group.iterrows():
        inside = labels == group
        measures = {
            slug: dict(
                zip(
                    ("value", "low", "high"),
                    (float(value), *_interval(slug, outcomes, inside, confidence)),
                    strict=True,
                )
            )
            for slug, value in points.items()
        }
        found.append(
            _group(str(group), outcomes, inside, smallest) | {"measures": measures}
        )
    return sorted(found, key=lambda item: (item["group"] == OTHER, -item["rows"]))


def _quarters(numbers: pd.Series) -> pd.Series:
    """Replace each number by the quarter of the distribution it lies in."""
    edges = np.unique(np.quantile(numbers.dropna(), np.linspace(0, 1, _QUARTERS + 1)))
    names = np.array([f"{low:g} to {high:g}" for low, high in pairwise(edges)], object)
    places = np.searchsorted(edges[1:-1], numbers.to_numpy(), side="left")
    return pd.Series(names[places], numbers.index).where(numbers.notna())


def _group(
    name: str, outcomes: Outcomes, inside: NDArray[np.bool_], smallest: int
) -> Json:
    rows = int(inside.sum())
    is_binary = outcomes.task == "binary"
    positives = int(outcomes.actual[inside].sum()) if is_binary else None
    return {
        "group": name,
        "rows": rows,
        "positives": positives,
        "small": rows < smallest,
    }


def _frame(outcomes: Outcomes, labels: NDArray[Any]) -> MetricFrame:
    metrics: dict[str, Any] = {"accuracy": accuracy_score}
    if outcomes.task == "binary":
        metrics = {
            "recall": _recall,
            "precision": _precision,
            "false_positive_rate": _false_positive_rate,
            "selection_rate": selection_rate,
        }
    if outcomes.task == "regression":
        metrics = {"mae": mean_absolute_error}
    is_regression = outcomes.task == "regression"
    return MetricFrame(
        metrics=metrics,
        y_true=outcomes.actual,
        y_pred=outcomes.scores if is_regression else outcomes.predicted,
        sensitive_features=pd.Series(labels, name="group"),
    )


def _recall(actual: NDArray[Any], predicted: NDArray[Any]) -> float:
    return float(recall_score(actual, predicted, zero_division=np.nan))


def _precision(actual: NDArray[Any], predicted: NDArray[Any]) -> float:
    return float(precision_score(actual, predicted, zero_division=np.nan))


def _false_positive_rate(actual: NDArray[Any], predicted: NDArray[Any]) -> float:
    """Leave a group without negative rows unmeasured instead of perfect."""
    if actual.all():
        return np.nan
    return float(false_positive_rate(actual, predicted, pos_label=1))


def _interval(
    slug: str, outcomes: Outcomes, inside: NDArray[np.bool_], confidence: float
) -> tuple[float, float]:
    actual = outcomes.actual[inside]
    if slug == "mae":
        errors = np.abs(actual - outcomes.scores[inside])
        half = norm.ppf((1 + confidence) / 2) * errors.std() / np.sqrt(len(errors))
        return float(errors.mean() - half), float(errors.mean() + half)
    predicted = outcomes.predicted[inside]
    hits, among = {
        "accuracy": (predicted == actual, np.ones(len(actual), bool)),
        "recall": (predicted == 1, actual == 1),
        "precision": (actual == 1, predicted == 1),
        "false_positive_rate": (predicted == 1, actual == 0),
        "selection_rate": (predicted == 1, np.ones(len(actual), bool)),
    }[slug]
    return wilson((hits & among).sum(), among.sum(), confidence)
