"""Ask a model, and line its answers up with the truth."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from engine import preparation
from engine.estimators import compared_rows
from engine.features import Table
from engine.folder import EngineError
from engine.measures import Floats, Outcomes
from engine.onnx_model import OnnxModel
from engine.spec import Cost, Task

Model: TypeAlias = Pipeline | OnnxModel


def predict(model: Model, table: Table, positive_label: str | None) -> Floats:
    """Return scores as `Outcomes` wants them.

    Args:
        model: fitted.
        table: n rows.
        positive_label: for a binary model, the class whose probability is wanted.

    Returns:
        Shape (n,) for binary and regression, (n, k) for multiclass.
    """
    answers = _answers(model, table)
    if positive_label is None:
        return answers
    return answers[:, list(model.classes_).index(positive_label)]


def _answers(model: Model, table: Table) -> Floats:
    if isinstance(model, OnnxModel):
        return model.answers(table)
    prepared = preparation.apply(model[:-1], table)
    if not hasattr(model, "predict_proba"):
        return np.asarray(model[-1].predict(prepared), dtype=np.float64)
    probabilities: Floats = model[-1].predict_proba(prepared)
    return probabilities


def asking(model: Model, table: Table) -> Callable[[], object]:
    """Return what asks the model for these rows once more, to be timed."""
    if isinstance(model, OnnxModel):
        return model.asking(table)
    return partial(_answers, model, table)


def compared_with(model: Model) -> int:
    """Count the known rows that each prediction compares a row with; 0 for most."""
    return 0 if isinstance(model, OnnxModel) else compared_rows(model[-1])


def judge(
    model: Model,
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
    scores = predict(model, table, positive_label)
    actual = table.target
    if task != "regression":
        actual = encode(table, model.classes_, positive_label)
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
