"""Measures agree with scikit-learn's, also when rows are drawn again."""

import tracemalloc

import numpy as np
import pytest
from sklearn import metrics

from engine import confusion
from engine.cost import best_threshold, cost_curve
from engine.curves import MOST_POINTS, precision_recall, roc
from engine.intervals import (
    measure_intervals,
    quantiles,
    wilson,
)
from engine.measures import Outcomes
from engine.spec import Cost

COST = Cost(false_alarm=1, miss=5)


@pytest.fixture
def binary() -> Outcomes:
    rng = np.random.default_rng(1)
    actual = rng.integers(0, 2, 400)
    scores = np.clip(rng.normal(0.35 + 0.3 * actual, 0.2), 0, 1).round(2)
    return Outcomes("binary", actual, scores, 0.4, COST)


def test_binary_measures_agree_with_reference(binary: Outcomes) -> None:
    actual, scores, predicted = binary.actual, binary.scores, binary.predicted
    (_, fp), (fn, _) = metrics.confusion_matrix(actual, predicted)

    values = binary.values()

    assert values == pytest.approx(
        {
            "roc_auc": metrics.roc_auc_score(actual, scores),
            "average_precision": metrics.average_precision_score(actual, scores),
            "brier": metrics.brier_score_loss(actual, scores),
            "calibration_error": values["calibration_error"],
            "accuracy": metrics.accuracy_score(actual, predicted),
            "balanced_accuracy": metrics.balanced_accuracy_score(actual, predicted),
            "precision": metrics.precision_score(actual, predicted),
            "recall": metrics.recall_score(actual, predicted),
            "specificity": metrics.recall_score(1 - actual, 1 - predicted),
            "f1": metrics.f1_score(actual, predicted),
            "mission_cost_per_1000": (fp + 5 * fn) / 400 * 1000,
        }
    )


def test_weights_stand_for_repeated_rows(binary: Outcomes) -> None:
    weights = np.random.default_rng(2).integers(0, 4, 400)
    repeated = Outcomes(
        "binary",
        np.repeat(binary.actual, weights),
        np.repeat(binary.scores, weights),
        0.4,
        COST,
    )

    weighted = binary.measures(weights.astype(float))

    assert weighted == pytest.approx(repeated.values())


def test_calibration_error_is_the_gap_of_each_bin() -> None:
    outcomes = Outcomes(
        "binary", np.array([0, 1, 1, 1]), np.array([0.5, 0.5, 0.9, 1.0])
    )

    assert outcomes.values()["calibration_error"] == pytest.approx(0.1 / 4)


def test_multiclass_measures_agree_with_reference() -> None:
    rng = np.random.default_rng(3)
    actual, scores = rng.integers(0, 4, 200), rng.random((200, 4))
    predicted = scores.argmax(axis=1)

    values = Outcomes("multiclass", actual, scores).values()

    assert values == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(actual, predicted),
            "balanced_accuracy": metrics.balanced_accuracy_score(actual, predicted),
            "macro_f1": metrics.f1_score(actual, predicted, average="macro"),
        }
    )


def test_regression_measures_agree_with_reference() -> None:
    rng = np.random.default_rng(4)
    actual = rng.normal(1e6, 1, 100)
    scores = actual + rng.normal(0, 0.5, 100)

    values = Outcomes("regression", actual, scores).values()

    assert values == pytest.approx(
        {
            "rmse": metrics.root_mean_squared_error(actual, scores),
            "mae": metrics.mean_absolute_error(actual, scores),
            "r2": metrics.r2_score(actual, scores),
        }
    )


def test_measures_without_positive_rows_are_not_numbers() -> None:
    values = Outcomes("binary", np.zeros(4, int), np.full(4, 0.2)).values()

    assert np.isnan([values["roc_auc"], values["recall"], values["precision"]]).all()
    assert values["specificity"] == 1


def test_wilson_matches_the_published_interval() -> None:
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3: 15 of 148.
    assert wilson(15, 148, 0.95) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert np.isnan(wilson(0, 0, 0.95)).all()


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)
    covered = []
    for seed in range(60):
        actual = rng.integers(0, 2, 150)
        scores = 1 / (1 + np.exp(-rng.normal(2 * actual - 1, 1)))
        outcomes = Outcomes("binary", actual, scores)
        found = measure_intervals(
            outcomes, resamples=200, confidence=0.9, seed=seed
        ).own
        # Two normal scores 2 standard deviations apart: AUC is Phi(2 / sqrt 2).
        covered.append(found["roc_auc"][0] <= 0.9214 <= found["roc_auc"][1])

    assert 0.75 <= np.mean(covered) <= 1


def test_perfect_recall_of_few_rows_is_not_certain() -> None:
    outcomes = Outcomes("binary", np.array([1, 1, 1, 0]), np.array([1, 1, 1, 0.0]))

    found = measure_intervals(outcomes, resamples=100, confidence=0.95, seed=0).own

    assert found["recall"][0] < 0.6


def test_intervals_are_the_same_in_one_piece_and_in_many(
    binary: Outcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = measure_intervals(binary, resamples=100, confidence=0.95, seed=0).own
    monkeypatch.setattr("engine.intervals._CHUNK_CELLS", 4 * 30)

    pieces = measure_intervals(binary, resamples=100, confidence=0.95, seed=0).own

    assert pieces.keys() == whole.keys()
    assert list(pieces.values()) == [pytest.approx(pair) for pair in whole.values()]


def test_row_intervals_are_those_of_a_plain_bootstrap(binary: Outcomes) -> None:
    found = measure_intervals(binary, resamples=500, confidence=0.9, seed=0).own

    rng = np.random.default_rng(7)
    plain: dict[str, list[float]] = {
        "roc_auc": [],
        "average_precision": [],
        "brier": [],
    }
    for _ in range(200):
        drawn = rng.integers(0, 400, 400)
        pair = binary.actual[drawn], binary.scores[drawn]
        plain["roc_auc"].append(metrics.roc_auc_score(*pair))
        plain["average_precision"].append(metrics.average_precision_score(*pair))
        plain["brier"].append(metrics.brier_score_loss(*pair))
    for slug, draws in plain.items():
        # Ends of an interval are as uncertain as 200 draws leave them.
        spread = np.std(draws) / 3
        assert found[slug] == pytest.approx(
            np.quantile(draws, [0.05, 0.95]), abs=spread
        )


def test_difference_intervals_are_those_of_a_plain_paired_bootstrap(
    binary: Outcomes,
) -> None:
    rng = np.random.default_rng(8)
    noisy = np.clip(binary.scores + rng.normal(0, 0.2, 400), 0, 1)
    theirs = Outcomes("binary", binary.actual, noisy, 0.5, COST)

    found = measure_intervals(
        binary, theirs, resamples=500, confidence=0.9, seed=0
    ).gained

    aucs, recalls = [], []
    for _ in range(200):
        drawn = rng.integers(0, 400, 400)
        actual = binary.actual[drawn]
        aucs.append(
            metrics.roc_auc_score(actual, binary.scores[drawn])
            - metrics.roc_auc_score(actual, noisy[drawn])
        )
        recalls.append(
            metrics.recall_score(actual, binary.scores[drawn] >= 0.4)
            - metrics.recall_score(actual, noisy[drawn] >= 0.5)
        )
    for slug, draws in (("roc_auc", aucs), ("recall", recalls)):
        spread = np.std(draws) / 3
        assert found[slug] == pytest.approx(
            np.quantile(draws, [0.05, 0.95]), abs=spread
        )


def test_gains_of_many_classes_are_those_of_a_plain_paired_bootstrap() -> None:
    rng = np.random.default_rng(11)
    actual, scores = rng.integers(0, 3, 300), rng.random((300, 3))
    better = scores + 0.3 * np.eye(3)[actual]
    ours, theirs = (Outcomes("multiclass", actual, one) for one in (better, scores))

    found = measure_intervals(ours, theirs, resamples=500, confidence=0.9, seed=0)

    right = (better.argmax(1) == actual) * 1.0 - (scores.argmax(1) == actual)
    draws = [right[rng.integers(0, 300, 300)].mean() for _ in range(200)]
    expected = np.quantile(draws, [0.05, 0.95])
    assert found.gained["accuracy"] == pytest.approx(expected, abs=np.std(draws) / 3)
    assert set(found.own) == set(found.gained)


def test_regression_intervals_are_those_of_a_plain_bootstrap() -> None:
    rng = np.random.default_rng(9)
    actual = rng.normal(1e6, 1, 300)
    scores = actual + rng.normal(0, 0.5, 300)

    found = measure_intervals(
        Outcomes("regression", actual, scores), resamples=500, confidence=0.9, seed=0
    ).own

    draws = []
    for _ in range(200):
        drawn = rng.integers(0, 300, 300)
        draws.append(metrics.r2_score(actual[drawn], scores[drawn]))
    spread = np.std(draws) / 3
    assert found["r2"] == pytest.approx(np.quantile(draws, [0.05, 0.95]), abs=spread)


def test_many_classes_need_little_memory() -> None:
    rng = np.random.default_rng(10)
    actual = rng.integers(0, 1_000, 2_000)
    scores = np.zeros((2_000, 1_000))
    scores[np.arange(2_000), np.where(rng.random(2_000) < 0.8, actual, 0)] = 1
    outcomes = Outcomes("multiclass", actual, scores)

    tracemalloc.start()
    found = measure_intervals(outcomes, resamples=100, confidence=0.95, seed=0).own
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    low, high = found["balanced_accuracy"]
    assert low < high
    assert peak < 300 * 1024**2


def test_quantiles_leave_unknown_draws_out() -> None:
    draws = {"a": np.array([np.nan, 1.0, 1.0]), "b": np.array([np.nan])}

    found = quantiles(draws, 0.95)

    assert found["a"] == (1, 1)
    assert np.isnan(found["b"]).all()


def test_cost_curve_counts_errors_at_each_threshold(binary: Outcomes) -> None:
    curve = cost_curve(binary.actual, binary.scores, COST)

    assert curve[40] == pytest.approx(binary.values()["mission_cost_per_1000"])
    assert curve[0] == pytest.approx(1000 * (binary.actual == 0).mean())


def test_best_threshold_prefers_the_exact_one_among_equals() -> None:
    actual, scores = np.array([0, 0, 1, 1]), np.array([0.0, 0.01, 0.99, 1.0])

    assert best_threshold(actual, scores, Cost(false_alarm=1, miss=4)) == 0.2


def test_curves_have_few_points_and_both_ends() -> None:
    rng = np.random.default_rng(6)
    actual, scores = rng.integers(0, 2, 2_000), rng.random(2_000)

    points = roc(actual, scores)

    assert len(points) == MOST_POINTS
    assert (points[0], points[-1]) == ([0, 0], [1, 1])
    assert precision_recall(actual, scores)[0] == [0, 1]


def test_a_table_of_very_many_classes_puts_the_rarest_together() -> None:
    rng = np.random.default_rng(12)
    actual = np.minimum(rng.geometric(0.02, 5_000), 200) - 1
    predicted = np.where(rng.random(5_000) < 0.7, actual, rng.integers(0, 200, 5_000))
    outcomes = Outcomes("multiclass", actual, np.eye(200)[predicted])
    names = [f"class {number:03}" for number in range(200)]

    found = confusion.table(outcomes, names, None)

    assert found is not None
    matrix, labels = np.array(found["matrix"]), found["labels"]
    assert matrix.shape == (50, 50)
    assert matrix.sum() == 5_000
    place = labels.index("class 000")
    assert matrix[place, place] == ((actual == 0) & (predicted == 0)).sum()
    rare = ~np.isin([names[n] for n in actual], labels)
    assert matrix[-1].sum() == rare.sum()
