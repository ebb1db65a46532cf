"""Whether stated probabilities are what is then observed."""

import math

import numpy as np

from engine import curves
from engine.evaluation.performance import measured
from engine.evaluation.shape import Family, NotTested, curve, figure, line
from engine.evaluation.subject import Subject
from engine.measures import Floats

_MOST_STEPS = 50
_CLOSE = 1e-10
_EDGE = 1e-6  # probabilities are kept this far from 0 and 1


def compute(subject: Subject) -> Family:
    """Give calibration error, Brier score, slope and intercept."""
    if subject.spec.task != "binary":
        raise NotTested("Calibration is measured for binary targets.")
    actual, scores = subject.outcomes.actual, subject.outcomes.scores
    slope, intercept = slope_and_intercept(actual, scores)
    bins = curves.calibration(actual, scores)
    lines = [
        line(
            "Model",
            [part["mean_predicted"] for part in bins],
            [part["fraction_positive"] for part in bins],
        ),
        line("Exact", [0, 1], [0, 1]),
    ]
    said = "Slope and intercept need rows of both classes."
    if math.isfinite(slope):
        kind = "too extreme" if slope < 1 else "too timid"
        said = (
            f"The calibration slope is {slope:.3g} (below 1: too extreme) and the "
            f"intercept {intercept:.3g}; as a whole probabilities are {kind}."
        )
    return Family(
        "calibration",
        said,
        figures=[
            *measured(subject, "calibration"),
            figure("calibration_slope_gap", abs(slope - 1)),
            figure("calibration_intercept_gap", abs(intercept)),
        ],
        curves=[
            curve("Calibration", "Stated probability", "Observed frequency", lines)
        ],
    )


def slope_and_intercept(actual: Floats, scores: Floats) -> tuple[float, float]:
    """Fit outcomes by a logistic curve of the log odds stated, by Newton's method.

    Args:
        actual: shape (n,), 1 is positive.
        scores: shape (n,), probabilities.

    Returns:
        1 and 0 for exact probabilities; NaN where the fit has no finite answer.

    Source:
        D. R. Cox, "Two further applications of a model for binary regression",
        Biometrika 45 (1958).
    """
    kept = np.clip(scores, _EDGE, 1 - _EDGE)
    odds = np.log(kept / (1 - kept))
    if np.ptp(actual) == 0 or np.ptp(odds) == 0:
        return math.nan, math.nan
    slope, intercept = 1.0, 0.0
    for _ in range(_MOST_STEPS):
        stated = 1 / (1 + np.exp(-np.clip(intercept + slope * odds, -30, 30)))
        weight, gap = stated * (1 - stated), actual - stated
        hessian = np.array(
            [
                [weight.sum(), weight @ odds],
                [weight @ odds, weight @ odds**2],
            ]
        )
        if np.linalg.cond(hessian) > 1 / np.finfo(float).eps:
            break
        step = np.linalg.solve(hessian, np.array([gap.sum(), gap @ odds]))
        intercept, slope = intercept + step[0], slope + step[1]
        if np.abs(step).max() < _CLOSE:
            return float(slope), float(intercept)
    return math.nan, math.nan
