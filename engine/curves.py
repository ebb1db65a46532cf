"""Points of the curves that people look at, few enough to draw."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from engine.cost import THRESHOLDS, cost_curve
from engine.folder import Json
from engine.measures import Floats
from engine.ranking import CALIBRATION_BINS
from engine.spec import Cost

MOST_POINTS = 200

Points = list[list[float]]


def roc(actual: NDArray[Any], scores: Floats) -> Points:
    """Return [false positive rate, recall], rising; empty for a single class."""
    if np.ptp(actual) == 0:
        return []
    false_positive_rate, recall, _ = roc_curve(actual, scores)
    return _thin(false_positive_rate, recall)


def precision_recall(actual: NDArray[Any], scores: Floats) -> Points:
    """Return [recall, precision] by rising recall; empty without positive rows."""
    if not actual.any():
        return []
    precision, recall, _ = precision_recall_curve(actual, scores)
    return _thin(recall[::-1], precision[::-1])


def calibration(actual: NDArray[Any], scores: Floats) -> list[Json]:
    """Compare predicted with observed frequency in bins of equal width."""
    bins = np.minimum((scores * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    return [
        {
            "mean_predicted": float(scores[bins == place].mean()),
            "fraction_positive": float(actual[bins == place].mean()),
            "count": int((bins == place).sum()),
        }
        for place in np.unique(bins)
    ]


def cost_points(actual: NDArray[Any], scores: Floats, cost: Cost) -> list[Json]:
    """Return the cost per 1,000 rows at every threshold."""
    curve = cost_curve(actual, scores, cost)
    return [
        {"threshold": float(threshold), "cost_per_1000": float(value)}
        for threshold, value in zip(THRESHOLDS, curve, strict=True)
    ]


def _thin(x: Floats, y: Floats) -> Points:
    count = min(len(x), MOST_POINTS)
    kept = np.unique(np.linspace(0, len(x) - 1, count).round().astype(int))
    return [[float(x[place]), float(y[place])] for place in kept]
