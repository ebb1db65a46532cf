"""Put preparation and an estimator together, so that the whole can be exported."""

import warnings
from collections.abc import Callable

from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from engine import estimators, preparation
from engine.estimators import Parameters
from engine.features import Table
from engine.live import Watch
from engine.spec import TrainSpec


def fit(
    spec: TrainSpec,
    parameters: Parameters,
    table: Table,
    log: Callable[[str], None],
    watch: Watch | None = None,
) -> Pipeline:
    """Assemble a pipeline and fit it on all rows of `table`.

    Args:
        spec: gives task, estimator, preprocessing, seed, class weight and threads.
        parameters: complete and checked parameters of the estimator.
        table: the rows; their commonest categories are the ones it will know.
        log: told when the estimator stopped before it settled.
        watch: follows the estimator while it learns.
    """
    prepare = preparation.fit(spec, table)
    estimator = estimators.build(spec, parameters, table)
    prepared = preparation.apply(prepare, table)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        if watch is None:
            estimator.fit(prepared, table.labels)
        else:
            with watch.following(estimator, prepare):
                estimator.fit(prepared, table.labels)
    if any(issubclass(found.category, ConvergenceWarning) for found in caught):
        log("The estimator stopped before it settled; more iterations may help.")
    estimators.settle(estimator)
    return Pipeline([("prepare", prepare), ("estimator", estimator)])
