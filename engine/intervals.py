"""Intervals around measures: Wilson for shares, resampled counts, resampled rows."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from engine.measures import Floats, Outcomes, Values

MOST_ROW_RESAMPLES = 500
_CHUNK_CELLS = 4_000_000  # of weights held at once: 32 MB

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
        confusion = outcomes.confusion(np.ones((1, len(outcomes.actual))))
        drawn = _draw_counts(confusion[0], resamples, rng)
        found |= quantiles(outcomes.count_measures(drawn), confidence)
        found |= _shares(confusion[0], confidence, outcomes.task == "binary")
    draws = min(resamples, MOST_ROW_RESAMPLES)
    rows = resampled(len(outcomes.actual), draws, rng, outcomes.row_measures)
    return found | quantiles(rows, confidence)


def resampled(
    rows: int,
    draws: int,
    rng: np.random.Generator,
    measure: Callable[[Floats], Values],
) -> Values:
    """Compute `measure` on `draws` bootstrap samples of `rows` rows."""
    parts = [measure(weights) for weights in _row_weights(rows, draws, rng)]
    return {slug: np.concatenate([part[slug] for part in parts]) for slug in parts[0]}


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


def _draw_counts(confusion: Floats, resamples: int, rng: np.random.Generator) -> Floats:
    cells = confusion.ravel()
    drawn = rng.multinomial(round(cells.sum()), cells / cells.sum(), size=resamples)
    return drawn.reshape(resamples, *confusion.shape).astype(np.float64)


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


def _row_weights(
    rows: int, draws: int, rng: np.random.Generator
) -> Iterator[NDArray[np.float64]]:
    """Yield how often each row is drawn, a few bootstrap samples at a time."""
    at_once = max(1, _CHUNK_CELLS // rows)
    for start in range(0, draws, at_once):
        count = min(at_once, draws - start)
        picks = rng.integers(0, rows, size=(count, rows))
        picks += np.arange(count)[:, None] * rows
        counts = np.bincount(picks.ravel(), minlength=count * rows)
        yield counts.reshape(count, rows).astype(np.float64)
