"""Estimators that ask yes-no questions."""

from engine.spec.estimator import ALL_TASKS, Estimator, Parameter
from engine.spec.parameters import DEPTH, LEAF, LIBRARY, TREES, reference

_BOOSTING = f"{LIBRARY}/ensemble.html#histogram-based-gradient-boosting"

TREE = (
    Estimator(
        "decision_tree",
        "Decision tree",
        "One tree of yes-no questions that can be read aloud.",
        ALL_TASKS,
        reference("tree.DecisionTreeClassifier"),
        (DEPTH, LEAF),
        has_class_weight=True,
    ),
    Estimator(
        "random_forest",
        "Random forest",
        "The average of many trees; robust, with little to tune.",
        ALL_TASKS,
        reference("ensemble.RandomForestClassifier"),
        (TREES, DEPTH, LEAF),
        has_class_weight=True,
    ),
    Estimator(
        "extra_trees",
        "Extra trees",
        "A forest whose questions are drawn at random; quicker, and smoother answers.",
        ALL_TASKS,
        reference("ensemble.ExtraTreesClassifier"),
        (TREES, DEPTH, LEAF),
        has_class_weight=True,
    ),
    Estimator(
        "hist_gradient_boosting",
        "Gradient boosting",
        "Trees that each correct the ones before; usually the best on tables.",
        ALL_TASKS,
        reference("ensemble.HistGradientBoostingClassifier"),
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
                docs=_BOOSTING,
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
                docs=_BOOSTING,
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
                docs=_BOOSTING,
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
                docs=_BOOSTING,
            ),
        ),
        has_class_weight=True,
    ),
)
