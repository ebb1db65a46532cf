"""Intervals around measures: Wilson for shares, resampled counts, resampled rows."""

from collections.abc import Callable
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Intervals:
    """By measure.

    Attributes:
        own: around the values of the model.
        gained: around the differences from the champion; empty without one.
    """

    own: dict[str, Interval]
    gained: dict[str, Interval]


def measure_intervals(
    outcomes: Outcomes,
    champion: Outcomes | None = None,
    *,
    resamples: int,
    confidence: float,
    seed: int,
) -> Intervals:
    """Return an interval for every measure of `outcomes`, and for what is gained.

    Simple shares get Wilson's; what else depends only on confusion counts gets the
    quantiles of multinomial draws of these counts; the rest is bootstrapped by rows,
    with at most `MOST_ROW_RESAMPLES` draws. So are differences: each draw takes the
    same rows for both.

    Args:
        outcomes: of n rows.
        champion: of the same rows in the same order.
        resamples: draws behind an interval.
        confidence: ratio, such as 0.95.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    counted: dict[str, Interval] = {}
    if outcomes.task != "regression":
        confusion = outcomes.confusion()
        drawn = _count_draws(outcomes, confusion, resamples, rng)
        counted = quantiles(drawn, confidence)
        counted |= _shares(confusion, confidence, outcomes.task == "binary")
    if champion is None and outcomes.task == "multiclass":
        return Intervals(counted, {})  # counts tell all
    places, draws = outcomes.order, min(resamples, MOST_ROW_RESAMPLES)
    ordered = outcomes.take(places)
    if champion is None:
        (rows,) = resampled(len(outcomes), draws, rng, ordered.row_measures)
        return Intervals(quantiles(rows, confidence) | counted, {})
    ours, theirs = resampled(
        len(outcomes), draws, rng, ordered.measures, champion.take(places).measures
    )
    gained = {slug: ours[slug] - theirs[slug] for slug in ours}
    return Intervals(
        quantiles(ours, confidence) | counted, quantiles(gained, confidence)
    )


def resampled(
    rows: int,
    draws: int,
    rng: np.random.Generator,
    *measures: Callable[[Floats], dict[str, float]],
) -> list[Values]:
    """Compute each of `measures` on the same bootstrap samples of `rows` rows."""
    found: list[list[dict[str, float]]] = [[] for _ in measures]
    # Threads meet after each of thousands of short sums, which costs more than they do.
    with threadpool_limits(1):
        for _ in range(draws):
            weights = _row_weights(rows, rng)
            for parts, measure in zip(found, measures, strict=True):
                parts.append(measure(weights))
    return [
        {slug: np.array([part[slug] for part in parts]) for slug in parts[0]}
        for parts in found
    ]


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
