"""Ask a fitted pipeline, and line its answers up with the truth."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from engine import preparation
from engine.features import Table
from engine.folder import EngineError
from engine.measures import Floats, Outcomes
from engine.spec import Cost, Task


def predict(pipeline: Pipeline, table: Table, positive_label: str | None) -> Floats:
    """Return scores as `Outcomes` wants them.

    Args:
        pipeline: fitted.
        table: n rows.
        positive_label: for a binary model, the class whose probability is wanted.

    Returns:
        Shape (n,) for binary and regression, (n, k) for multiclass.
    """
    prepared = preparation.apply(pipeline[:-1], table)
    if not hasattr(pipeline, "predict_proba"):
        return np.asarray(pipeline[-1].predict(prepared), dtype=np.float64)
    probabilities: Floats = pipeline[-1].predict_proba(prepared)
    if positive_label is None:
        return probabilities
    return probabilities[:, list(pipeline.classes_).index(positive_label)]


def judge(
    pipeline: Pipeline,
    table: Table,
    task: Task,
    positive_label: str | None,
    *,
    threshold: float = 0.5,
    cost: Cost | None = None,
) -> Outcomes:
    """Predict the rows of `table` and put truth and scores side by side.

    Raises:
        EngineError: a label of the target is not one the model knows.
    """
    scores = predict(pipeline, table, positive_label)
    actual = table.target
    if task != "regression":
        actual = encode(table, pipeline.classes_, positive_label)
    return Outcomes(task, actual, scores, threshold, cost)


def encode(
    table: Table, classes: NDArray[Any], positive_label: str | None
) -> NDArray[Any]:
    """Turn the labels of a table into class numbers; binary: 1 is positive.

    Args:
        table: whose target is encoded.
        classes: labels in the order of the numbers wanted, sorted.
        positive_label: of a binary target.

    Raises:
        EngineError: a label is not among `classes`.
    """
    unknown = np.setdiff1d(table.classes[np.unique(table.target)], classes)
    if unknown.size:
        raise EngineError(
            f'The target holds "{unknown[0]}", which the model does not know; '
            "evaluate on data with the same values."
        )
    if positive_label is not None:
        numbers = np.equal(table.classes, positive_label).astype(np.int64)
    else:
        numbers = np.searchsorted(classes, table.classes)
    found: NDArray[Any] = numbers[table.target]
    return found
