"""Specs refuse wrong values when they are made, naming field and fix."""

import json
from typing import Any

import pytest

from engine.spec import (
    ESTIMATORS,
    MEASURES,
    SPECS,
    EvaluateSpec,
    Feature,
    IngestSpec,
    Limits,
    Search,
    SpecError,
    TrainSpec,
    complete_parameters,
    measures_for,
)

TRAIN: dict[str, Any] = {
    "task": "binary",
    "target": "damaged",
    "positive_label": "yes",
    "features": [{"name": "speed", "kind": "number"}],
    "estimator": "logistic_regression",
    "parameters": {"C": 0.5},
    "search": {"trials": 3, "folds": 2},
    "cost": {"false_alarm": 1, "miss": 10},
    "limits": {"cpu_seconds": 60},
}
EVALUATE: dict[str, Any] = {
    "task": "multiclass",
    "target": "digit",
    "subgroup_columns": ["state"],
    "criteria": [{"measure": "accuracy", "operator": ">=", "threshold": 0.9}],
}


def test_train_spec_survives_json() -> None:
    spec = TrainSpec.from_json(TRAIN)

    again = TrainSpec.from_json(json.loads(json.dumps(spec.to_json())))

    assert again == spec
    assert spec.features == (Feature("speed", "number"),)
    assert spec.search == Search(trials=3, folds=2)
    assert spec.limits == Limits(cpu_seconds=60)


def test_evaluate_spec_survives_json() -> None:
    spec = EvaluateSpec.from_json(EVALUATE)

    assert EvaluateSpec.from_json(spec.to_json()) == spec
    assert spec.criteria[0].blocking


def test_every_verb_has_a_spec() -> None:
    assert {"evaluate", "fingerprint", "ingest", "train"} <= set(SPECS)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"task": "guess"}, "task"),
    ({"test_ratio": 10**400}, "test_ratio"),
    ({"test_ratio": float("inf")}, "test_ratio"),
    ({"test_ratio": float("nan")}, "test_ratio"),
    ({"target": 3}, "target"),
    ({"target": "speed"}, "features"),
    ({"positive_label": None}, "positive_label"),
    ({"task": "multiclass"}, "positive_label"),
    ({"features": []}, "features"),
    ({"features": {}}, "features"),
    ({"features": ["speed"]}, "features[0]"),
    ({"features": [{"name": "speed", "kind": "sound"}]}, "features[0].kind"),
    ({"features": [{"name": "speed"}]}, "features[0].kind"),
    ({"features": TRAIN["features"] * 2}, "features"),
    ({"estimator": "magic"}, "estimator"),
    ({"estimator": "ridge", "parameters": {}}, "estimator"),
    ({"parameters": []}, "parameters"),
    ({"parameters": {"D": 1}}, "parameters.D"),
    ({"parameters": {"C": 0.0}}, "parameters.C"),
    ({"parameters": {"C": "much"}}, "parameters.C"),
    ({"parameters": {"C": True}}, "parameters.C"),
    ({"parameters": {"max_iter": 100.5}}, "parameters.max_iter"),
    ({"search": {"trials": 1, "folds": 2}}, "search.trials"),
    ({"search": {"trials": 2, "folds": 11}}, "search.folds"),
    ({"search": {"method": "guess"}}, "search.method"),
    ({"search": {"minutes": 0.0}}, "search.minutes"),
    ({"search": {"stop_after": 0}}, "search.stop_after"),
    ({"search": {"values": {"C": []}}}, "search.values.C"),
    ({"search": {"values": {"C": [0.0]}}}, "search.values.C"),
    ({"search": {"values": {"D": [1]}}}, "search.values.D"),
    ({"split": {"method": "time"}}, "split.column"),
    ({"split": {"column": "seen"}}, "split.column"),
    ({"split": {"method": "group", "column": "damaged"}}, "split.column"),
    ({"split": {"validation_ratio": 0.01}}, "split.validation_ratio"),
    ({"preprocessing": {"missing": "guess"}}, "preprocessing.missing"),
    ({"preprocessing": {"text_buckets": 1}}, "preprocessing.text_buckets"),
    ({"images": {"size": 1000}}, "images.size"),
    ({"objective": "beauty"}, "objective"),
    ({"objective": "r2"}, "objective"),
    ({"objective": "mission_cost", "cost": None}, "objective"),
    ({"class_weight": {"yes": 0.0}}, "class_weight"),
    ({"class_weight": {}}, "class_weight"),
    ({"class_weight": "heavy"}, "class_weight"),
    ({"max_rows": 10}, "max_rows"),
    ({"estimator": "dummy", "parameters": {}}, "search"),
    ({"estimator": "mlp", "parameters": {}, "class_weight": "balanced"}, "class_w"),
    ({"test_ratio": 0.9}, "test_ratio"),
    ({"seed": -1}, "seed"),
    ({"threads": 0}, "threads"),
    ({"cost": {"false_alarm": -1, "miss": 1}}, "cost.false_alarm"),
    ({"cost": {"false_alarm": 0, "miss": 0}}, "cost.miss"),
    ({"limits": {"memory_bytes": 1}}, "limits.memory_bytes"),
    ({"limits": {"file_bytes": 1}}, "limits.file_bytes"),
    ({"verb": "train"}, "verb"),
]


@pytest.mark.parametrize(("change", "field"), WRONG)
def test_train_spec_names_the_wrong_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(SpecError) as refusal:
        TrainSpec.from_json(TRAIN | change)

    assert refusal.value.field.startswith(field)
    assert refusal.value.problem.endswith(".")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (
            {"criteria": [{"measure": "f1", "operator": ">", "threshold": 1}]},
            "criteria",
        ),
        ({"threshold": 1.5}, "threshold"),
        ({"confidence": 1.0}, "confidence"),
        ({"resamples": 5}, "resamples"),
        ({"min_group_size": 0}, "min_group_size"),
    ],
)
def test_evaluate_spec_names_the_wrong_field(
    change: dict[str, Any], field: str
) -> None:
    with pytest.raises(SpecError) as refusal:
        EvaluateSpec.from_json(EVALUATE | change)

    assert refusal.value.field.startswith(field)


def test_spec_must_be_an_object() -> None:
    with pytest.raises(SpecError, match="spec: must be an object"):
        IngestSpec.from_json([])


def test_ingest_spec_refuses_no_rows() -> None:
    with pytest.raises(SpecError, match="max_rows"):
        IngestSpec(original_name="a.csv", format="csv", max_rows=0)


def test_complete_parameters_fills_in_defaults() -> None:
    completed = complete_parameters("nearest_neighbours", {"n_neighbors": 3})

    assert completed == {"n_neighbors": 3, "weights": "uniform"}
    with pytest.raises(SpecError, match="one of uniform, distance"):
        complete_parameters("nearest_neighbours", {"weights": "far"})


@pytest.mark.parametrize("slug", ESTIMATORS)
def test_defaults_of_every_estimator_are_allowed(slug: str) -> None:
    completed = complete_parameters(slug, {})

    assert complete_parameters(slug, completed) == completed


def test_repeating_stops_a_search_where_it_was_stopped() -> None:
    timed = TrainSpec.from_json(TRAIN | {"search": {"minutes": 1, "method": "grid"}})

    again = timed.repeating(4)

    assert again.search == Search(method="grid", stop_after=4)
    assert TrainSpec.from_json(TRAIN).repeating(3) == TrainSpec.from_json(TRAIN)


def test_calibration_is_for_classes_only() -> None:
    with pytest.raises(SpecError, match="calibration"):
        TrainSpec(
            task="regression",
            target="a",
            features=(Feature("b", "number"),),
            estimator="ridge",
            calibration="isotonic",
        )


def test_measures_are_listed_by_task() -> None:
    assert [found.slug for found in measures_for("regression")] == ["rmse", "mae", "r2"]
    assert MEASURES["brier"].better == "lower"
