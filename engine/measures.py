"""How good predictions are, for one set of rows or for many resamples of it at once.

Everything is computed from weights: a row drawn twice weighs two, a row not drawn
weighs nothing. So one piece of code gives the value itself (all weights one), its
bootstrap and the paired difference of two models.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.spec import Cost, Task

Floats = NDArray[np.float64]
Values = dict[str, Floats]
CALIBRATION_BINS = 10


@dataclass(frozen=True)
class Outcomes:
    """What was predicted for rows whose truth is known.

    Attributes:
        actual: shape (n,); class numbers (binary: 1 is positive), or values.
        scores: probability of the positive class, shape (n,); of each class,
            shape (n, k); or predicted values, shape (n,).
        threshold: probability from which a row counts as positive.
        cost: of errors, when the mission states it.
    """

    task: Task
    actual: NDArray[Any]
    scores: Floats
    threshold: float = 0.5
    cost: Cost | None = None

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The class number chosen for each row."""
        if self.task == "binary":
            return (self.scores >= self.threshold).astype(np.int64)
        chosen: NDArray[np.int64] = self.scores.argmax(axis=1)
        return chosen

    def confusion(self, weights: Floats) -> Floats:
        """Count rows by actual and predicted class.

        Args:
            weights: shape (b, n).

        Returns:
            Shape (b, k, k): row is the actual class, column the predicted one.
        """
        k = 2 if self.task == "binary" else self.scores.shape[1]
        cells = self.actual * k + self.predicted
        counts = np.zeros((len(weights), k * k))
        for cell in np.unique(cells):
            counts[:, cell] = weights[:, cells == cell].sum(axis=1)
        return counts.reshape(-1, k, k)

    def count_measures(self, confusion: Floats) -> Values:
        """Measure from confusion counts of shape (b, k, k); empty for regression."""
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.task == "binary":
                return _binary_counts(confusion, self.cost)
            return _multiclass_counts(confusion)

    def row_measures(self, weights: Floats) -> Values:
        """Measure what counts cannot tell; `weights` has shape (b, n)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.task == "binary":
                return _binary_rows(self.actual, self.scores, weights)
            if self.task == "regression":
                return _regression_rows(self.actual, self.scores, weights)
        return {}

    def measures(self, weights: Floats | None = None) -> Values:
        """Measure everything; without weights, once with every row counting one."""
        if weights is None:
            weights = np.ones((1, len(self.actual)))
        values = self.row_measures(weights)
        if self.task != "regression":
            values |= self.count_measures(self.confusion(weights))
        return values

    def values(self) -> dict[str, float]:
        """Return each measure as one number; NaN where it cannot be computed."""
        return {slug: float(found[0]) for slug, found in self.measures().items()}


def _binary_counts(confusion: Floats, cost: Cost | None) -> Values:
    (tn, fp), (fn, tp) = (confusion[:, 0].T, confusion[:, 1].T)
    recall, specificity = tp / (tp + fn), tn / (tn + fp)
    total = tp + fp + fn + tn
    values = {
        "accuracy": (tp + tn) / total,
        "balanced_accuracy": (recall + specificity) / 2,
        "precision": tp / (tp + fp),
        "recall": recall,
        "specificity": specificity,
        "f1": 2 * tp / (2 * tp + fp + fn),
    }
    if cost is not None:
        spent = fp * cost.false_alarm + fn * cost.miss
        values["mission_cost_per_1000"] = 1000 * spent / total
    return values


def _multiclass_counts(confusion: Floats) -> Values:
    right = np.diagonal(confusion, axis1=1, axis2=2)
    actual, predicted = confusion.sum(axis=2), confusion.sum(axis=1)
    present = actual > 0
    recall = np.where(present, right / actual, 0).sum(axis=1) / present.sum(axis=1)
    known = actual + predicted > 0
    f1 = np.where(known, 2 * right / (actual + predicted), 0)
    return {
        "accuracy": right.sum(axis=1) / confusion.sum(axis=(1, 2)),
        "balanced_accuracy": recall,
        "macro_f1": f1.sum(axis=1) / known.sum(axis=1),
    }


def _binary_rows(actual: NDArray[Any], scores: Floats, weights: Floats) -> Values:
    total = weights.sum(axis=1)
    bins = np.minimum((scores * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.zeros(len(weights))
    for place in np.unique(bins):
        inside = bins == place
        gaps += np.abs(weights[:, inside] @ (scores - actual)[inside])
    return {
        **_ranking(actual, scores, weights),
        "brier": weights @ (scores - actual) ** 2 / total,
        "calibration_error": gaps / total,
    }


def _ranking(actual: NDArray[Any], scores: Floats, weights: Floats) -> Values:
    """Area under the ROC curve and average precision, rows of equal score together."""
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.inf))
    ordered = weights[:, order]
    positives = np.add.reduceat(ordered * actual[order], starts, axis=1)
    negatives = np.add.reduceat(ordered * (1 - actual[order]), starts, axis=1)
    found, alarms = positives.cumsum(axis=1), negatives.cumsum(axis=1)
    p, n = found[:, -1], alarms[:, -1]
    above = found - positives / 2
    precision = np.where(found > 0, found / (found + alarms), 0)
    return {
        "roc_auc": (negatives * above).sum(axis=1) / (p * n),
        "average_precision": (positives * precision).sum(axis=1) / p,
    }


def _regression_rows(actual: NDArray[Any], scores: Floats, weights: Floats) -> Values:
    total = weights.sum(axis=1)
    squared = weights @ (actual - scores) ** 2
    centre = actual.mean()  # shifting keeps the variance of large numbers exact
    mean = weights @ (actual - centre) / total
    spread = weights @ (actual - centre) ** 2 - total * mean**2
    return {
        "rmse": np.sqrt(squared / total),
        "mae": weights @ np.abs(actual - scores) / total,
        "r2": 1 - squared / np.where(spread > 0, spread, np.nan),
    }
