"""Performance by subgroup: whom does the model serve worse?

Rows are counted by group, truth and answer first, so that a million of them cost no
more than a handful.
"""

from typing import Any

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.metrics import accuracy_score, precision_score, recall_score

from engine.folder import Json
from engine.groups import OTHER, Groups
from engine.intervals import Interval, wilson
from engine.measures import Floats, Outcomes

_Found = dict[str, tuple[float, Interval]]


def compare(
    outcomes: Outcomes, groups: Groups, *, confidence: float, smallest: int
) -> list[Json]:
    """Measure every group, the largest first and `OTHER` last.

    Args:
        outcomes: truth and scores of n rows.
        groups: of these rows.
        confidence: of Wilson's intervals (regression: normal, over absolute errors).
        smallest: groups with fewer rows are marked small.
    """
    rows = np.bincount(groups.codes, minlength=len(groups.names))
    positives = None
    if outcomes.task == "regression":
        measured = _errors(outcomes, groups, confidence)
    else:
        counts = _counts(outcomes, groups)
        measured = _rates(counts, outcomes.task == "binary", confidence)
        if outcomes.task == "binary":
            positives = counts[:, 1].sum(axis=1)
    found = [
        {
            "group": groups.names[code],
            "rows": int(rows[code]),
            "positives": None if positives is None else int(positives[code]),
            "small": bool(rows[code] < smallest),
            "measures": {
                slug: {"value": value, "low": low, "high": high}
                for slug, (value, (low, high)) in measured[int(code)].items()
            },
        }
        for code in np.flatnonzero(rows)
    ]
    return sorted(
        found,
        key=lambda item: (item["group"] == OTHER, -item["rows"], item["group"]),
    )


def _counts(outcomes: Outcomes, groups: Groups) -> NDArray[np.int64]:
    """Count rows by group, truth and answer, shape (g, 2, 2).

    Of many classes only what is right matters: the truth counts as 1, and so does the
    answer where it is right.
    """
    if outcomes.task == "binary":
        actual, predicted = outcomes.actual, outcomes.predicted
    else:
        actual = np.ones(len(outcomes), np.int64)
        predicted = (outcomes.predicted == outcomes.actual).astype(np.int64)
    cells = groups.codes * 4 + actual * 2 + predicted
    counted = np.bincount(cells, minlength=len(groups.names) * 4)
    return counted.reshape(-1, 2, 2)


def _rates(
    counts: NDArray[np.int64], is_binary: bool, confidence: float
) -> dict[int, _Found]:
    points = _frame(counts, is_binary).by_group
    return {
        int(code): {
            slug: (float(value), wilson(*_shares(counts[code])[slug], confidence))
            for slug, value in row.items()
        }
        for code, row in points.iterrows()
    }


def _frame(counts: NDArray[np.int64], is_binary: bool) -> MetricFrame:
    """Measure the cells of `counts`, each weighing as many rows as it stands for."""
    metrics: dict[str, Any] = {"accuracy": accuracy_score}
    if is_binary:
        metrics = {
            "recall": _recall,
            "precision": _precision,
            "false_positive_rate": _false_positive_rate,
            "selection_rate": selection_rate,
        }
    group, actual, predicted = np.nonzero(counts)
    weights = {"sample_weight": counts[group, actual, predicted]}
    return MetricFrame(
        metrics=metrics,
        y_true=actual,
        y_pred=predicted,
        sensitive_features=pd.Series(group, name="group"),
        sample_params=dict.fromkeys(metrics, weights),
    )


def _recall(actual: Any, predicted: Any, sample_weight: Any) -> float:
    found = recall_score(
        actual, predicted, sample_weight=sample_weight, zero_division=np.nan
    )
    return float(found)


def _precision(actual: Any, predicted: Any, sample_weight: Any) -> float:
    found = precision_score(
        actual, predicted, sample_weight=sample_weight, zero_division=np.nan
    )
    return float(found)


def _false_positive_rate(actual: Any, predicted: Any, sample_weight: Any) -> float:
    """Leave a group without negative rows unmeasured instead of perfect."""
    if np.all(actual):
        return np.nan
    rate = false_positive_rate(
        actual, predicted, pos_label=1, sample_weight=sample_weight
    )
    return float(rate)


def _shares(cells: NDArray[np.int64]) -> dict[str, tuple[int, int]]:
    """Return for each rate how many rows of how many it counts."""
    (tn, fp), (fn, tp) = cells
    total = int(cells.sum())
    return {
        "accuracy": (tp + tn, total),
        "recall": (tp, tp + fn),
        "precision": (tp, tp + fp),
        "false_positive_rate": (fp, fp + tn),
        "selection_rate": (tp + fp, total),
    }


def _errors(outcomes: Outcomes, groups: Groups, confidence: float) -> dict[int, _Found]:
    errors = np.abs(outcomes.actual - outcomes.scores)
    rows = np.maximum(np.bincount(groups.codes, minlength=len(groups.names)), 1)
    means: Floats = _by_group(groups, errors) / rows
    spread = np.sqrt(_by_group(groups, (errors - means[groups.codes]) ** 2) / rows)
    half = norm.ppf((1 + confidence) / 2) * spread / np.sqrt(rows)
    return {
        code: {"mae": (float(mean), (float(mean - around), float(mean + around)))}
        for code, (mean, around) in enumerate(zip(means, half, strict=True))
    }


def _by_group(groups: Groups, values: Floats) -> Floats:
    found = np.bincount(groups.codes, values, minlength=len(groups.names))
    return found.astype(np.float64)
