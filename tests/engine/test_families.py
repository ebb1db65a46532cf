"""Families of checks, each against a computation of its own."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from engine.evaluation.calibration import slope_and_intercept
from engine.evaluation.drift import number_psi, psi
from engine.evaluation.leakage import auc
from engine.evaluation.shape import MOST_POINTS, MOST_ROWS, line, table
from engine.spec import CHECKS, FAMILIES, MEASURES, PROMISES, family_of, promises_for
from tests.engine.jobs import Job, Json
from tests.engine.tables import (
    evaluate_spec,
    hand_over,
    put_table,
    strikes,
    train_spec,
)

FACT = {
    "slug": "regeneration",
    "value": 1.0,
    "reason": "Identical.",
    "source": "/regenerations/1/",
    "digest": "a" * 64,
}


def criterion(slug: str, threshold: float, *, blocking: bool = False) -> Json:
    operator = ">=" if PROMISES[slug].better == "higher" else "<="
    return {
        "measure": slug,
        "operator": operator,
        "threshold": threshold,
        "blocking": blocking,
    }


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Job:
    job = Job(tmp_path_factory.mktemp("families") / "job")
    put_table(job.inputs / "data.parquet", strikes())
    job.succeed("train", train_spec())
    return job


@pytest.fixture(scope="module")
def result(model, tmp_path_factory) -> Json:
    """A report with everything at hand: data of the training, facts, groups."""
    job = Job(tmp_path_factory.mktemp("judged") / "job")
    hand_over(model, job)
    for name, source in (
        ("train.parquet", model.inputs / "data.parquet"),
        ("held_out.parquet", model.outputs / "predictions.parquet"),
    ):
        (job.inputs / name).write_bytes(source.read_bytes())
    known = {"slug": "data_contract", "value": None, "reason": "No contract."}
    spec = evaluate_spec(
        subgroup_columns=["size"],
        min_group_size=5,
        facts=[FACT, known],
        criteria=[
            criterion("largest_psi", 100),
            criterion("single_feature_power", 0.1),
            criterion("regeneration", 1, blocking=True),
            criterion("data_contract", 1),
            criterion("champion_recall", 0),
        ],
    )
    return job.succeed("evaluate", spec)


def family(result: Json, slug: str) -> Json:
    (found,) = (one for one in result["families"] if one["slug"] == slug)
    return found


def values(result: Json, slug: str) -> dict[str, float]:
    return {one["slug"]: one["value"] for one in family(result, slug)["figures"]}


def test_every_family_is_there_in_order(result):
    assert [one["slug"] for one in result["families"]] == list(FAMILIES)
    untested = {one["slug"] for one in result["families"] if one["not_tested"]}
    assert untested == {"champion"}
    for one in result["families"]:
        assert one["summary"] or one["not_tested"]


def test_criteria_of_all_kinds_are_judged_in_one_place(result):
    checks = {check["measure"]: check for check in result["checks"]}
    assert checks["largest_psi"]["verdict"] == "pass"
    assert checks["single_feature_power"]["verdict"] == "warn"
    assert checks["regeneration"]["verdict"] == "pass"
    assert checks["regeneration"]["digest"] == FACT["digest"]
    assert checks["data_contract"]["verdict"] == "not_tested"
    assert checks["data_contract"]["reason"] == "No contract."
    assert checks["champion_recall"]["verdict"] == "not_tested"
    assert "no champion" in checks["champion_recall"]["reason"]
    assert len(checks["largest_psi"]["digest"]) == 64
    assert result["verdict"] == "pass"


def test_fairness_compares_the_extremes_of_large_groups(result):
    (part,) = result["subgroups"]
    rates = [
        group["measures"]["selection_rate"]["value"]
        for group in part["groups"]
        if not group["small"]
    ]
    found = values(result, "fairness")
    assert found["selection_rate_difference"] == pytest.approx(max(rates) - min(rates))
    if max(rates) > 0:
        assert found["selection_rate_ratio"] == pytest.approx(min(rates) / max(rates))
    assert 0 <= found["accuracy_difference"] <= 1


def test_calibration_slope_is_that_of_a_logistic_fit():
    rng = np.random.default_rng(3)
    odds = rng.normal(0, 1.5, 4_000)
    actual = (rng.random(4_000) < 1 / (1 + np.exp(-(0.4 + 0.7 * odds)))).astype(float)
    scores = 1 / (1 + np.exp(-odds))

    slope, intercept = slope_and_intercept(actual, scores)

    fit = LogisticRegression(C=1e9).fit(odds[:, None], actual)
    assert slope == pytest.approx(fit.coef_[0, 0], abs=1e-3)
    assert intercept == pytest.approx(fit.intercept_[0], abs=1e-3)
    assert np.isnan(slope_and_intercept(np.ones(4), scores[:4])).all()


def test_psi_is_the_sum_over_shares():
    old, new = [0.5, 0.3, 0.2], [0.4, 0.3, 0.3]
    expected = sum((b - a) * np.log(b / a) for a, b in zip(old, new, strict=True))
    assert psi(old, new) == pytest.approx(expected)
    assert psi(old, old) == 0


def test_psi_of_numbers_sees_a_shift_and_missing_values():
    rng = np.random.default_rng(1)
    then = rng.normal(0, 1, 5_000)
    same, shifted = rng.normal(0, 1, 5_000), rng.normal(1, 1, 5_000)
    gaps = np.where(rng.random(5_000) < 0.3, np.nan, same)
    assert number_psi(then, same) < 0.02
    assert number_psi(then, shifted) > 0.5
    assert number_psi(then, gaps) > 0.2


def test_drift_leaves_out_the_rows_that_were_held_out(result, model):
    said = family(result, "drift")["summary"]
    record = json.loads((model.path / "result.json").read_text())["rows"]
    learned = record["train"] + record["validation"]
    assert f"{record['test']} evaluated rows" in said
    assert f"{learned} of {learned} training rows" in said


def test_leakage_counts_what_repeats_training_rows(model, tmp_path):
    job = Job(tmp_path / "job")
    hand_over(model, job)
    (job.inputs / "train.parquet").write_bytes(
        (job.inputs / "test.parquet").read_bytes()
    )
    found = values(job.succeed("evaluate", evaluate_spec()), "leakage")
    assert found["duplicate_share"] == 1
    assert found["repeated_share"] < 1


def test_power_of_one_feature_is_an_area_in_either_direction():
    rng = np.random.default_rng(2)
    actual = rng.random(500) < 0.3
    noise = rng.normal(0, 1, 500) + actual
    expected = roc_auc_score(actual, noise)
    assert auc(noise, actual) == pytest.approx(max(expected, 1 - expected))
    assert auc(-noise, actual) == pytest.approx(max(expected, 1 - expected))
    assert np.isnan(auc(noise, np.ones(500, bool)))


def test_robustness_loses_something_when_values_are_missing(result):
    found = values(result, "robustness")
    assert {"loss_missing_5", "loss_missing_20", "loss_noise"} <= set(found)
    assert found["loss_missing_20"] > found["loss_missing_5"] - 0.2
    (each,) = family(result, "robustness")["tables"]
    assert len(each["rows"]) == len(train_spec()["features"])


def test_explanation_has_effects_and_single_cases(result):
    found = family(result, "explanation")
    assert 0 < values(result, "explanation")["top_feature_share"] <= 1
    assert found["curves"]
    titles = [part["title"] for part in found["tables"]]
    assert titles == ["Importance of features", "What moved single answers"]


def test_runtime_and_size_are_measured(result, model):
    found = values(result, "runtime")
    assert found["model_bytes"] == (model.outputs / "model.skops").stat().st_size
    assert found["latency_row_ms"] > 0


def test_without_the_data_drift_is_not_tested(model, tmp_path):
    job = Job(tmp_path / "job")
    hand_over(model, job)
    result = job.succeed(
        "evaluate", evaluate_spec(criteria=[criterion("largest_psi", 0.2)])
    )
    assert "not at hand" in family(result, "drift")["not_tested"]
    (check,) = result["checks"]
    assert check["verdict"] == "not_tested"
    assert "not at hand" in check["reason"]


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks_say_what_does_not_apply(task, tmp_path):
    target = {"multiclass": "size", "regression": "speed"}[task]
    rows = strikes()
    names = [name for name in ("speed", "size", "height") if name in rows]
    features = [
        {"name": name, "kind": "category" if name == "size" else "number"}
        for name in names
        if name != target
    ]
    estimator = {"multiclass": "logistic_regression", "regression": "ridge"}[task]
    first = Job(tmp_path / "train")
    put_table(first.inputs / "data.parquet", rows)
    asked = {
        "task": task,
        "target": target,
        "positive_label": None,
        "features": features,
        "estimator": estimator,
        "cost": None,
    }
    first.succeed("train", train_spec(**asked))
    job = Job(tmp_path / "judge")
    hand_over(first, job)
    spec = {"task": task, "target": target, "positive_label": None, "cost": None}

    result = job.succeed("evaluate", evaluate_spec(**spec))

    assert "binary targets" in family(result, "calibration")["not_tested"]
    assert "binary targets" in family(result, "mission")["not_tested"]
    assert not family(result, "robustness")["not_tested"]
    assert not family(result, "runtime")["not_tested"]


def test_what_is_left_is_bounded():
    long = list(range(10_000))
    assert len(table("t", ["a"], [[n] for n in long])["rows"]) == MOST_ROWS
    drawn = line("l", long, long)
    assert len(drawn["x"]) == MOST_POINTS
    assert (drawn["x"][0], drawn["x"][-1]) == (0, 9_999)


def test_the_catalogue_is_whole():
    assert not set(CHECKS) & set(MEASURES)
    for slug, kind in CHECKS.items():
        assert family_of(slug) in FAMILIES
        assert kind.sentence.endswith(".")
    assert {kind.slug for kind in promises_for("regression")} >= {"mae_difference"}
