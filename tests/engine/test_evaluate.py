"""Judging a model: intervals, subgroups, mission, champion, criteria."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.engine.jobs import Job, Json
from tests.engine.tables import (
    evaluate_spec,
    hand_over,
    put_table,
    strikes,
    train_spec,
)


def trained(path: Path, **changes: Any) -> Job:
    job = Job(path)
    put_table(job.inputs / "data.parquet", strikes())
    job.succeed("train", train_spec(**changes))
    return job


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Job:
    return trained(tmp_path_factory.mktemp("model") / "job")


@pytest.fixture
def judged(model: Job, job: Job) -> Job:
    hand_over(model, job)
    return job


def by_measure(result: Json) -> dict[str, Json]:
    return {found["measure"]: found for found in result["measures"]}


def test_evaluate_measures_with_intervals(model: Job, judged: Job) -> None:
    result = judged.succeed("evaluate", evaluate_spec())

    at_training = json.loads((model.path / "result.json").read_text())
    for slug, found in by_measure(result).items():
        assert found["value"] == pytest.approx(at_training["metrics"][f"test.{slug}"])
        assert found["low"] <= found["value"] + 0.05
        assert found["low"] < found["high"]
    assert by_measure(result)["brier"]["unit"] == "ratio"
    assert result["threshold"] == at_training["threshold"]


def test_evaluate_counts_agree(judged: Job) -> None:
    result = judged.succeed("evaluate", evaluate_spec())

    (tn, fp), (fn, tp) = result["confusion"]["matrix"]
    assert result["confusion"]["labels"] == ["no", "yes"]
    assert tn + fp + fn + tp == result["rows"] == 60
    assert tp + fn == result["positives"]
    mission = result["mission"]
    assert mission["cost_per_1000"] == pytest.approx((fp + 10 * fn) / 60 * 1000)
    assert mission["do_nothing_per_1000"] == pytest.approx(10 * (tp + fn) / 60 * 1000)
    assert mission["flag_everything_per_1000"] == pytest.approx((tn + fp) / 60 * 1000)
    saving = 1 - mission["cost_per_1000"] / mission["do_nothing_per_1000"]
    assert mission["saving_vs_do_nothing_ratio"] == pytest.approx(saving)
    assert mission["low"] <= mission["cost_per_1000"] <= mission["high"]


def test_evaluate_draws_curves(judged: Job) -> None:
    curves = judged.succeed("evaluate", evaluate_spec())["curves"]

    assert curves["roc"][0] == [0, 0]
    assert curves["precision_recall"][-1][0] == 1
    assert sum(found["count"] for found in curves["calibration"]) == 60
    assert len(curves["cost"]) == 101


def test_evaluate_gives_the_same_result_twice(judged: Job) -> None:
    spec = evaluate_spec(subgroup_columns=["size"])

    def measured() -> Json:
        result = judged.succeed("evaluate", spec)
        # How fast it is differs from time to time.
        result["families"] = [f for f in result["families"] if f["slug"] != "runtime"]
        return result

    assert measured() == measured()


def test_evaluate_without_cost_has_no_mission(judged: Job) -> None:
    result = judged.succeed("evaluate", evaluate_spec(cost=None, threshold=0.3))

    assert result["mission"] is None
    assert result["curves"]["cost"] is None
    assert result["threshold"] == 0.3


def test_evaluate_compares_subgroups(judged: Job) -> None:
    columns = ["size", "state", "speed", "damaged"]

    result = judged.succeed("evaluate", evaluate_spec(subgroup_columns=columns))

    size, state, speed, damaged = (found["groups"] for found in result["subgroups"])
    assert {group["group"] for group in size} == {
        "small",
        "medium",
        "large",
        "(missing)",
    }
    assert sum(group["rows"] for group in size) == 60
    assert len(state) == 21
    assert state[-1]["group"] == "other"
    assert all(group["small"] for group in state)
    assert len(speed) == 5
    recall = size[0]["measures"]["recall"]
    assert 0 <= recall["low"] <= recall["value"] <= recall["high"] <= 1
    never = next(group for group in damaged if group["group"] == "no")
    assert never["measures"]["recall"] == {"value": None, "low": None, "high": None}
    always = next(group for group in damaged if group["group"] == "yes")
    assert always["measures"]["false_positive_rate"]["value"] is None


def test_evaluate_holds_criteria(judged: Job) -> None:
    def criterion(
        measure: str, operator: str, threshold: float, blocking: bool
    ) -> Json:
        return {
            "measure": measure,
            "operator": operator,
            "threshold": threshold,
            "blocking": blocking,
        }

    criteria = [
        criterion("roc_auc", ">=", 0.7, True),
        criterion("brier", "<=", 0.0, False),
        criterion("rmse", "<=", 1.0, False),
        criterion("guess", "<=", 1.0, False),
        criterion("mission_cost_per_1000", "<=", 1.0, False),
    ]

    result = judged.succeed("evaluate", evaluate_spec(criteria=criteria, cost=None))

    verdicts = [found["verdict"] for found in result["checks"]]
    assert verdicts == ["pass", "warn", "not_tested", "not_tested", "not_tested"]
    reasons = [found["reason"] for found in result["checks"]]
    assert "meets >= 0.7" in reasons[0]
    assert "misses <= 0" in reasons[1]
    assert "does not apply" in reasons[2]
    assert "not a measure" in reasons[3]
    assert "states no cost" in reasons[4]
    assert result["verdict"] == "pass"


@pytest.mark.parametrize(
    ("criteria", "verdict"),
    [
        ([], "not_tested"),
        ([("roc_auc", 0.7)], "pass"),
        ([("roc_auc", 1.1)], "fail"),
        ([("roc_auc", 0.7), ("guess", 1.0)], "not_tested"),
        ([("roc_auc", 1.1), ("guess", 1.0)], "fail"),
    ],
)
def test_evaluate_sums_up(judged: Job, criteria: list[Any], verdict: str) -> None:
    asked = [
        {"measure": measure, "operator": ">=", "threshold": threshold}
        for measure, threshold in criteria
    ]

    result = judged.succeed("evaluate", evaluate_spec(criteria=asked))

    assert result["verdict"] == verdict


def test_evaluate_does_not_test_what_cannot_be_computed(model: Job, job: Job) -> None:
    hand_over(model, job)
    put_table(job.inputs / "test.parquet", strikes().query("damaged == 'no'"))
    asked = [{"measure": "roc_auc", "operator": ">=", "threshold": 0.7}]

    result = job.succeed("evaluate", evaluate_spec(criteria=asked))

    assert result["checks"][0]["verdict"] == "not_tested"
    assert "cannot be computed" in result["checks"][0]["reason"]
    assert result["positives"] == 0
    assert result["mission"]["saving_vs_do_nothing_ratio"] is None
    assert result["curves"]["roc"] == []
    assert result["curves"]["precision_recall"] == []


def test_evaluate_compares_with_the_champion(
    model: Job, judged: Job, tmp_path: Path
) -> None:
    worse = trained(tmp_path / "worse", features=[{"name": "seen", "kind": "date"}])
    hand_over(worse, judged, "champion")

    result = judged.succeed("evaluate", evaluate_spec())

    auc = by_measure(result["champion"])["roc_auc"]
    assert auc["value"] > auc["champion_value"]
    assert auc["difference"] == pytest.approx(auc["value"] - auc["champion_value"])
    assert 0 < auc["low"] < auc["difference"] < auc["high"]


def test_evaluate_finds_no_difference_to_itself(model: Job, judged: Job) -> None:
    hand_over(model, judged, "champion")

    result = judged.succeed("evaluate", evaluate_spec())

    for found in result["champion"]["measures"]:
        assert (found["low"], found["difference"], found["high"]) == (0, 0, 0)


def test_evaluate_judges_many_classes(tmp_path: Path, job: Job) -> None:
    task = {
        "task": "multiclass",
        "target": "kind",
        "positive_label": None,
        "cost": None,
    }
    hand_over(trained(tmp_path / "model", **task), job)

    result = job.succeed("evaluate", evaluate_spec(**task, subgroup_columns=["size"]))

    slugs = [found["measure"] for found in result["measures"]]
    assert slugs == ["accuracy", "balanced_accuracy", "macro_f1"]
    assert np.sum(result["confusion"]["matrix"]) == result["rows"]
    assert result["curves"] is None
    assert "accuracy" in result["subgroups"][0]["groups"][0]["measures"]


def test_evaluate_judges_numbers(tmp_path: Path, job: Job) -> None:
    task = {
        "task": "regression",
        "target": "repair",
        "positive_label": None,
        "cost": None,
    }
    hand_over(trained(tmp_path / "model", **task, estimator="ridge"), job)

    result = job.succeed("evaluate", evaluate_spec(**task, subgroup_columns=["size"]))

    found = by_measure(result)
    assert list(found) == ["rmse", "mae", "r2"]
    assert found["r2"]["low"] < found["r2"]["value"] < found["r2"]["high"]
    assert result["confusion"] is None
    mae = result["subgroups"][0]["groups"][0]["measures"]["mae"]
    assert mae["low"] < mae["value"] < mae["high"]


def change_signature(job: Job, **changes: Any) -> None:
    path = job.inputs / "signature.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_evaluate_refuses_another_target(judged: Job) -> None:
    change_signature(judged, target="other")

    assert 'predicts "other"' in judged.refuse("evaluate", evaluate_spec())["message"]


def test_evaluate_refuses_a_broken_signature(judged: Job) -> None:
    change_signature(judged, task="guess")

    message = judged.refuse("evaluate", evaluate_spec())["message"]
    assert "signature.json is not a signature" in message


def test_evaluate_refuses_unknown_labels_and_columns(judged: Job) -> None:
    frame = strikes()
    frame.loc[0, "damaged"] = "maybe"

    spec = evaluate_spec(subgroup_columns=["gone"])
    assert (
        '"gone" is not in the test data' in judged.refuse("evaluate", spec)["message"]
    )
    put_table(judged.inputs / "test.parquet", frame)
    message = judged.refuse("evaluate", evaluate_spec())["message"]
    assert '"maybe", which the model does not know' in message


def test_evaluate_refuses_rows_without_target(judged: Job) -> None:
    frame = strikes().assign(damaged=pd.Series([None] * 300, dtype=object))
    put_table(judged.inputs / "test.parquet", frame)

    assert "No row has a value" in judged.refuse("evaluate", evaluate_spec())["message"]
