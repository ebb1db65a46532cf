"""The estimators of the catalogue, as the library's own objects."""

from collections.abc import Callable
from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LogisticRegression,
    Ridge,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from engine import split
from engine.features import Table
from engine.folder import EngineError
from engine.spec import ESTIMATORS, Scalar, TrainSpec

Parameters = dict[str, Scalar]

CALIBRATION_FOLDS = 3
_CLASSIFIERS: dict[str, Callable[..., Any]] = {
    "logistic_regression": LogisticRegression,
    "linear_svm": LinearSVC,
    "sgd": SGDClassifier,
    "decision_tree": DecisionTreeClassifier,
    "random_forest": RandomForestClassifier,
    "extra_trees": ExtraTreesClassifier,
    "hist_gradient_boosting": HistGradientBoostingClassifier,
    "nearest_neighbours": KNeighborsClassifier,
    "svm": SVC,
    "mlp": MLPClassifier,
    "naive_bayes": GaussianNB,
    "dummy": DummyClassifier,
}
_REGRESSORS: dict[str, Callable[..., Any]] = {
    "sgd": SGDRegressor,
    "ridge": Ridge,
    "lasso": Lasso,
    "elastic_net": ElasticNet,
    "decision_tree": DecisionTreeRegressor,
    "random_forest": RandomForestRegressor,
    "extra_trees": ExtraTreesRegressor,
    "hist_gradient_boosting": HistGradientBoostingRegressor,
    "nearest_neighbours": KNeighborsRegressor,
    "svm": SVR,
    "mlp": MLPRegressor,
    "dummy": DummyRegressor,
}
_FIXED: dict[str, dict[str, Any]] = {
    # Search trees over the neighbours cannot be stored without pickle.
    "nearest_neighbours": {"algorithm": "brute"},
    # Stopping early would hold back rows that the person did not agree to give up.
    "hist_gradient_boosting": {"early_stopping": False},
}
_FORESTS = ("random_forest", "extra_trees")


def build(spec: TrainSpec, parameters: Parameters, table: Table) -> Any:
    """Return the spec's estimator, ready to learn from `table`.

    Raises:
        EngineError: it would take hours on so many rows.
    """
    slug = spec.estimator
    most = ESTIMATORS[slug].most_rows
    if most is not None and len(table) > most:
        raise EngineError(
            f"{ESTIMATORS[slug].title} learns from at most {most:,} rows, not "
            f"{len(table):,}; set max_rows, or choose another estimator."
        )
    known = _REGRESSORS if spec.task == "regression" else _CLASSIFIERS
    estimator = known[slug](**_settings(spec, parameters, len(table)))
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=spec.seed)
    return _calibrated(spec, estimator, table)


def calibration(spec: TrainSpec) -> str:
    """Return how probabilities are corrected: `none`, `sigmoid` or `isotonic`."""
    needs = ESTIMATORS[spec.estimator].needs_calibration and spec.task != "regression"
    return "sigmoid" if needs and spec.calibration == "none" else spec.calibration


def compared_rows(estimator: Any) -> int:
    """Count the known rows that each prediction compares a row with; 0 for most."""
    if isinstance(estimator, CalibratedClassifierCV):
        estimator = estimator.calibrated_classifiers_[0].estimator
    if hasattr(estimator, "support_vectors_"):
        return len(estimator.support_vectors_)
    return int(getattr(estimator, "n_samples_fit_", 0))


def settle(estimator: Any) -> None:
    """Forget what a fitted estimator no longer needs.

    It predicts on one thread, so that sums repeat to the last digit, and the folds of
    its calibration are dropped.
    """
    if isinstance(estimator, CalibratedClassifierCV):
        estimator.set_params(cv=None)
        for part in estimator.calibrated_classifiers_:
            settle(part.estimator)
    if estimator.get_params(deep=False).get("n_jobs") is not None:
        estimator.set_params(n_jobs=None)


def _settings(spec: TrainSpec, parameters: Parameters, rows: int) -> dict[str, Any]:
    slug = spec.estimator
    settings: dict[str, Any] = {**parameters, **_FIXED.get(slug, {})}
    if "n_neighbors" in settings:  # no more neighbours than there are rows
        settings["n_neighbors"] = min(settings["n_neighbors"], rows)
    if "hidden_units" in settings:
        layers = settings.pop("hidden_layers")
        settings["hidden_layer_sizes"] = (settings.pop("hidden_units"),) * layers
    if slug == "sgd" and spec.task != "regression":
        settings["loss"] = "log_loss"  # the one that knows probabilities
    if spec.class_weight is not None:
        settings["class_weight"] = spec.class_weight
    if slug in _FORESTS:
        settings["n_jobs"] = spec.threads
    return settings


def _calibrated(spec: TrainSpec, estimator: Any, table: Table) -> Any:
    method = calibration(spec)
    if method == "none":
        return estimator
    folds = split.folds(table, spec, CALIBRATION_FOLDS, every_row=True)
    if not all(split.has_every_class(table, train) for train, _ in folds):
        raise EngineError(
            "Calibration divides the training rows again, and then some parts have no "
            f'row of a class of "{spec.target}"; divide the rows otherwise, or choose '
            "an estimator that does not need it."
        )
    return CalibratedClassifierCV(estimator, method=method, cv=folds, ensemble=False)
