"""What settings are compared by, and the threshold that suits it."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.cost import THRESHOLDS, best_threshold, cost_curve
from engine.measures import Floats, Outcomes
from engine.spec import MEASURES, MISSION_COST, Task, TrainSpec

USUAL: dict[Task, str] = {
    "binary": "roc_auc",
    "multiclass": "balanced_accuracy",
    "regression": "r2",
}
COST = "mission_cost_per_1000"
# Measures with a best threshold between never and always raising an alarm.
_BY_THRESHOLD = ("accuracy", "balanced_accuracy", "f1")


def measure(spec: TrainSpec) -> str:
    """Return the slug of the measure by which settings are compared."""
    asked = spec.objective or USUAL[spec.task]
    return COST if asked == MISSION_COST else asked


def value(spec: TrainSpec, outcomes: Outcomes) -> float:
    """Measure `outcomes` by the objective.

    What depends on a threshold is taken at the one that is best on these rows, as the
    finished model gets the one that is best on its validation rows.
    """
    slug = measure(spec)
    if slug == COST and spec.cost is not None:
        return float(cost_curve(outcomes.actual, outcomes.scores, spec.cost).min())
    if spec.task == "binary" and slug in _BY_THRESHOLD:
        return float(_by_threshold(slug, outcomes.actual, outcomes.scores).max())
    return outcomes.values()[slug]


def rank(spec: TrainSpec, value: float) -> float:
    """Return what sorts values by the objective, the best first and NaN last."""
    if math.isnan(value):
        return math.inf
    return -value if MEASURES[measure(spec)].better == "higher" else value


def threshold(spec: TrainSpec, outcomes: Outcomes) -> float | None:
    """Choose the threshold of a binary model on rows it has not learned from.

    It is the one of least cost where the mission states the cost of errors, else the
    one that is best by the objective where that depends on it, else 0.5.
    """
    if spec.task != "binary":
        return None
    if spec.cost is not None:
        return best_threshold(outcomes.actual, outcomes.scores, spec.cost)
    slug = measure(spec)
    if slug not in _BY_THRESHOLD:
        return 0.5
    curve = _by_threshold(slug, outcomes.actual, outcomes.scores)
    best = THRESHOLDS[np.isclose(curve, curve.max())]
    return float(best[np.abs(best - 0.5).argmin()])


def _by_threshold(slug: str, actual: NDArray[Any], scores: Floats) -> Floats:
    """Return the measure at each of `THRESHOLDS`, 0 where it cannot be computed."""
    flagged, positives = np.sort(scores[actual == 0]), np.sort(scores[actual == 1])
    fp = len(flagged) - np.searchsorted(flagged, THRESHOLDS, side="left")
    tp = len(positives) - np.searchsorted(positives, THRESHOLDS, side="left")
    p, n = max(len(positives), 1), max(len(flagged), 1)
    found = {
        "accuracy": (tp + n - fp) / (p + n),
        "balanced_accuracy": (tp / p + (n - fp) / n) / 2,
        "f1": 2 * tp / np.maximum(p + tp + fp, 1),
    }
    curve: Floats = found[slug]
    return curve
