"""Small made-up tables with a pattern in them that a model can find."""

import shutil
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from tests.engine.jobs import Job, Json

FEATURES = [
    {"name": "speed", "kind": "number"},
    {"name": "size", "kind": "category"},
    {"name": "seen", "kind": "date"},
]


def strikes(rows: int = 300) -> pd.DataFrame:
    """Rows whose `damaged`, `kind` and `repair` depend on speed and size."""
    rng = np.random.default_rng(7)
    speed = rng.uniform(50, 300, rows)
    size = rng.choice(["small", "medium", "large"], rows)
    risk = speed / 100 + np.where(size == "large", 2.0, 0.0) + rng.normal(0, 0.5, rows)
    return pd.DataFrame(
        {
            "speed": np.where(rng.random(rows) < 0.1, np.nan, speed),
            "size": np.where(rng.random(rows) < 0.1, None, size),
            "seen": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(rows), "D"),
            "state": rng.choice([f"S{n:02}" for n in range(30)], rows),
            "damaged": np.where(risk > 2.8, "yes", "no"),
            "kind": np.digitize(risk, [1.5, 2.8]).astype(str),
            "repair": risk * 1000,
        }
    )


def put_table(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame as Parquet."""
    connection = duckdb.connect()
    connection.register("frame", frame)
    connection.execute(f"COPY frame TO '{path}' (FORMAT parquet)")


def train_spec(**changes: Any) -> Json:
    """Return the smallest useful spec for `strikes`."""
    spec = {
        "task": "binary",
        "target": "damaged",
        "positive_label": "yes",
        "features": FEATURES,
        "estimator": "logistic_regression",
        "cost": {"false_alarm": 1, "miss": 10},
    }
    return spec | changes


def evaluate_spec(**changes: Any) -> Json:
    """Return the smallest useful spec to judge a model of `train_spec`."""
    spec = {
        "task": "binary",
        "target": "damaged",
        "positive_label": "yes",
        "cost": {"false_alarm": 1, "miss": 10},
        "resamples": 100,
    }
    return spec | changes


def hand_over(trained: Job, judged: Job, place: str = "") -> None:
    """Give the model of one job to another, as its own or as the champion."""
    target = judged.inputs / place
    target.mkdir(exist_ok=True)
    for name in ("model.skops", "signature.json"):
        shutil.copy(trained.outputs / name, target / name)
    shutil.copy(trained.outputs / "test.parquet", judged.inputs / "test.parquet")
