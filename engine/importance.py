"""How much a model leans on each feature: shuffle it and see what is lost."""

from dataclasses import replace
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.features import Table
from engine.folder import Json
from engine.measures import Floats, Outcomes
from engine.objective import USUAL
from engine.predictions import Model, compared_with, predict

MOST_FEATURES = 200
MOST_ROWS = 2_000
FEWEST_ROWS = 100
MOST_COMPARISONS = 2_000_000_000  # of rows with rows; about ten seconds
MOST_SHOWN = 20
REPEATS = 5


def permutation_importance(
    model: Model,
    table: Table,
    outcomes: Outcomes,
    *,
    positive_label: str | None,
    seed: int,
) -> list[Json]:
    """Return the features whose shuffling costs the most of the task's usual measure.

    All columns of a feature (the parts of a date) are shuffled together, and all
    repeats are predicted at once.

    Args:
        model: fitted.
        table: the rows of `outcomes`; at most `MOST_ROWS` of them are used, fewer
            when each is compared with very many. With more than `MOST_FEATURES`
            features nothing is computed.
        outcomes: truth and scores of these rows.
        positive_label: of a binary model.
        seed: of the shuffling.
    """
    features = table.layout.positions
    if len(features) > MOST_FEATURES:
        return []
    rng = np.random.default_rng(seed)
    each = compared_with(model) * len(features) * REPEATS
    most = max(min(MOST_ROWS, MOST_COMPARISONS // max(each, 1)), FEWEST_ROWS)
    picked = np.sort(rng.permutation(len(table))[:most])
    stacked = table.take(np.tile(picked, REPEATS))
    actual = outcomes.actual[picked]
    best = _measure(outcomes, actual, outcomes.scores[picked])
    found = []
    for name, positions in features.items():
        shuffled = _shuffled(stacked, positions, rng)
        scores = np.split(predict(model, shuffled, positive_label), REPEATS)
        lost = [best - _measure(outcomes, actual, part) for part in scores]
        mean, std = float(np.mean(lost)), float(np.std(lost))
        found.append({"feature": name, "mean": mean, "std": std})
    return sorted(found, key=itemgetter("mean"), reverse=True)[:MOST_SHOWN]


def _shuffled(
    stacked: Table, positions: tuple[int, ...], rng: np.random.Generator
) -> Table:
    """Shuffle columns anew within each of the `REPEATS` copies of the sample."""
    rows = len(stacked) // REPEATS
    order = np.concatenate(
        [rng.permutation(rows) + repeat * rows for repeat in range(REPEATS)]
    )
    numbers, codes = stacked.numbers.copy(), stacked.codes.copy()
    count = numbers.shape[1]
    for position in positions:
        if position < count:
            numbers[:, position] = numbers[order, position]
        else:
            codes[:, position - count] = codes[order, position - count]
    return replace(stacked, numbers=numbers, codes=codes)


def _measure(outcomes: Outcomes, actual: NDArray[Any], scores: Floats) -> float:
    part = replace(outcomes, actual=actual, scores=scores)
    return part.values()[USUAL[outcomes.task]]
