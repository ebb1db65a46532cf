"""Rows are divided as asked: no moment, no group and no class on both sides."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from engine.features import Reading, Table
from engine.spec import Feature, TrainSpec
from engine.split import folds, sample, split
from tests.engine.jobs import Job
from tests.engine.kinds import spec_for
from tests.engine.tables import put_table, strikes

ROWS = 300


def divided(method: str, **changes: Any) -> tuple[Table, TrainSpec]:
    rng = np.random.default_rng(2)
    asked = {"split": {"method": method, "column": "when"}, "test_ratio": 0.3}
    spec = TrainSpec.from_json(spec_for("ridge", "regression", **asked) | changes)
    reading = Reading(
        features=[Feature("a", "number")],
        target="b",
        task="regression",
        text_buckets=8,
    )
    table = Table(
        rows=np.arange(ROWS),
        numbers=rng.random((ROWS, 1)),
        codes=np.empty((ROWS, 0), np.int32),
        levels=(),
        target=rng.random(ROWS),
        classes=np.empty(0, str),
        layout=reading.layout(),
        division=rng.integers(0, 40, ROWS),
    )
    return table, spec


def test_time_holds_the_latest_moments_out() -> None:
    table, spec = divided("time")

    parts = split(table, spec)

    moments = [table.division[p] for p in (parts.train, parts.validation, parts.test)]
    assert moments[0].max() < moments[1].min()
    assert moments[1].max() < moments[2].min()
    assert 0.25 < len(parts.test) / ROWS < 0.35
    assert sum(map(len, moments)) == ROWS


def test_time_learns_folds_from_the_past_only() -> None:
    table, spec = divided("time")

    for train, held_out in folds(table, spec, 3):
        assert table.division[train].max() <= table.division[held_out].min()
    every = [held_out for _, held_out in folds(table, spec, 3, every_row=True)]
    assert sorted(np.concatenate(every)) == list(range(ROWS))
    latest = sample(table, spec, 50)
    others = np.setdiff1d(np.arange(ROWS), latest)
    assert table.division[latest].min() >= table.division[others].max()


def test_groups_are_never_parted() -> None:
    table, spec = divided("group")

    parts = split(table, spec)

    groups = [
        set(table.division[p]) for p in (parts.train, parts.validation, parts.test)
    ]
    assert not groups[0] & groups[1] | groups[1] & groups[2] | groups[0] & groups[2]
    assert 0.2 < len(parts.test) / ROWS < 0.4
    for train, held_out in folds(table, spec, 3):
        assert not set(table.division[train]) & set(table.division[held_out])
    moved = split(table, replace(spec, seed=1))
    assert moved.digest != parts.digest


def test_time_refuses_rows_of_one_moment() -> None:
    table, spec = divided("time")
    still = replace(table, division=np.zeros(ROWS, np.int64))

    with pytest.raises(Exception, match="past and future cannot be told apart"):
        split(still, spec)


def test_groups_refuses_too_few() -> None:
    table, spec = divided("group")
    few = replace(table, division=table.division % 3)

    with pytest.raises(Exception, match="has only 3 groups"):
        split(few, spec)


def test_train_is_tested_on_the_future(job: Job) -> None:
    put_table(job.inputs / "data.parquet", strikes().sample(frac=1, random_state=1))
    spec = spec_for("ridge", "regression", split={"method": "time", "column": "seen"})

    result = job.succeed("train", spec)

    held_out = duckdb.read_parquet(str(job.outputs / "test.parquet")).df()
    assert held_out["seen"].min() == pd.Timestamp("2020-08-28")
    assert result["parameters"]["split"] == "time by seen"


@pytest.mark.parametrize(
    ("changes", "column", "message"),
    [
        ({}, "gone", '"gone", by which rows are divided, is not a column'),
        ({"when": [None] * 3 + [1.0] * 297}, "when", "is missing in 3 rows"),
        (
            {"damaged": ["no"] * 250 + ["yes"] * 50},
            "seen",
            'have no "yes" in "damaged"',
        ),
    ],
)
def test_train_refuses_what_cannot_be_divided(
    job: Job, changes: dict[str, Any], column: str, message: str
) -> None:
    put_table(job.inputs / "data.parquet", strikes().assign(**changes))
    asked = {"method": "time", "column": column}

    result = job.refuse("train", spec_for("sgd", "binary", split=asked))

    assert message in result["message"]


def test_train_refuses_a_weight_of_no_class(tmp_path: Path) -> None:
    job = Job(tmp_path / "job")
    put_table(job.inputs / "data.parquet", strikes())

    result = job.refuse("train", spec_for("sgd", "binary", class_weight={"maybe": 2.0}))

    assert 'class_weight names "maybe"' in result["message"]
