"""What happens to columns before the estimator, learned from training rows.

Only steps are used whose export to ONNX is known to give the same answers: by default
no scaling before trees (rounding would flip their decisions), no native categories and
no "infrequent" categories. The commonest categories of the training rows are listed
instead, and any other value is treated as unknown.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from engine.features import Table, Texts
from engine.measures import Floats
from engine.spec import TrainSpec

Matrix = Floats | csr_matrix

MOST_ONE_HOT = 50
MOST_ORDINAL = 250

_TREES = (
    "decision_tree",
    "random_forest",
    "extra_trees",
    "hist_gradient_boosting",
    "dummy",
)
# These take rows of which only what is not zero is kept.
_SPARSE = (
    "logistic_regression",
    "linear_svm",
    "sgd",
    "ridge",
    "lasso",
    "elastic_net",
    "mlp",
)
_MOST_FILLED = 0.3
_FEW_ROWS = 10
_PARTS = {"numbers", "categories", "remainder"}


def fit(spec: TrainSpec, table: Table) -> ColumnTransformer:
    """Learn how to prepare columns from the rows of `table`."""
    count = len(table.layout.numbers)
    encoder = _encoder(spec, table)
    parts = [
        ("numbers", _number_step(spec), range(count)),
        ("categories", encoder, range(count, count + len(table.levels))),
    ]
    used = [(name, step, list(places)) for name, step, places in parts if places]
    is_sparse = spec.estimator in _SPARSE and _is_mostly_zero(encoder, count)
    # At 1 the result is always sparse where a part is, at 0 never.
    prepare = ColumnTransformer(used, sparse_threshold=1.0 if is_sparse else 0.0)
    # A few rows are enough to put it together: encoders are told their categories, and
    # steps that learn from numbers then do so from all rows.
    prepare.fit(table.take(np.arange(min(len(table), _FEW_ROWS))).frame())
    if count and _number_step(spec) != "passthrough":
        prepare.named_transformers_["numbers"].fit(table.number_frame())
    return prepare


def apply(prepare: Any, table: Table) -> Matrix:
    """Return what `prepare.transform(table.frame())` would, sooner.

    Categories are encoded once per distinct value instead of once per row. What `fit`
    did not make is asked in the ordinary way.

    Args:
        prepare: fitted; a pipeline of one step counts as that step.
        table: n rows.

    Returns:
        Shape (n, columns).
    """
    if isinstance(prepare, Pipeline) and len(prepare) == 1:
        prepare = prepare[0]
    steps = getattr(prepare, "named_transformers_", {})
    if not isinstance(prepare, ColumnTransformer) or not set(steps) <= _PARTS:
        found: Matrix = prepare.transform(table.frame())
        return found
    numbers: Floats = table.numbers
    if table.layout.numbers:
        numbers = np.asarray(steps["numbers"].transform(table.number_frame()))
    if not table.levels:
        return numbers
    if prepare.sparse_output_:
        return _sparse(numbers, steps["categories"], table)
    count = numbers.shape[1]
    into = np.empty((len(table), count + sum(_widths(steps["categories"]))))
    into[:, :count] = numbers
    _encode(steps["categories"], table, into[:, count:])
    return into


def _number_step(spec: TrainSpec) -> Any:
    asked, trees = spec.preprocessing, spec.estimator in _TREES
    steps: list[Any] = []
    # Boosted trees have their own branch for missing values.
    if asked.missing != "auto" or spec.estimator != "hist_gradient_boosting":
        strategy = "median" if asked.missing == "auto" else asked.missing
        fill = 0.0 if strategy == "constant" else None
        steps.append(
            SimpleImputer(strategy=strategy, fill_value=fill, keep_empty_features=True)
        )
    if asked.scale == "standard" or (asked.scale == "auto" and not trees):
        steps.append(StandardScaler())
    if not steps:
        return "passthrough"
    return steps[0] if len(steps) == 1 else make_pipeline(*steps)


def _encoder(spec: TrainSpec, table: Table) -> OneHotEncoder | OrdinalEncoder:
    asked = spec.preprocessing.categories
    if asked == "auto":
        asked = "ordinal" if spec.estimator in _TREES else "one_hot"
    if asked == "ordinal":
        return OrdinalEncoder(
            categories=_commonest(table, MOST_ORDINAL),
            handle_unknown="use_encoded_value",
            unknown_value=-1,
        )
    return OneHotEncoder(
        categories=_commonest(table, MOST_ONE_HOT), handle_unknown="ignore"
    )


def _is_mostly_zero(encoder: Any, numbers: int) -> bool:
    """Say whether rows of so many numbers and these categories hold little but 0."""
    if isinstance(encoder, OrdinalEncoder) or not encoder.categories:
        return False
    columns = numbers + sum(map(len, encoder.categories))
    return numbers + len(encoder.categories) < columns * _MOST_FILLED


def _commonest(table: Table, most: int) -> list[Texts]:
    """List each column's commonest values, the commonest first."""
    found = []
    for place, levels in enumerate(table.levels):
        counts = np.bincount(table.codes[:, place], minlength=len(levels))
        # Levels are sorted, so that equals keep the order of the alphabet.
        order = np.argsort(-counts, kind="stable")[:most]
        found.append(levels[order[counts[order] > 0]])
    return found


def _encode(encoder: Any, table: Table, into: Floats) -> None:
    """Encode the distinct values of each column, then look them up row by row."""
    found: Any = encoder.transform(_distinct(table))
    every: Floats = found.toarray() if hasattr(found, "toarray") else found
    start = 0
    for place, width in enumerate(_widths(encoder)):
        columns = slice(start, start + width)
        into[:, columns] = every[:, columns][table.codes[:, place]]
        start += width


def _sparse(numbers: Floats, encoder: Any, table: Table) -> csr_matrix:
    """Put numbers and the column of each category side by side, row by row."""
    rows, count = numbers.shape
    width = count + len(table.levels)
    columns = np.empty((rows, width), np.int32)
    columns[:, :count] = np.arange(count)
    start = count
    for place, (values, known) in enumerate(
        zip(table.levels, encoder.categories_, strict=True)
    ):
        positions = pd.Index(known).get_indexer(pd.Index(values))
        found = np.where(positions < 0, -1, positions + start).astype(np.int32)
        columns[:, count + place] = found[table.codes[:, place]]
        start += len(known)
    data = np.ones((rows, width))
    data[:, :count] = numbers
    is_known = columns >= 0
    ends = np.concatenate([[0], is_known.sum(axis=1).cumsum()])
    return csr_matrix(
        (data[is_known], columns[is_known], ends), shape=(rows, start), copy=False
    )


def _distinct(table: Table) -> pd.DataFrame:
    """Return the values of each category column, short columns filled up."""
    longest = max(map(len, table.levels))
    padded = {
        name: np.concatenate([values, np.repeat(values[:1], longest - len(values))])
        for name, values in zip(table.layout.categories, table.levels, strict=True)
    }
    return pd.DataFrame(padded, dtype=object)


def _widths(encoder: Any) -> list[int]:
    """Return how many numbers each category column becomes."""
    is_ordinal = isinstance(encoder, OrdinalEncoder)
    return [1 if is_ordinal else len(values) for values in encoder.categories_]
