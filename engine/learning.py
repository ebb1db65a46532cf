"""Find settings, fit the model, choose its threshold."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.pipeline import Pipeline

from engine import objective
from engine.estimators import Parameters
from engine.features import Positions, Table
from engine.folder import Folder, Json
from engine.live import Watch
from engine.measures import Outcomes
from engine.pipeline import fit
from engine.predictions import encode, judge
from engine.search import Found, history, search
from engine.spec import TrainSpec, complete_parameters
from engine.split import Split


@dataclass(frozen=True)
class Learned:
    """A model, how it was found, and the threshold that belongs to it.

    Attributes:
        validation: what the model the threshold was chosen for did on validation rows.
        found: what the search came to; `None` when there was none.
        history: points `key`, `step` and `value` along the way.
    """

    pipeline: Pipeline
    parameters: Parameters
    threshold: float | None
    validation: Outcomes
    found: Found | None
    history: list[Json]


def learn(spec: TrainSpec, folder: Folder, table: Table, parts: Split) -> Learned:
    """Learn from the training rows; see `engine.train` for the order of things."""
    folder.progress(0.1, "Learning")
    training, validating = table.take(parts.train), table.take(parts.validation)
    parameters = complete_parameters(spec.estimator, spec.parameters)
    found = None
    if spec.search is not None:
        found = search(spec, spec.search, parameters, training, folder)
        parameters = found.best(spec).parameters
        folder.progress(0.6, "Learning with the best settings")
    watch = Watch(folder, validating, (0.6 if found else 0.1, 0.7))
    pipeline = fit(spec, parameters, training, folder.log, watch)
    folder.progress(0.7, "Choosing the threshold")
    validation = measured(spec, pipeline, validating, None)
    threshold = objective.threshold(spec, validation)
    if spec.refit:
        folder.progress(0.75, "Learning from training and validation rows")
        together = table.take(np.union1d(parts.train, parts.validation))
        pipeline = fit(spec, parameters, together, folder.log)
    return Learned(
        pipeline,
        parameters,
        threshold,
        validation if threshold is None else replace(validation, threshold=threshold),
        found,
        [*(history(spec, found) if found else ()), *watch.history],
    )


def measured(
    spec: TrainSpec, pipeline: Pipeline, table: Table, threshold: float | None
) -> Outcomes:
    """Judge the model on the rows of `table`, by the spec's cost of errors."""
    return judge(
        pipeline,
        table,
        spec.task,
        spec.positive_label,
        threshold=0.5 if threshold is None else threshold,
        cost=spec.cost,
    )


def baseline(spec: TrainSpec, table: Table, parts: Split) -> Outcomes:
    """Judge no model at all on the test rows, at the threshold that is best for it.

    It answers every row alike: with the mean, or the shares of the classes, of the
    rows that are not test rows.
    """
    known = np.union1d(parts.train, parts.validation)
    if spec.task == "regression":
        answer = np.mean(table.target[known])
    else:
        answer = np.bincount(table.target[known]) / len(known)
    if spec.task == "binary":
        answer = answer[table.classes == spec.positive_label]

    def outcomes(positions: Positions, threshold: float) -> Outcomes:
        rows = table.take(positions)
        actual = rows.target
        if spec.task != "regression":
            actual = encode(rows, table.classes, spec.positive_label)
        scores = np.repeat(np.atleast_2d(answer), len(rows), axis=0)
        shaped = scores if spec.task == "multiclass" else scores[:, 0]
        return Outcomes(spec.task, actual, shaped, threshold, spec.cost)

    chosen = objective.threshold(spec, outcomes(known, 0.5))
    return outcomes(parts.test, 0.5 if chosen is None else chosen)
