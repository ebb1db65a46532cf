"""What errors cost the mission, and the threshold that costs least."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.folder import Json
from engine.measures import Floats
from engine.spec import Cost

THRESHOLDS = np.round(np.linspace(0, 1, 101), 2)


def cost_curve(actual: NDArray[Any], scores: Floats, cost: Cost) -> Floats:
    """Return the cost per 1,000 rows at each of `THRESHOLDS`, in the mission's unit.

    Args:
        actual: shape (n,), 1 is positive.
        scores: shape (n,), probability of the positive class.
        cost: of each kind of error.
    """
    flagged = np.sort(scores[actual == 0])
    positives = np.sort(scores[actual == 1])
    false_alarms = len(flagged) - np.searchsorted(flagged, THRESHOLDS, side="left")
    misses = np.searchsorted(positives, THRESHOLDS, side="left")
    spent = false_alarms * cost.false_alarm + misses * cost.miss
    per_thousand: Floats = 1000 * spent / len(actual)
    return per_thousand


def best_threshold(actual: NDArray[Any], scores: Floats, cost: Cost) -> float:
    """Return the threshold of least cost on these rows.

    Among equals the one nearest to the threshold that would be best if probabilities
    were exact, so that the choice does not hang on single rows.

    Source:
        C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001, equation 2.
    """
    curve = cost_curve(actual, scores, cost)
    least = THRESHOLDS[np.isclose(curve, curve.min())]
    exact = cost.false_alarm / (cost.false_alarm + cost.miss)
    return float(least[np.abs(least - exact).argmin()])


def mission(
    actual: NDArray[Any],
    scores: Floats,
    cost: Cost,
    value: float,
    baseline: float | None,
) -> Json:
    """Compare the model's cost with doing without it, per 1,000 rows.

    Args:
        actual: shape (n,), 1 is positive.
        scores: shape (n,), probability of the positive class.
        cost: of each kind of error.
        value: what the model costs at its threshold.
        baseline: what 1,000 cases cost today, where that is known.
    """
    positive_ratio = float(np.mean(actual))
    nothing = 1000 * positive_ratio * cost.miss
    everything = 1000 * (1 - positive_ratio) * cost.false_alarm
    return {
        "cost_per_1000": value,
        "do_nothing_per_1000": nothing,
        "flag_everything_per_1000": everything,
        "baseline_per_1000": baseline,
        "saving_vs_do_nothing_ratio": 1 - value / nothing if nothing > 0 else None,
        "best_threshold": best_threshold(actual, scores, cost),
    }
