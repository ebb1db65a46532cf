"""Parameters that several estimators share."""

from engine.spec.estimator import Parameter

LIBRARY = "https://scikit-learn.org/stable/modules"


def reference(name: str) -> str:
    """Return the address of the library's page about a class, such as `svm.SVC`."""
    return f"{LIBRARY}/generated/sklearn.{name}.html"


DEPTH = Parameter(
    "max_depth",
    "Greatest depth",
    "How many questions deep a tree may go; deeper trees memorise more.",
    "integer",
    default=12,
    minimum=1,
    maximum=64,
    docs=f"{LIBRARY}/tree.html#tips-on-practical-use",
)
LEAF = Parameter(
    "min_samples_leaf",
    "Rows per leaf",
    "The fewest rows a final group may hold; more rows give smoother answers.",
    "integer",
    default=5,
    minimum=1,
    maximum=500,
    is_log=True,
    docs=f"{LIBRARY}/tree.html#tips-on-practical-use",
)
TREES = Parameter(
    "n_estimators",
    "Trees",
    "How many trees are averaged; more is steadier and slower.",
    "integer",
    default=100,
    minimum=10,
    maximum=500,
    is_searched=False,
    docs=f"{LIBRARY}/ensemble.html#random-forest-parameters",
)
FREEDOM = Parameter(
    "C",
    "Freedom",
    "How freely coefficients may grow; smaller means simpler.",
    "number",
    default=1.0,
    minimum=0.0001,
    maximum=1_000.0,
    is_log=True,
)
PENALTY = Parameter(
    "alpha",
    "Penalty",
    "How strongly large coefficients are punished; more means simpler.",
    "number",
    default=1.0,
    minimum=0.0001,
    maximum=10_000.0,
    is_log=True,
)
MIXTURE = Parameter(
    "l1_ratio",
    "Share of the selecting penalty",
    "0 shrinks all coefficients a little; 1 sets most of them to nothing.",
    "number",
    default=0.5,
    minimum=0.0,
    maximum=1.0,
    docs=f"{LIBRARY}/linear_model.html#elastic-net",
)
ITERATIONS = Parameter(
    "max_iter",
    "Most iterations",
    "When to stop looking for better coefficients.",
    "integer",
    default=1_000,
    minimum=50,
    maximum=10_000,
    is_searched=False,
)
