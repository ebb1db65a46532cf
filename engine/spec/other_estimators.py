"""Estimators that compare rows, count, or bend space; and no model at all."""

from dataclasses import replace

from engine.spec.estimator import ALL_TASKS, CLASSIFICATION, Estimator, Parameter
from engine.spec.parameters import FREEDOM, LIBRARY, reference

_MLP = f"{LIBRARY}/neural_networks_supervised.html#tips-on-practical-use"

OTHER = (
    Estimator(
        "nearest_neighbours",
        "Nearest neighbours",
        "Answers as the most similar known rows did; keeps the training rows inside, "
        "at most 100,000.",
        ALL_TASKS,
        reference("neighbors.KNeighborsClassifier"),
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
                docs=f"{LIBRARY}/neighbors.html#nearest-neighbors-classification",
            ),
            Parameter(
                "weights",
                "Weights",
                "Whether closer rows count more.",
                "choice",
                default="uniform",
                choices=("uniform", "distance"),
                docs=f"{LIBRARY}/neighbors.html#nearest-neighbors-classification",
            ),
        ),
        most_rows=100_000,
    ),
    Estimator(
        "svm",
        "Support vector machine",
        "Bends the space between similar rows; strong on small data, takes at most "
        "20,000 rows. Its probabilities are made by calibration.",
        ALL_TASKS,
        reference("svm.SVC"),
        (
            replace(
                FREEDOM,
                help="How hard it tries to get every row right; smaller means simpler.",
                docs=f"{LIBRARY}/svm.html#parameters-of-the-rbf-kernel",
            ),
            Parameter(
                "kernel",
                "Shape",
                "How rows are compared: by nearness (rbf) or by products (poly).",
                "choice",
                default="rbf",
                choices=("rbf", "poly"),
                docs=f"{LIBRARY}/svm.html#kernel-functions",
            ),
        ),
        has_class_weight=True,
        needs_calibration=True,
        most_rows=20_000,
    ),
    Estimator(
        "mlp",
        "Neural network",
        "A small network of one to three hidden layers, for smooth interactions.",
        ALL_TASKS,
        reference("neural_network.MLPClassifier"),
        (
            Parameter(
                "hidden_units",
                "Hidden units",
                "How many patterns each layer may hold at once.",
                "integer",
                default=32,
                minimum=2,
                maximum=512,
                is_log=True,
                docs=_MLP,
            ),
            Parameter(
                "hidden_layers",
                "Hidden layers",
                "How often patterns are combined into larger ones.",
                "integer",
                default=1,
                minimum=1,
                maximum=3,
                docs=_MLP,
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
                docs=_MLP,
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
                docs=_MLP,
            ),
        ),
    ),
    Estimator(
        "naive_bayes",
        "Naive Bayes",
        "Counts how each feature differs between the classes; instant, and a good "
        "second baseline.",
        CLASSIFICATION,
        reference("naive_bayes.GaussianNB"),
        (
            Parameter(
                "var_smoothing",
                "Smoothing",
                "How much spread is added to every feature; more means simpler.",
                "number",
                default=0.000000001,
                minimum=0.000000000001,
                maximum=1.0,
                is_log=True,
                docs=f"{LIBRARY}/naive_bayes.html#gaussian-naive-bayes",
            ),
        ),
    ),
    Estimator(
        "dummy",
        "No model",
        "Ignores the features; the baseline that every model must beat.",
        ALL_TASKS,
        reference("dummy.DummyClassifier"),
    ),
)
