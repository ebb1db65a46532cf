"""Groups counted first are measured as if each had been looked at row by row."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from engine import groups, tables
from engine.features import Reading
from engine.groups import MISSING, OTHER
from engine.measures import Outcomes
from engine.subgroups import compare
from tests.engine.tables import put_table

ROWS = 3_000
WHOLE = {"confidence": 0.95, "smallest": 30}


@pytest.fixture
def labels() -> np.ndarray[Any, Any]:
    return np.random.default_rng(1).choice(["a", "b", "c"], ROWS, p=[0.7, 0.29, 0.01])


def grouped(labels: np.ndarray[Any, Any]) -> groups.Groups:
    names, codes = np.unique(labels, return_inverse=True)
    return groups.Groups(codes, tuple(names))


def read(tmp_path: Path, values: Any, kind: str) -> list[str]:
    """Write a column beside a target that some rows lack; return names of groups."""
    target = np.where(np.arange(len(values)) % 10 == 3, None, "yes")
    put_table(tmp_path / "t.parquet", pd.DataFrame({"x": values, "y": target}))
    asked = Reading(features=(), target="y", task="binary", text_buckets=0)
    with tables.connect(tmp_path) as database:
        found = groups.read(database, tmp_path / "t.parquet", asked, "x", kind)
    return [found.names[code] for code in found.codes]


def known(values: Any) -> list[Any]:
    return [value for place, value in enumerate(values) if place % 10 != 3]


def test_binary_groups_agree_with_reference(labels) -> None:
    rng = np.random.default_rng(2)
    actual, scores = rng.integers(0, 2, ROWS), rng.random(ROWS)
    outcomes = Outcomes("binary", actual, scores, 0.4)

    found = compare(outcomes, grouped(labels), **WHOLE)

    assert [part["group"] for part in found] == ["a", "b", "c"]
    for part in found:
        inside = labels == part["group"]
        truth, said = actual[inside], scores[inside] >= 0.4
        (tn, fp), _ = metrics.confusion_matrix(truth, said)
        assert part["rows"] == inside.sum()
        assert part["positives"] == truth.sum()
        assert part["small"] == (inside.sum() < 30)
        values = {slug: one["value"] for slug, one in part["measures"].items()}
        assert values == pytest.approx(
            {
                "recall": metrics.recall_score(truth, said),
                "precision": metrics.precision_score(truth, said),
                "false_positive_rate": fp / (tn + fp),
                "selection_rate": said.mean(),
            }
        )
        for one in part["measures"].values():
            assert one["low"] <= one["value"] <= one["high"]


def test_many_classes_and_numbers_agree_with_reference(labels) -> None:
    rng = np.random.default_rng(3)
    actual, scores = rng.integers(0, 4, ROWS), rng.random((ROWS, 4))
    truth = rng.normal(1e4, 5, ROWS)
    said = truth + rng.normal(0, 1, ROWS)

    classes = compare(Outcomes("multiclass", actual, scores), grouped(labels), **WHOLE)
    numbers = compare(Outcomes("regression", truth, said), grouped(labels), **WHOLE)

    for part, other in zip(classes, numbers, strict=True):
        inside = labels == part["group"]
        right = scores[inside].argmax(axis=1) == actual[inside]
        assert part["measures"]["accuracy"]["value"] == pytest.approx(right.mean())
        errors = np.abs(truth - said)[inside]
        half = 1.959964 * errors.std() / np.sqrt(len(errors))
        assert other["measures"]["mae"] == pytest.approx(
            {
                "value": errors.mean(),
                "low": errors.mean() - half,
                "high": errors.mean() + half,
            }
        )


def test_commonest_values_are_groups_and_the_rest_is_other(tmp_path) -> None:
    rng = np.random.default_rng(4)
    values = np.array([f"v{n:02}" for n in rng.geometric(0.1, 2_000)], object)
    values[::7] = None

    found = read(tmp_path, values, "VARCHAR")

    series = pd.Series(known(values)).fillna(MISSING)
    counts = series.value_counts().rename_axis("label").reset_index(name="rows")
    kept = counts.sort_values(["rows", "label"], ascending=[False, True])["label"][:20]
    assert found == series.where(series.isin(kept), OTHER).tolist()


def test_a_value_that_is_called_other_joins_the_rest(tmp_path) -> None:
    values = [OTHER] * 100 + [f"v{n}" for n in range(30)]

    found = read(tmp_path, values, "VARCHAR")

    assert found.count(OTHER) == len(known([OTHER] * 100)) + 27 - 19


def test_many_numbers_are_cut_into_quarters(tmp_path) -> None:
    values = np.random.default_rng(5).normal(0, 1, 1_000)
    values[::9] = np.nan

    found = pd.Series(read(tmp_path, values, "DOUBLE"))

    numbers = pd.Series(known(values))
    assert (found[numbers.isna()] == MISSING).all()
    expected = pd.qcut(numbers.dropna(), 4, labels=False)
    names = found[numbers.notna()].groupby(expected).unique()
    assert [len(one) for one in names] == [1] * 4
    assert len({one[0] for one in names}) == 4


def test_few_numbers_are_groups_of_their_own(tmp_path) -> None:
    assert set(read(tmp_path, [1, 2, 3] * 50, "BIGINT")) == {"1", "2", "3"}


def test_long_values_have_short_names(tmp_path) -> None:
    found = read(tmp_path, ["a" * 5_000, "a" * 4_000 + "b", "c"] * 10, "VARCHAR")

    assert set(found) == {"a" * 120, "c"}


def test_quotes_in_values_are_only_text(tmp_path) -> None:
    values = ["it's", "'); DROP TABLE x; --"] * 10

    assert read(tmp_path, values, "VARCHAR") == known(values)
