"""The published schema says what the spec itself says."""

import json
from dataclasses import fields
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from engine.spec import ESTIMATORS, Limits, TrainSpec
from engine.spec.schema import training_schema
from tests.engine.kinds import KINDS
from tests.engine.test_spec import TRAIN, WRONG

SCHEMA = training_schema()
# What only the spec itself can see: other fields, sums, names given twice.
BEYOND = (
    "cost.miss",
    "cost.false_alarm",
    "class_weight",
    "estimator",
    "features",
    "limits.",
    "objective",
    "search.values",
    "split.column",
)


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(SCHEMA)
    return Draft202012Validator(SCHEMA)


@pytest.mark.parametrize("name", KINDS)
def test_schema_takes_what_the_spec_takes(
    validator: Draft202012Validator, name: str
) -> None:
    complete = TrainSpec.from_json(KINDS[name]).to_json()

    assert [error.message for error in validator.iter_errors(KINDS[name])] == []
    assert [error.message for error in validator.iter_errors(complete)] == []


@pytest.mark.parametrize(("change", "field"), WRONG)
def test_schema_refuses_what_the_spec_refuses(
    validator: Draft202012Validator, change: dict[str, Any], field: str
) -> None:
    try:
        wrong = json.loads(json.dumps(TRAIN | change, allow_nan=False))
    except ValueError:
        return  # JSON knows no such number

    is_refused = not validator.is_valid(wrong)

    assert is_refused or field.startswith(BEYOND) or 10**400 in change.values()


@pytest.mark.parametrize("slug", ESTIMATORS)
def test_schema_knows_the_parameters_of_every_estimator(
    validator: Draft202012Validator, slug: str
) -> None:
    estimator = ESTIMATORS[slug]
    task = estimator.tasks[-1]
    spec = {
        "task": task,
        "target": "a",
        "positive_label": "yes" if task == "binary" else None,
        "features": [{"name": "b", "kind": "number"}],
        "estimator": slug,
        "parameters": {found.name: found.default for found in estimator.parameters},
    }

    assert validator.is_valid(spec)
    for parameter in estimator.parameters:
        too_much = spec["parameters"] | {parameter.name: parameter.maximum * 2 + 1}
        assert not validator.is_valid(spec | {"parameters": too_much})
    assert not validator.is_valid(spec | {"parameters": {"unknown": 1}})


def test_schema_describes_every_field() -> None:
    undescribed = [
        name
        for name, field in SCHEMA["properties"].items()
        if "description" not in field and "$ref" not in field and "oneOf" not in field
    ]

    assert undescribed == []
    limits = SCHEMA["$defs"]["Limits"]["properties"]
    assert set(limits) == {field.name for field in fields(Limits)}
    assert SCHEMA["required"] == ["task", "target", "features", "estimator"]
    trials = SCHEMA["$defs"]["Search"]["properties"]["trials"]
    assert (trials["minimum"], trials["maximum"], trials["default"]) == (2, 500, 10)
