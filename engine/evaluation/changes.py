"""Rows as they might have come in: with gaps, with noise, with new categories."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.features import Table, Texts

UNSEEN = "\N{BLACK SQUARE} never seen"  # no dataset is likely to hold this


def with_missing(
    table: Table, features: Sequence[str], ratio: float, rng: np.random.Generator
) -> Table:
    """Blank each value of the features with probability `ratio`.

    All columns of a feature (the parts of a date) go missing together.
    """
    return _replaced(table, features, ratio, rng, "")


def with_unseen(
    table: Table, features: Sequence[str], ratio: float, rng: np.random.Generator
) -> Table:
    """Replace each category of the features, with probability `ratio`, by a new one."""
    return _replaced(table, features, ratio, rng, UNSEEN)


def with_noise(table: Table, ratio: float, rng: np.random.Generator) -> Table:
    """Add Gaussian noise of `ratio` of each number column's standard deviation."""
    numbers = table.numbers.copy()
    for place in range(numbers.shape[1]):
        known = numbers[np.isfinite(numbers[:, place]), place]
        spread = known.std() if known.size else 0.0
        numbers[:, place] += rng.normal(0, 1, len(table)) * spread * ratio
    # Single precision, as every number that a model is given.
    return replace(table, numbers=numbers.astype(np.float32).astype(np.float64))


def _replaced(
    table: Table,
    features: Sequence[str],
    ratio: float,
    rng: np.random.Generator,
    level: str,
) -> Table:
    numbers, codes, levels = (
        table.numbers.copy(),
        table.codes.copy(),
        list(table.levels),
    )
    count = numbers.shape[1]
    for feature in features:
        hit = rng.random(len(table)) < ratio
        for position in table.layout.positions[feature]:
            if position < count:
                numbers[hit, position] = np.nan
            else:
                place = position - count
                levels[place], code = with_level(levels[place], level)
                codes[hit, place] = code
    return replace(table, numbers=numbers, codes=codes, levels=tuple(levels))


def with_level(levels: Texts, level: str) -> tuple[Texts, int]:
    """Return levels that hold `level`, and its place among them."""
    found = np.flatnonzero(levels == level)
    if found.size:
        return levels, int(found[0])
    return np.append(levels, np.array([level], dtype=object)), len(levels)
