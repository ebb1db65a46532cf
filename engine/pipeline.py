"""Put preprocessing and an estimator together, so that the whole can be exported.

Only steps are used whose export to ONNX is known to give the same answers: no scaling
before trees (rounding would flip their decisions), no native categories and no
"infrequent" categories. The commonest categories of the training rows are listed
instead, and any other value is treated as unknown.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from engine.features import Table
from engine.spec import Scalar, TrainSpec

MOST_ONE_HOT = 50
MOST_ORDINAL = 250

_TREES = ("decision_tree", "random_forest", "hist_gradient_boosting", "dummy")
_CLASSIFIERS: dict[str, Callable[..., Any]] = {
    "logistic_regression": LogisticRegression,
    "decision_tree": DecisionTreeClassifier,
    "random_forest": RandomForestClassifier,
    "hist_gradient_boosting": HistGradientBoostingClassifier,
    "nearest_neighbours": KNeighborsClassifier,
    "mlp": MLPClassifier,
    "dummy": DummyClassifier,
}
_REGRESSORS: dict[str, Callable[..., Any]] = {
    "ridge": Ridge,
    "random_forest": RandomForestRegressor,
    "hist_gradient_boosting": HistGradientBoostingRegressor,
    "dummy": DummyRegressor,
}
_FIXED: dict[str, dict[str, Any]] = {
    # Search trees over the neighbours cannot be stored without pickle.
    "nearest_neighbours": {"algorithm": "brute"},
    # Stopping early would hold back rows that the person did not agree to give up.
    "hist_gradient_boosting": {"early_stopping": False},
}


def fit(
    spec: TrainSpec,
    slug: str,
    parameters: dict[str, Scalar],
    table: Table,
    log: Callable[[str], None],
) -> Pipeline:
    """Assemble a pipeline and fit it on all rows of `table`.

    Afterwards it predicts on one thread, so that sums repeat to the last digit.

    Args:
        spec: gives task, seed, class weight and threads.
        slug: the estimator; the baseline is not the spec's own.
        parameters: complete and checked parameters of the estimator.
        table: the rows; their commonest categories are the ones it will know.
        log: told when the estimator stopped before it settled.
    """
    pipeline = _pipeline(spec, slug, parameters, table)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        pipeline.fit(table.features, table.target)
    if any(issubclass(found.category, ConvergenceWarning) for found in caught):
        log("The estimator stopped before it settled; more iterations may help.")
    estimator = pipeline[-1]
    if "n_jobs" in estimator.get_params():
        estimator.set_params(n_jobs=None)
    return pipeline


def _pipeline(
    spec: TrainSpec, slug: str, parameters: dict[str, Scalar], table: Table
) -> Pipeline:
    count = len(table.layout.numbers)
    numbers = list(range(count))
    categories = list(range(count, table.features.shape[1]))
    encoder = _encoder(slug, table.features.iloc[:, count:])
    parts = [
        ("numbers", _number_step(slug), numbers),
        ("categories", encoder, categories),
    ]
    prepare = ColumnTransformer([part for part in parts if part[2]], sparse_threshold=0)
    estimator = _estimator(spec, slug, _fitting(parameters, len(table.rows)))
    return Pipeline([("prepare", prepare), ("estimator", estimator)])


def _fitting(parameters: dict[str, Scalar], rows: int) -> dict[str, Scalar]:
    """Ask no more neighbours than there are rows."""
    asked = parameters.get("n_neighbors")
    if asked is None:
        return parameters
    return parameters | {"n_neighbors": min(int(asked), rows)}


def _number_step(slug: str) -> Any:
    if slug == "hist_gradient_boosting":
        return "passthrough"  # it has its own branch for missing values
    impute = SimpleImputer(strategy="median", keep_empty_features=True)
    return impute if slug in _TREES else make_pipeline(impute, StandardScaler())


def _encoder(slug: str, categories: pd.DataFrame) -> OneHotEncoder | OrdinalEncoder:
    if slug in _TREES:
        return OrdinalEncoder(
            categories=_commonest(categories, MOST_ORDINAL),
            handle_unknown="use_encoded_value",
            unknown_value=-1,
        )
    return OneHotEncoder(
        categories=_commonest(categories, MOST_ONE_HOT),
        handle_unknown="ignore",
        sparse_output=False,
    )


def _commonest(categories: pd.DataFrame, most: int) -> list[NDArray[Any]]:
    """List each column's commonest values, the commonest first."""
    found = []
    for place in range(categories.shape[1]):
        values, counts = np.unique(
            categories.iloc[:, place].to_numpy(str), return_counts=True
        )
        order = np.lexsort((values, -counts))[:most]
        found.append(values[order].astype(object))
    return found


def _estimator(spec: TrainSpec, slug: str, parameters: dict[str, Scalar]) -> Any:
    known = _REGRESSORS if spec.task == "regression" else _CLASSIFIERS
    settings: dict[str, Any] = {**parameters, **_FIXED.get(slug, {})}
    if "hidden_units" in settings:
        settings["hidden_layer_sizes"] = (settings.pop("hidden_units"),)
    if slug == spec.estimator and spec.class_weight is not None:
        settings["class_weight"] = spec.class_weight
    if slug == "random_forest":
        settings["n_jobs"] = spec.threads
    estimator = known[slug](**settings)
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=spec.seed)
    return estimator
