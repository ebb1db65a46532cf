"""Ask a fitted pipeline, and line its answers up with the truth."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from engine.features import Table
from engine.folder import EngineError
from engine.measures import Floats, Outcomes
from engine.spec import Cost, Task


def predict(
    pipeline: Pipeline, features: pd.DataFrame, positive_label: str | None
) -> Floats:
    """Return scores as `Outcomes` wants them.

    Args:
        pipeline: fitted.
        features: n rows of model columns.
        positive_label: for a binary model, the class whose probability is wanted.

    Returns:
        Shape (n,) for binary and regression, (n, k) for multiclass.
    """
    if not hasattr(pipeline, "predict_proba"):
        return np.asarray(pipeline.predict(features), dtype=np.float64)
    probabilities: Floats = pipeline.predict_proba(features)
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
    scores = predict(pipeline, table.features, positive_label)
    actual = table.target
    if task != "regression":
        actual = _encode(actual, pipeline.classes_, positive_label)
    return Outcomes(task, actual, scores, threshold, cost)


def _encode(
    target: NDArray[Any], classes: NDArray[Any], positive_label: str | None
) -> NDArray[Any]:
    """Turn labels into class numbers; binary: 1 is positive."""
    unknown = np.setdiff1d(target, classes)
    if unknown.size:
        raise EngineError(
            f'The target holds "{unknown[0]}", which the model does not know; '
            "evaluate on data with the same values."
        )
    if positive_label is None:
        numbers: NDArray[Any] = np.searchsorted(classes, target)
        return numbers
    is_positive: NDArray[Any] = np.equal(target, positive_label)
    return is_positive.astype(np.int64)
