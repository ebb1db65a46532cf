"""Try several settings by cross-validation on the training rows, keep the best."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from engine.features import Table
from engine.folder import Folder
from engine.importance import MEASURE
from engine.pipeline import fit
from engine.predictions import judge
from engine.spec import ESTIMATORS, Parameter, Scalar, Search, TrainSpec

Parameters = dict[str, Scalar]


@dataclass(frozen=True)
class Trial:
    """One tried setting and its mean score over the folds."""

    parameters: Parameters
    score: float


def search(
    spec: TrainSpec, search: Search, given: Parameters, table: Table, folder: Folder
) -> list[Trial]:
    """Score `given` and then random settings on the training rows.

    The first trial is `given`, so that the best is never worse than it. Categories
    are listed anew in every fold, from its own training rows.

    Returns:
        All trials in the order they were made.
    """
    trials: list[Trial] = []
    settings = _settings(spec, search, given)
    total = len(settings)
    for number, parameters in enumerate(settings, start=1):
        score = float(np.mean(list(_fold_scores(spec, search, parameters, table))))
        trials.append(Trial(parameters, score))
        folder.progress(0.1 + 0.5 * number / total, f"Trial {number} of {total}")
        tried = ", ".join(f"{name} {value}" for name, value in parameters.items())
        folder.log(f"Trial {number}: {MEASURE[spec.task]} {score:.4f} with {tried}.")
    return trials


def _settings(spec: TrainSpec, search: Search, given: Parameters) -> list[Parameters]:
    rng = np.random.default_rng(spec.seed)
    searched = list(ESTIMATORS[spec.estimator].searched())
    drawn = [
        given | {parameter.name: _draw(parameter, rng) for parameter in searched}
        for _ in range(search.trials - 1)
    ]
    return [given, *drawn]


def _draw(parameter: Parameter, rng: np.random.Generator) -> Scalar:
    if parameter.kind == "choice":
        return str(rng.choice(parameter.choices))
    low, high = parameter.minimum, parameter.maximum
    if parameter.is_log:
        value = math.exp(rng.uniform(math.log(low), math.log(high)))
    else:
        value = rng.uniform(low, high)
    value = min(max(value, low), high)
    return round(value) if parameter.kind == "integer" else float(f"{value:.4g}")


def _fold_scores(
    spec: TrainSpec, search: Search, parameters: Parameters, table: Table
) -> Iterator[float]:
    kind = KFold if spec.task == "regression" else StratifiedKFold
    folds = kind(search.folds, shuffle=True, random_state=spec.seed)
    for train, held_out in folds.split(table.features, table.target):
        pipeline = fit(spec, spec.estimator, parameters, table.take(train), _unheard)
        held_rows = table.take(held_out)
        outcomes = judge(pipeline, held_rows, spec.task, spec.positive_label)
        yield outcomes.values()[MEASURE[spec.task]]


def _unheard(_line: str) -> None:
    """Drop a warning: a trial that did not settle shows in its score."""
