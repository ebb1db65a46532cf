"""Find settings, fit the model, choose its threshold."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
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
    watch = Watch(folder, validating)
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
    """Judge no model at all on the test rows, at the threshold that is best for it."""
    known = np.union1d(parts.train, parts.validation)
    model: Any = DummyRegressor() if spec.task == "regression" else DummyClassifier()
    model.fit(np.empty((len(known), 0)), table.labels[known])

    def outcomes(positions: Positions, threshold: float) -> Outcomes:
        rows = table.take(positions)
        nothing = np.empty((len(rows), 0))
        if spec.task == "regression":
            return Outcomes(spec.task, rows.target, model.predict(nothing))
        scores = model.predict_proba(nothing)
        if spec.task == "binary":
            scores = scores[:, list(model.classes_).index(spec.positive_label)]
        actual = encode(rows, model.classes_, spec.positive_label)
        return Outcomes(spec.task, actual, scores, threshold, spec.cost)

    chosen = objective.threshold(spec, outcomes(known, 0.5))
    return outcomes(parts.test, 0.5 if chosen is None else chosen)
