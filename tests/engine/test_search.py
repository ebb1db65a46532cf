"""Searches try what they plan, keep the best, stop in time, and spread over workers."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import crew, objective
from engine import settings as engine_settings
from engine.measures import Outcomes
from engine.search import Found, Trial, _rounds
from engine.settings import settings
from engine.spec import Cost, Search, TrainSpec, complete_parameters
from tests.engine.cluster import cluster, names_and_processes
from tests.engine.jobs import Job, Json
from tests.engine.kinds import spec_for
from tests.engine.tables import put_table, strikes

__all__ = ["cluster"]


@pytest.fixture
def data(job: Job) -> Job:
    put_table(job.inputs / "data.parquet", strikes())
    return job


def planned(slug: str, task: str, **asked: Any) -> list[Json]:
    spec = TrainSpec.from_json(spec_for(slug, task, parameters={}, search=asked))
    assert spec.search is not None
    return settings(spec, spec.search, complete_parameters(slug, {}))


@pytest.mark.parametrize("method", ["random", "grid", "halving", "tpe"])
def test_search_writes_every_trial(data: Job, method: str) -> None:
    asked = {"method": method, "trials": 9, "folds": 2}

    result = data.succeed(
        "train", spec_for("decision_tree", "binary", parameters={}, search=asked)
    )

    found = result["search"]
    assert result["trials_done"] == found["planned"] == len(found["trials"])
    lines = data.progress()
    points = [line for line in lines if line.get("metric") == "search.roc_auc"]
    assert [point["value"] for point in points] == [
        trial["score"] for trial in found["trials"]
    ]
    most = max(trial["rows"] for trial in found["trials"])
    best = max(t["score"] for t in found["trials"] if t["rows"] == most)
    (chosen, *_) = [
        t for t in found["trials"] if (t["rows"], t["score"]) == (most, best)
    ]
    assert found["trials"][found["best"] - 1] == chosen
    assert chosen["parameters"].items() <= result["parameters"].items()
    assert found["trials"][0]["parameters"] == {"max_depth": 12, "min_samples_leaf": 5}


def test_grid_is_evenly_spaced_and_has_no_more_than_asked() -> None:
    found = planned("hist_gradient_boosting", "binary", method="grid", trials=20)

    assert len(found) == 17  # two points for each of four, and the settings as given
    assert len({found["learning_rate"] for found in found}) == 3
    listed = {"C": [0.1, 1, 10], "max_iter": [100, 200]}
    found = planned("logistic_regression", "binary", method="grid", values=listed)
    assert len(found) == 7
    assert {found["C"] for found in found} == {0.1, 1.0, 10.0}
    few = planned(
        "logistic_regression", "binary", method="grid", trials=3, values=listed
    )
    assert len(few) == 3
    assert len(planned("ridge", "regression", method="grid", trials=5)) == 5


def test_random_draws_the_same_settings_whatever_is_asked_after() -> None:
    few = planned("random_forest", "binary", trials=4)
    many = planned("random_forest", "binary", trials=9)
    listed = planned("sgd", "binary", trials=9, values={"penalty": ["l1", "l2"]})

    assert many[:4] == few
    assert {found["penalty"] for found in listed[1:]} == {"l1", "l2"}
    assert {found["alpha"] for found in listed} == {0.0001}


def test_halving_gives_the_better_ones_more_rows(data: Job) -> None:
    asked = {"method": "halving", "trials": 9, "folds": 2}

    result = data.succeed(
        "train", spec_for("decision_tree", "multiclass", search=asked)
    )

    trials = result["search"]["trials"]
    assert [trial["rows"] for trial in trials] == [64] * 9 + [192] * 3
    better = sorted(trials[:9], key=lambda trial: -trial["score"])[:3]
    assert [trial["parameters"] for trial in better] == [
        trial["parameters"] for trial in trials[9:]
    ]
    assert _rounds(500, 10**6, 3) == [500, 166, 55, 18, 6, 2]
    assert _rounds(500, 50, 3) == [500]


def test_search_stops_when_its_minutes_are_up_and_repeats_exactly(
    tmp_path: Path,
) -> None:
    first, second = Job(tmp_path / "a"), Job(tmp_path / "b")
    for job in (first, second):
        put_table(job.inputs / "data.parquet", strikes())
    asked = {"method": "tpe", "trials": 500, "minutes": 0.01}
    spec = spec_for("sgd", "binary", search=asked)

    once = first.succeed("train", spec)

    assert 0 < once["trials_done"] < 500
    logs = [line.get("log", "") for line in first.progress()]
    stopped = f"Stopped after {once['trials_done']} of 500 trials"
    assert any(log.startswith(stopped) for log in logs)
    repeated = TrainSpec.from_json(spec).repeating(once["trials_done"])
    assert second.succeed("train", repeated.to_json())["search"] == once["search"]
    records = [
        json.loads((job.outputs / "record.json").read_text()) for job in (first, second)
    ]
    assert records[0]["spec"] == records[1]["spec"] == repeated.to_json()
    assert records[0]["steps"] == records[1]["steps"]


def test_search_counts_the_cost_of_the_mission(data: Job) -> None:
    asked = {"trials": 5, "folds": 2}
    spec = spec_for("decision_tree", "binary", search=asked, objective="mission_cost")

    result = data.succeed("train", spec)

    scores = [trial["score"] for trial in result["search"]["trials"]]
    best = result["search"]["trials"][int(np.argmin(scores))]
    assert best["parameters"].items() <= result["parameters"].items()
    points = [line for line in data.progress() if "metric" in line]
    assert points[0]["metric"] == "search.mission_cost_per_1000"


def test_tpe_says_what_is_missing(data: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(engine_settings, "import_module", absent)

    result = data.refuse("train", spec_for("sgd", "binary", search={"method": "tpe"}))

    assert 'the extra "tune"' in result["message"]


def test_search_in_time_skips_folds_that_begin_without_a_class(data: Job) -> None:
    early = ["no"] * 90 + ["no", "yes"] * 105
    put_table(data.inputs / "data.parquet", strikes().assign(damaged=early))
    asked = {"split": {"method": "time", "column": "seen"}, "search": {"folds": 4}}

    result = data.succeed("train", spec_for("sgd", "binary", **asked))

    scores = [trial["score"] for trial in result["search"]["trials"]]
    assert all(0 <= score <= 1 for score in scores)


def test_calibration_needs_every_class_in_every_part(data: Job) -> None:
    late = ["no"] * 140 + ["yes", "no"] * 20 + ["no"] * 10 + ["no", "yes"] * 55
    put_table(data.inputs / "data.parquet", strikes().assign(damaged=late))
    asked = {"method": "time", "column": "seen"}

    result = data.refuse("train", spec_for("linear_svm", "binary", split=asked))

    assert "Calibration divides the training rows again" in result["message"]


def test_best_puts_what_cannot_be_computed_last() -> None:
    spec = TrainSpec.from_json(spec_for("ridge", "regression", objective="rmse"))
    scores = [float("nan"), 3.0, 2.0, 2.0]
    trials = [Trial({"alpha": float(n)}, score, 10) for n, score in enumerate(scores)]

    assert Found(4, trials).best(spec).parameters == {"alpha": 2.0}


@pytest.mark.parametrize("slug", ["accuracy", "balanced_accuracy", "f1"])
def test_threshold_is_the_best_of_the_objective(slug: str) -> None:
    rng = np.random.default_rng(0)
    actual = (rng.random(400) < 0.2).astype(int)
    scores = np.clip(actual * 0.2 + rng.normal(0.2, 0.1, 400), 0, 1)
    spec = TrainSpec.from_json(spec_for("sgd", "binary", objective=slug, cost=None))

    chosen = objective.threshold(spec, Outcomes("binary", actual, scores))

    def value(threshold: float) -> float:
        return Outcomes("binary", actual, scores, threshold).values()[slug]

    assert chosen is not None
    every = [value(place / 100) for place in range(101)]
    assert value(chosen) == pytest.approx(np.nanmax(every))
    assert objective.value(spec, Outcomes("binary", actual, scores)) == pytest.approx(
        np.nanmax(every)
    )


def run(job: Job, spec: Json, **environment: str) -> Json:
    (job.path / "spec.json").write_text(json.dumps(spec))
    command = [sys.executable, "-m", "engine", "train", str(job.path)]
    # As in the sandbox: the order of names in an ONNX file depends on it.
    environment = os.environ | {"PYTHONHASHSEED": "0"} | environment
    subprocess.run(command, env=environment, check=False, timeout=120)
    return json.loads((job.path / "result.json").read_text())


def test_trials_are_spread_over_two_workers(tmp_path: Path, cluster: str) -> None:
    away, here = Job(tmp_path / "away"), Job(tmp_path / "here")
    for job in (away, here):
        put_table(job.inputs / "data.parquet", strikes())
    asked = {"method": "halving", "trials": 9, "folds": 2}
    spec = spec_for("random_forest", "binary", search=asked)

    spread = run(away, spec, **{crew.ADDRESS: cluster})
    alone = run(here, spec)

    trials = spread["search"]["trials"]
    names, processes = names_and_processes(trials)
    assert (names, len(processes)) == ({"first", "second"}, 2)
    for trial in trials:
        assert trial.pop("workers")
    for trial in alone["search"]["trials"]:
        assert trial.pop("workers") == []
    assert trials == alone["search"]["trials"]
    assert _models(spread) == _models(alone)
    logs = [line.get("log", "") for line in away.progress()]
    assert "The cluster's workers make the trials: first, second." in logs


def _models(result: Json) -> list[Json]:
    """The files that hold what was learned; others tell who helped."""
    names = ("model.skops", "model.onnx", "predictions.parquet")
    return [file for file in result["files"] if file["path"].endswith(names)]


def test_every_worker_keeps_the_rows_between_trials(cluster: str) -> None:
    distributed = pytest.importorskip("distributed")
    rows: Any = np.arange(100.0)
    folds = [(rows[:50], rows[50:])] * 2
    spec = TrainSpec.from_json(spec_for("sgd", "binary"))
    with distributed.Client(cluster) as client:
        client.amm.start()
        team = crew.Cluster(client)

        team.take_up(crew.Task(spec, rows, folds))

        time.sleep(0.3)
        (copies,) = client.who_has().values()
    assert len(copies) == 2


def test_a_missing_cluster_is_named(data: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    address = "tcp://127.0.0.1:1"
    monkeypatch.setenv(crew.ADDRESS, address)
    monkeypatch.setattr(crew, "PATIENCE_SECONDS", 0.5)

    result = data.run("train", spec_for("sgd", "binary", search={}))

    assert f"cluster at {address} does not answer" in result["message"]


def test_a_cluster_without_its_library_is_told(
    data: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setenv(crew.ADDRESS, "tcp://127.0.0.1:1")
    monkeypatch.setattr(crew, "import_module", absent)

    result = data.run("train", spec_for("sgd", "binary", search={}))

    assert 'the extra "cluster"' in result["message"]


def test_cost_is_what_the_mission_states() -> None:
    spec = TrainSpec.from_json(spec_for("sgd", "binary", objective="mission_cost"))

    assert spec.cost == Cost(1, 10)
    assert objective.measure(spec) == "mission_cost_per_1000"
    assert spec.search is None
    assert Search().trials == 10
