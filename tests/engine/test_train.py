"""A model is learned, measured once on held-out rows, and packaged repeatably."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import onnxruntime
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from engine import preparation
from engine.live import Watch
from engine.package import load_model
from engine.spec import ESTIMATORS
from tests.engine.jobs import Job, Json
from tests.engine.kinds import spec_for
from tests.engine.tables import FEATURES, put_table, strikes, train_spec


def prepared(path: Path, frame: pd.DataFrame | None = None) -> Job:
    job = Job(path)
    put_table(job.inputs / "data.parquet", strikes() if frame is None else frame)
    return job


def test_train_beats_its_baseline(tmp_path: Path) -> None:
    result = prepared(tmp_path / "job").succeed("train", train_spec())

    metrics = result["metrics"]
    assert metrics["test.roc_auc"] > 0.85
    assert metrics["baseline.roc_auc"] == 0.5
    cost, baseline = "test.mission_cost_per_1000", "baseline.mission_cost_per_1000"
    assert metrics[cost] < metrics[baseline]
    assert metrics["validation.recall"] > 0.8
    assert result["threshold"] < 0.5
    assert result["parameters"] == {
        "estimator": "logistic_regression",
        "C": 1.0,
        "max_iter": 1000,
        "seed": 0,
        "test_ratio": 0.2,
    }


def test_train_lists_files_with_their_digests(tmp_path: Path) -> None:
    job = prepared(tmp_path / "job")

    result = job.succeed("train", train_spec())

    for file in result["files"]:
        content = (job.path / file["path"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["size_bytes"] == len(content)
    assert (
        json.loads((job.outputs / "signature.json").read_text()) == result["signature"]
    )
    assert json.loads((job.outputs / "metrics.json").read_text()) == result["metrics"]


def test_train_holds_rows_out_and_drops_those_without_target(tmp_path: Path) -> None:
    frame = strikes()
    frame.loc[:9, "damaged"] = None
    job = prepared(tmp_path / "job", frame)

    result = job.succeed("train", train_spec(test_ratio=0.5))

    assert result["rows"] == {
        "train": 116,
        "validation": 29,
        "test": 145,
        "dropped": 10,
        "left_out": 0,
    }
    path = job.outputs / "test.parquet"
    held_out = duckdb.connect().execute(f"FROM read_parquet('{path}')").df()
    assert len(held_out) == 145
    assert list(held_out) == list(frame)
    other = prepared(tmp_path / "other", frame)
    moved = other.succeed("train", train_spec(test_ratio=0.5, seed=1))
    assert moved["split_digest"] != result["split_digest"]


def test_train_signature_says_what_goes_in_and_out(tmp_path: Path) -> None:
    signature = prepared(tmp_path / "job").succeed("train", train_spec())["signature"]

    assert signature["inputs"] == [
        {"name": "speed", "kind": "number", "type": "number"},
        {"name": "size", "kind": "category", "type": "text"},
        {"name": "seen", "kind": "date", "type": "timestamp"},
    ]
    assert signature["numbers"] == [
        "speed",
        "seen (year)",
        "seen (month)",
        "seen (weekday)",
    ]
    assert signature["categories"] == ["size"]
    assert signature["classes"] == ["no", "yes"]


def test_exported_model_answers_like_the_pipeline(tmp_path: Path) -> None:
    job = prepared(tmp_path / "job")
    job.succeed("train", spec_for("hist_gradient_boosting", "binary"))
    numbers = np.array([[250, 2020, 3, 2], [np.nan, 2020, 3, 2]], dtype=np.float32)
    categories = np.array([["large"], ["never seen"]], dtype=object)

    session = onnxruntime.InferenceSession(str(job.outputs / "model.onnx"))
    given = {"numbers": numbers, "categories": categories}
    exported = session.run(["probabilities"], given)[0]

    rows = pd.concat([pd.DataFrame(numbers), pd.DataFrame(categories)], axis=1)
    signature = json.loads((job.outputs / "signature.json").read_text())
    rows.columns = [*signature["numbers"], *signature["categories"]]
    expected = load_model(job.outputs / "model.skops").predict_proba(rows)
    np.testing.assert_allclose(exported, expected, atol=1e-6)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_train_follows_the_loss_of_boosting(
    job: Job, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    monkeypatch.setattr("engine.live.SECONDS", 0.001)
    monkeypatch.setattr("engine.live.MOST_STEPS", 5)
    put_table(job.inputs / "data.parquet", strikes())
    watched: list[Any] = []

    @contextmanager
    def spied(watch: Watch, estimator: Any, prepare: Any) -> Iterator[None]:
        watched.append((watch._table, estimator, prepare))
        with following(watch, estimator, prepare):
            yield

    following = Watch.following
    monkeypatch.setattr(Watch, "following", spied)

    history = job.succeed("train", spec_for("hist_gradient_boosting", task))[
        "metric_history"
    ]

    ((table, estimator, prepare),) = watched
    rows = preparation.apply(prepare, table)
    if task == "regression":
        losses = [
            np.sqrt(np.mean((answers - table.target) ** 2))
            for answers in estimator.staged_predict(rows)
        ]
    else:
        losses = [
            log_loss(table.labels, answers)
            for answers in estimator.staged_predict_proba(rows)
        ]
    assert [point["step"] for point in history] == [2, 4, 6, 8, 10]
    np.testing.assert_allclose([p["value"] for p in history], losses[1::2], rtol=1e-6)
    points = [line for line in job.progress() if "metric" in line]
    assert [point["value"] for point in points] == [p["value"] for p in history]
    key = "validation.rmse" if task == "regression" else "validation.log_loss"
    assert {point["metric"] for point in points} == {key}
    stages = [line.get("stage") for line in job.progress()]
    assert "Learning: tree 10 of 10" in stages


def test_train_follows_the_loss_of_a_network(job: Job) -> None:
    put_table(job.inputs / "data.parquet", strikes())

    history = job.succeed("train", spec_for("mlp", "regression"))["metric_history"]

    assert [point["step"] for point in history] == [1, 2, 3, 4, 5]
    assert {point["key"] for point in history} == {"training.loss"}


def test_train_refuses_more_rows_than_an_estimator_can_take(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(ESTIMATORS["svm"], most_rows=100)
    monkeypatch.setattr("engine.estimators.ESTIMATORS", {"svm": few})
    put_table(job.inputs / "data.parquet", strikes())

    result = job.refuse("train", spec_for("svm", "binary"))

    assert "learns from at most 100 rows, not 192; set max_rows" in result["message"]
    job.succeed("train", spec_for("svm", "binary", max_rows=150))


def test_refit_learns_from_validation_rows_too(tmp_path: Path) -> None:
    once, again = prepared(tmp_path / "a"), prepared(tmp_path / "b")
    spec = spec_for("logistic_regression", "binary")

    kept = once.succeed("train", spec)
    refitted = again.succeed("train", spec | {"refit": True})

    assert kept["threshold"] == refitted["threshold"]
    assert (
        kept["metrics"]["validation.brier"] == refitted["metrics"]["validation.brier"]
    )
    assert kept["metrics"]["test.brier"] != refitted["metrics"]["test.brier"]


@pytest.mark.parametrize(
    ("slug", "task"),
    [
        ("nearest_neighbours", "binary"),
        ("decision_tree", "multiclass"),
        ("ridge", "regression"),
    ],
)
def test_train_searches_and_keeps_the_best(
    tmp_path: Path, slug: str, task: str
) -> None:
    job = prepared(tmp_path / "job")
    spec = spec_for(slug, task) | {"search": {"trials": 4, "folds": 2}}

    result = job.succeed("train", spec)

    scores = [point["value"] for point in result["metric_history"]]
    assert [point["step"] for point in result["metric_history"]] == [1, 2, 3, 4]
    logs = [line["log"] for line in job.progress() if "log" in line]
    best = next(log for log in logs if f"{max(scores):.4f}" in log)
    for name in (parameter.name for parameter in ESTIMATORS[slug].parameters):
        assert f"{name} {result['parameters'][name]}" in best


def test_train_weighs_rare_classes_up(tmp_path: Path) -> None:
    spec = train_spec(class_weight="balanced", cost=None)

    result = prepared(tmp_path / "job").succeed("train", spec)

    assert result["parameters"]["class_weight"] == "balanced"
    assert result["threshold"] == 0.5


def test_train_says_when_an_estimator_did_not_settle(tmp_path: Path) -> None:
    job = prepared(tmp_path / "job")

    job.succeed("train", spec_for("mlp", "binary"))

    logs = [line["log"] for line in job.progress() if "log" in line]
    assert "The estimator stopped before it settled; more iterations may help." in logs


def test_train_finds_the_important_feature(tmp_path: Path) -> None:
    result = prepared(tmp_path / "job").succeed("train", train_spec())

    importance = result["figures"]["importance"]
    assert [found["feature"] for found in importance] == ["size", "speed", "seen"]
    assert importance[1]["mean"] > 0.03 > importance[2]["mean"]
    assert result["figures"]["roc"][0] == [0, 0]
    assert result["figures"]["roc"][-1] == [1, 1]


def test_train_skips_importance_of_very_many_features(tmp_path: Path) -> None:
    frame = strikes(100)
    wide = pd.DataFrame({f"w{n}": np.arange(100.0) for n in range(201)})
    features = [{"name": name, "kind": "number"} for name in wide]
    job = prepared(tmp_path / "job", pd.concat([frame, wide], axis=1))

    result = job.succeed("train", train_spec(features=features))

    assert result["figures"]["importance"] == []


def test_train_takes_any_column_name(tmp_path: Path) -> None:
    odd = 'Größe "x"; --\n{0}'
    frame = strikes().rename(columns={"size": odd, "speed": "a b's"})
    features = [{"name": odd, "kind": "category"}, {"name": "a b's", "kind": "number"}]

    result = prepared(tmp_path / "job", frame).succeed(
        "train", train_spec(features=features)
    )

    assert result["onnx"]["exported"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": "gone"}, 'target "gone" is not a column'),
        ({"features": [{"name": "gone", "kind": "number"}]}, '"gone" is not a column'),
        (
            {"features": [{"name": "size", "kind": "number"}]},
            "cannot be used as a number",
        ),
        ({"features": [{"name": "size", "kind": "date"}]}, "cannot be used as a date"),
        ({"positive_label": "maybe"}, 'is never "maybe"'),
        ({"target": "kind"}, "has 3 values, not 2"),
        ({"target": "one"}, 'is always "x"'),
        ({"target": "rare"}, 'only 5 rows of "a"'),
        ({"task": "multiclass", "positive_label": None, "target": "id"}, "300 values"),
        ({"target": "empty"}, "Only 0 rows"),
        (
            {
                "task": "regression",
                "positive_label": None,
                "target": "state",
                "estimator": "ridge",
            },
            "not a number",
        ),
        ({"estimator": "magic"}, "estimator: must be one of"),
    ],
)
def test_train_refuses(tmp_path: Path, changes: Json, message: str) -> None:
    frame = strikes().assign(
        one="x",
        rare=["a"] * 5 + ["b"] * 295,
        id=[str(n) for n in range(300)],
        empty=pd.Series([None] * 300, dtype=object),
    )

    result = prepared(tmp_path / "job", frame).refuse("train", train_spec(**changes))

    assert message in result["message"]


def test_train_accepts_dates_and_booleans_in_their_kinds(tmp_path: Path) -> None:
    frame = strikes()
    frame["fast"] = frame["speed"] > 150
    features = [*FEATURES, {"name": "fast", "kind": "number"}]

    prepared(tmp_path / "job", frame).succeed("train", train_spec(features=features))
