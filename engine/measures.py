"""How good predictions are, for one set of rows or for a resample of it.

Everything is computed from weights: a row drawn twice weighs two, a row not drawn
weighs nothing. So one piece of code gives the value itself (all weights one), its
bootstrap and the paired difference of two models. What does not depend on weights, the
order of the scores above all, is worked out once.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ranking import Ranking
from engine.spec import Cost, Task

Floats = NDArray[np.float64]
Values = dict[str, Floats]


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

    def __len__(self) -> int:
        return len(self.actual)

    def take(self, places: NDArray[np.int64]) -> "Outcomes":
        """Return only the rows at `places`, in their order."""
        return replace(self, actual=self.actual[places], scores=self.scores[places])

    @property
    def order(self) -> NDArray[np.int64]:
        """The order of rows in which resamples are measured soonest."""
        if self.task == "binary":
            return self._ranking.order
        return np.arange(len(self))

    def confusion(self, weights: Floats | None = None) -> Floats:
        """Count rows by actual and predicted class.

        Args:
            weights: shape (n,); without, every row counts one.

        Returns:
            Shape (k, k): row is the actual class, column the predicted one.
        """
        if self.task == "binary":
            return self._ranking.confusion(weights, self.threshold)
        k = self.scores.shape[1]
        counts = np.bincount(self._cells, weights, minlength=k * k)
        return counts.astype(np.float64).reshape(k, k)

    def count_measures(self, confusion: Floats) -> Values:
        """Measure from confusion counts of shape (b, k, k); empty for regression."""
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.task == "binary":
                return _binary_counts(confusion, self.cost)
            return _multiclass_counts(confusion)

    def row_measures(self, weights: Floats | None = None) -> dict[str, float]:
        """Measure what counts cannot tell; `weights` has shape (n,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.task == "binary":
                return self._ranking.measures(weights)
            if self.task == "regression":
                return self._regression(weights)
        return {}

    def measures(self, weights: Floats | None = None) -> dict[str, float]:
        """Measure everything; NaN where it cannot be computed.

        Args:
            weights: shape (n,); without, every row counts one.
        """
        values = self.row_measures(weights)
        if self.task != "regression":
            counted = self.count_measures(self.confusion(weights)[None])
            values |= {slug: float(found[0]) for slug, found in counted.items()}
        return values

    def values(self) -> dict[str, float]:
        """Return each measure as one number; NaN where it cannot be computed."""
        return self.measures()

    @cached_property
    def _ranking(self) -> Ranking:
        return Ranking.of(self.actual, self.scores)

    @cached_property
    def _cells(self) -> NDArray[np.int64]:
        cells: NDArray[np.int64] = self.actual * self.scores.shape[1] + self.predicted
        return cells

    @cached_property
    def _errors(self) -> Floats:
        """Shape (4, n): squared and absolute error, truth and its square.

        Shifting the truth keeps the variance of large numbers exact.
        """
        gaps, shifted = self.actual - self.scores, self.actual - self.actual.mean()
        return np.stack([gaps**2, np.abs(gaps), shifted, shifted**2])

    def _regression(self, weights: Floats | None) -> dict[str, float]:
        if weights is None:
            total, sums = len(self), self._errors.sum(axis=1)
        else:
            total, sums = weights.sum(), self._errors @ weights
        squared, absolute, shifted, spread = sums
        spread -= shifted**2 / total
        return {
            "rmse": float(np.sqrt(squared / total)),
            "mae": float(absolute / total),
            "r2": float(1 - squared / spread) if spread > 0 else np.nan,
        }


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
