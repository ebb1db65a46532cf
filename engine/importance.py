"""How much a model leans on each feature: shuffle it and see what is lost."""

from dataclasses import replace
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from engine.features import Table
from engine.folder import Json
from engine.measures import Floats, Outcomes
from engine.predictions import predict

MEASURE = {"binary": "roc_auc", "multiclass": "balanced_accuracy", "regression": "r2"}
MOST_FEATURES = 200
MOST_ROWS = 2_000
MOST_SHOWN = 20
REPEATS = 5


def permutation_importance(
    pipeline: Pipeline,
    table: Table,
    outcomes: Outcomes,
    *,
    positive_label: str | None,
    seed: int,
) -> list[Json]:
    """Return the features whose shuffling costs the most of the task's `MEASURE`.

    All columns of a feature (the parts of a date) are shuffled together, and all
    repeats are predicted at once.

    Args:
        pipeline: fitted.
        table: the rows of `outcomes`; at most `MOST_ROWS` of them are used. With more
            than `MOST_FEATURES` features nothing is computed.
        outcomes: truth and scores of these rows.
        positive_label: of a binary model.
        seed: of the shuffling.
    """
    features = table.layout.positions
    if len(features) > MOST_FEATURES:
        return []
    rng = np.random.default_rng(seed)
    picked = np.sort(rng.permutation(len(table.rows))[:MOST_ROWS])
    sample = table.features.iloc[picked].reset_index(drop=True)
    actual = outcomes.actual[picked]
    best = _measure(outcomes, actual, outcomes.scores[picked])
    found = []
    for name, positions in features.items():
        shuffled = _shuffled(sample, positions, rng)
        scores = np.split(predict(pipeline, shuffled, positive_label), REPEATS)
        lost = [best - _measure(outcomes, actual, part) for part in scores]
        mean, std = float(np.mean(lost)), float(np.std(lost))
        found.append({"feature": name, "mean": mean, "std": std})
    return sorted(found, key=itemgetter("mean"), reverse=True)[:MOST_SHOWN]


def _shuffled(
    sample: pd.DataFrame, positions: tuple[int, ...], rng: np.random.Generator
) -> pd.DataFrame:
    """Stack `REPEATS` copies of the sample, each with the columns shuffled anew."""
    stacked = pd.concat([sample] * REPEATS, ignore_index=True)
    orders = [
        rng.permutation(len(sample)) + repeat * len(sample) for repeat in range(REPEATS)
    ]
    columns = list(positions)
    moved = stacked.iloc[np.concatenate(orders), columns]
    for column in columns:
        stacked.isetitem(column, moved.iloc[:, columns.index(column)].to_numpy())
    return stacked


def _measure(outcomes: Outcomes, actual: NDArray[Any], scores: Floats) -> float:
    part = replace(outcomes, actual=actual, scores=scores)
    return part.values()[MEASURE[outcomes.task]]
