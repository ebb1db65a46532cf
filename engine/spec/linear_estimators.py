"""Estimators that add up weighted evidence."""

from dataclasses import replace

from engine.spec.estimator import (
    ALL_TASKS,
    CLASSIFICATION,
    REGRESSION,
    Estimator,
    Parameter,
)
from engine.spec.parameters import (
    FREEDOM,
    ITERATIONS,
    LIBRARY,
    MIXTURE,
    PENALTY,
    reference,
)

LINEAR = (
    Estimator(
        "logistic_regression",
        "Logistic regression",
        "Adds up weighted evidence; easy to explain and hard to beat on small data.",
        CLASSIFICATION,
        reference("linear_model.LogisticRegression"),
        (
            replace(FREEDOM, docs=f"{LIBRARY}/linear_model.html#logistic-regression"),
            ITERATIONS,
        ),
        has_class_weight=True,
    ),
    Estimator(
        "linear_svm",
        "Linear support vector machine",
        "Parts two classes by the widest gap; its probabilities are made by "
        "calibration.",
        CLASSIFICATION,
        reference("svm.LinearSVC"),
        (replace(FREEDOM, docs=f"{LIBRARY}/svm.html#classification"), ITERATIONS),
        has_class_weight=True,
        needs_calibration=True,
    ),
    Estimator(
        "sgd",
        "Linear model in small steps",
        "A linear model learned row by row; quick on millions of rows.",
        ALL_TASKS,
        reference("linear_model.SGDClassifier"),
        (
            Parameter(
                "penalty",
                "Kind of penalty",
                "l2 shrinks coefficients, l1 drops features, elasticnet does both.",
                "choice",
                default="l2",
                choices=("l2", "l1", "elasticnet"),
                docs=f"{LIBRARY}/sgd.html#mathematical-formulation",
            ),
            replace(
                PENALTY,
                default=0.0001,
                minimum=0.0000001,
                maximum=10.0,
                docs=f"{LIBRARY}/sgd.html#tips-on-practical-use",
            ),
            replace(ITERATIONS, help="How often the rows are gone through at most."),
        ),
        has_class_weight=True,
    ),
    Estimator(
        "ridge",
        "Ridge regression",
        "A straight-line fit that keeps its coefficients small.",
        REGRESSION,
        reference("linear_model.Ridge"),
        (replace(PENALTY, docs=f"{LIBRARY}/linear_model.html#regression"),),
    ),
    Estimator(
        "lasso",
        "Lasso",
        "A straight-line fit that leaves out features it does not need.",
        REGRESSION,
        reference("linear_model.Lasso"),
        (replace(PENALTY, docs=f"{LIBRARY}/linear_model.html#lasso"), ITERATIONS),
    ),
    Estimator(
        "elastic_net",
        "Elastic net",
        "Between ridge and lasso: shrinks coefficients and leaves some out.",
        REGRESSION,
        reference("linear_model.ElasticNet"),
        (
            replace(PENALTY, docs=f"{LIBRARY}/linear_model.html#elastic-net"),
            MIXTURE,
            ITERATIONS,
        ),
    ),
)
