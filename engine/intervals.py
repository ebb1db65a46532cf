"""Intervals around measures: Wilson for shares, resampled counts, resampled rows."""

from collections.abc import Callable

import numpy as np
from scipy.stats import binomtest
from threadpoolctl import threadpool_limits

from engine.measures import Floats, Outcomes, Values

MOST_ROW_RESAMPLES = 500
_CHUNK_CELLS = 4_000_000  # of counts held at once: 32 MB

Interval = tuple[float, float]


def wilson(found: float, total: float, confidence: float) -> Interval:
    """Return the score interval of a share.

    Args:
        found: how many of `total` rows; whole numbers.
        total: 0 gives NaN.
        confidence: ratio, such as 0.95.

    Source:
        E. B. Wilson, "Probable inference, the law of succession, and statistical
        inference", Journal of the American Statistical Association 22 (1927).
    """
    if total == 0:
        return (np.nan, np.nan)
    test = binomtest(round(found), round(total))
    interval = test.proportion_ci(confidence_level=confidence, method="wilson")
    return (float(interval.low), float(interval.high))


def measure_intervals(
    outcomes: Outcomes, *, resamples: int, confidence: float, seed: int
) -> dict[str, Interval]:
    """Return an interval for every measure of `outcomes`.

    Simple shares get Wilson's; what else depends only on confusion counts gets the
    quantiles of multinomial draws of these counts; the rest is bootstrapped by rows,
    with at most `MOST_ROW_RESAMPLES` draws.
    """
    rng = np.random.default_rng(seed)
    found: dict[str, Interval] = {}
    if outcomes.task != "regression":
        confusion = outcomes.confusion()
        drawn = _count_draws(outcomes, confusion, resamples, rng)
        found |= quantiles(drawn, confidence)
        found |= _shares(confusion, confidence, outcomes.task == "binary")
    if outcomes.task == "multiclass":
        return found
    draws = min(resamples, MOST_ROW_RESAMPLES)
    ordered = outcomes.take(outcomes.order)
    rows = resampled(len(outcomes), draws, rng, ordered.row_measures)
    return found | quantiles(rows, confidence)


def difference_intervals(
    ours: Outcomes,
    theirs: Outcomes,
    *,
    resamples: int,
    confidence: float,
    seed: int,
) -> dict[str, Interval]:
    """Return an interval for each measure's difference between two models.

    Args:
        ours: of n rows.
        theirs: of the same rows in the same order; each draw takes them together.
        resamples: of rows, at most `MOST_ROW_RESAMPLES`.
        confidence: ratio, such as 0.95.
        seed: of the draws.
    """
    places = ours.order
    ours, theirs = ours.take(places), theirs.take(places)

    def differences(weights: Floats) -> dict[str, float]:
        mine, others = ours.measures(weights), theirs.measures(weights)
        return {slug: mine[slug] - others[slug] for slug in mine}

    draws = min(resamples, MOST_ROW_RESAMPLES)
    rng = np.random.default_rng(seed)
    return quantiles(resampled(len(ours), draws, rng, differences), confidence)


def resampled(
    rows: int,
    draws: int,
    rng: np.random.Generator,
    measure: Callable[[Floats], dict[str, float]],
) -> Values:
    """Compute `measure` on `draws` bootstrap samples of `rows` rows."""
    # Threads meet after each of thousands of short sums, which costs more than they do.
    with threadpool_limits(1):
        found = [measure(_row_weights(rows, rng)) for _ in range(draws)]
    return {slug: np.array([part[slug] for part in found]) for slug in found[0]}


def quantiles(values: Values, confidence: float) -> dict[str, Interval]:
    """Return the middle `confidence` of each measure's draws, leaving NaN out."""
    found = {}
    for slug, draws in values.items():
        known = draws[np.isfinite(draws)]
        tail = (1 - confidence) / 2
        low, high = (
            np.quantile(known, [tail, 1 - tail]) if known.size else (np.nan,) * 2
        )
        found[slug] = (float(low), float(high))
    return found


def _count_draws(
    outcomes: Outcomes, confusion: Floats, resamples: int, rng: np.random.Generator
) -> Values:
    """Draw the counts anew, as rows would give them, a part of the draws at a time."""
    cells = np.flatnonzero(confusion)  # an empty cell stays empty
    shares = confusion.ravel()[cells] / confusion.sum()
    rows, at_once = round(confusion.sum()), max(1, _CHUNK_CELLS // confusion.size)
    parts = []
    for start in range(0, resamples, at_once):
        count = min(at_once, resamples - start)
        drawn = np.zeros((count, confusion.size))
        drawn[:, cells] = rng.multinomial(rows, shares, size=count)
        parts.append(outcomes.count_measures(drawn.reshape(count, *confusion.shape)))
    return {slug: np.concatenate([part[slug] for part in parts]) for slug in parts[0]}


def _shares(
    confusion: Floats, confidence: float, is_binary: bool
) -> dict[str, Interval]:
    right, total = np.trace(confusion), confusion.sum()
    pairs = {"accuracy": (right, total)}
    if is_binary:
        (tn, fp), (fn, tp) = confusion
        pairs["precision"] = (tp, tp + fp)
        pairs["recall"] = (tp, tp + fn)
        pairs["specificity"] = (tn, tn + fp)
    return {slug: wilson(*pair, confidence) for slug, pair in pairs.items()}


def _row_weights(rows: int, rng: np.random.Generator) -> Floats:
    """Return how often each row is drawn by one bootstrap sample."""
    picks = rng.integers(0, rows, size=rows)
    return np.bincount(picks, minlength=rows).astype(np.float64)
