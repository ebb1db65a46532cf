"""The estimators a training may use, with the parameters a person may set."""

from collections.abc import Mapping

from engine.spec.decode import require
from engine.spec.estimator import (
    ALL_TASKS,
    CLASSIFICATION,
    Estimator,
    Parameter,
    Scalar,
)

_DEPTH = Parameter(
    "max_depth",
    "Greatest depth",
    "How many questions deep a tree may go; deeper trees memorise more.",
    "integer",
    default=12,
    minimum=1,
    maximum=64,
)
_LEAF = Parameter(
    "min_samples_leaf",
    "Rows per leaf",
    "The fewest rows a final group may hold; more rows give smoother answers.",
    "integer",
    default=5,
    minimum=1,
    maximum=500,
    is_log=True,
)
_ALPHA = Parameter(
    "alpha",
    "Penalty",
    "How strongly large coefficients are punished; more means simpler.",
    "number",
    default=1.0,
    minimum=0.0001,
    maximum=10_000.0,
    is_log=True,
)

_CATALOGUE = (
    Estimator(
        "logistic_regression",
        "Logistic regression",
        "Adds up weighted evidence; easy to explain and hard to beat on small data.",
        CLASSIFICATION,
        (
            Parameter(
                "C",
                "Freedom",
                "How freely coefficients may grow; smaller means simpler.",
                "number",
                default=1.0,
                minimum=0.0001,
                maximum=1_000.0,
                is_log=True,
            ),
            Parameter(
                "max_iter",
                "Most iterations",
                "When to stop looking for better coefficients.",
                "integer",
                default=1_000,
                minimum=50,
                maximum=10_000,
                is_searched=False,
            ),
        ),
        has_class_weight=True,
    ),
    Estimator(
        "ridge",
        "Ridge regression",
        "A straight-line fit that keeps its coefficients small.",
        ("regression",),
        (_ALPHA,),
    ),
    Estimator(
        "decision_tree",
        "Decision tree",
        "One tree of yes-no questions that can be read aloud.",
        CLASSIFICATION,
        (_DEPTH, _LEAF),
        has_class_weight=True,
    ),
    Estimator(
        "random_forest",
        "Random forest",
        "The average of many trees; robust, with little to tune.",
        ALL_TASKS,
        (
            Parameter(
                "n_estimators",
                "Trees",
                "How many trees are averaged; more is steadier and slower.",
                "integer",
                default=100,
                minimum=10,
                maximum=500,
                is_searched=False,
            ),
            _DEPTH,
            _LEAF,
        ),
        has_class_weight=True,
    ),
    Estimator(
        "hist_gradient_boosting",
        "Gradient boosting",
        "Trees that each correct the ones before; usually the best on tables.",
        ALL_TASKS,
        (
            Parameter(
                "learning_rate",
                "Learning rate",
                "How much each new tree may correct; smaller needs more trees.",
                "number",
                default=0.1,
                minimum=0.005,
                maximum=1.0,
                is_log=True,
            ),
            Parameter(
                "max_iter",
                "Trees",
                "How many trees are added one after the other.",
                "integer",
                default=100,
                minimum=10,
                maximum=1_000,
                is_log=True,
            ),
            Parameter(
                "max_leaf_nodes",
                "Leaves per tree",
                "How finely each tree may divide the rows.",
                "integer",
                default=15,
                minimum=2,
                maximum=128,
                is_log=True,
            ),
            Parameter(
                "l2_regularization",
                "Penalty",
                "How strongly extreme answers of a leaf are punished.",
                "number",
                default=1.0,
                minimum=0.001,
                maximum=1_000.0,
                is_log=True,
            ),
        ),
        has_class_weight=True,
    ),
    Estimator(
        "nearest_neighbours",
        "Nearest neighbours",
        "Answers as the most similar known rows did; keeps the training rows inside.",
        CLASSIFICATION,
        (
            Parameter(
                "n_neighbors",
                "Neighbours",
                "How many similar rows are asked.",
                "integer",
                default=15,
                minimum=1,
                maximum=200,
                is_log=True,
            ),
            Parameter(
                "weights",
                "Weights",
                "Whether closer rows count more.",
                "choice",
                default="uniform",
                choices=("uniform", "distance"),
            ),
        ),
    ),
    Estimator(
        "mlp",
        "Neural network",
        "A small network with one hidden layer, for smooth interactions.",
        CLASSIFICATION,
        (
            Parameter(
                "hidden_units",
                "Hidden units",
                "How many patterns the network may hold at once.",
                "integer",
                default=32,
                minimum=2,
                maximum=512,
                is_log=True,
            ),
            Parameter(
                "alpha",
                "Penalty",
                "How strongly large weights are punished.",
                "number",
                default=0.001,
                minimum=0.000001,
                maximum=10.0,
                is_log=True,
            ),
            Parameter(
                "max_iter",
                "Most passes",
                "How often the training rows are gone through at most.",
                "integer",
                default=100,
                minimum=5,
                maximum=1_000,
                is_searched=False,
            ),
        ),
    ),
    Estimator(
        "dummy",
        "No model",
        "Ignores the features; the baseline that every model must beat.",
        ALL_TASKS,
    ),
)

ESTIMATORS: Mapping[str, Estimator] = {found.slug: found for found in _CATALOGUE}


def complete_parameters(slug: str, given: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Check `given` and fill in the defaults of the rest.

    Raises:
        SpecError: the estimator or a parameter is unknown, or a value does not fit.
    """
    require(slug in ESTIMATORS, "estimator", f"must be one of {', '.join(ESTIMATORS)}.")
    known = {parameter.name: parameter for parameter in ESTIMATORS[slug].parameters}
    for name in given:
        require(
            name in known, f"parameters.{name}", f"is unknown to {slug}; remove it."
        )
    return {
        name: parameter.check(given.get(name, parameter.default))
        for name, parameter in known.items()
    }
