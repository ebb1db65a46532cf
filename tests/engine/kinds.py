"""Every kind of training on small data, run in two fresh processes beside each other.

One process runs all of them, so that the libraries are imported twice and not a
hundred times. The two differ in everything that must not matter: the seed of Python's
hashes, the folder, and the order in which the trainings are made.
"""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from engine.spec import ESTIMATORS
from tests.engine.jobs import Json
from tests.engine.tables import put_table, strikes, train_spec

TARGETS = {"binary": "damaged", "multiclass": "kind", "regression": "repair"}
FAST: dict[str, Json] = {
    "random_forest": {"n_estimators": 10},
    "extra_trees": {"n_estimators": 10},
    "hist_gradient_boosting": {"max_iter": 10},
    "mlp": {"max_iter": 5, "hidden_units": 4},
}
_PROGRAM = """
import sys
from engine.__main__ import main
sys.exit(max(main(["train", folder]) for folder in sys.argv[1:]))
"""


def spec_for(slug: str, task: str, **changes: Any) -> Json:
    """Return the smallest spec that trains `slug` on `strikes`."""
    spec = train_spec(
        estimator=slug,
        parameters=FAST.get(slug, {}),
        task=task,
        target=TARGETS[task],
        positive_label="yes" if task == "binary" else None,
        cost={"false_alarm": 1, "miss": 10} if task == "binary" else None,
    )
    return spec | changes


def _features(**kinds: str) -> list[Json]:
    return [{"name": name, "kind": kind} for name, kind in kinds.items()]


SEARCH = {"trials": 5, "folds": 2}
KINDS: dict[str, Json] = {
    f"{estimator.slug}-{task}": spec_for(estimator.slug, task)
    for estimator in ESTIMATORS.values()
    for task in estimator.tasks
} | {
    "threads": spec_for("random_forest", "binary", threads=2),
    "isotonic": spec_for("decision_tree", "multiclass", calibration="isotonic"),
    "sigmoid": spec_for("naive_bayes", "binary", calibration="sigmoid"),
    "weights": spec_for("sgd", "binary", class_weight={"no": 1, "yes": 3.5}),
    "refit": spec_for("ridge", "regression", refit=True),
    "sample": spec_for("ridge", "regression", max_rows=100),
    "time": spec_for(
        "logistic_regression", "binary", split={"method": "time", "column": "seen"}
    ),
    "group": spec_for(
        "extra_trees", "binary", split={"method": "group", "column": "state"}
    ),
    "text": spec_for(
        "sgd", "binary", features=_features(remark="text", speed="number")
    ),
    "image": spec_for("mlp", "binary", features=_features(picture="image")),
    "summary": spec_for(
        "decision_tree",
        "multiclass",
        features=_features(picture="image"),
        images={"method": "summary"},
    ),
    "prepared": spec_for(
        "hist_gradient_boosting",
        "binary",
        preprocessing={
            "missing": "constant",
            "categories": "one_hot",
            "scale": "standard",
        },
    ),
    "ordinal": spec_for(
        "nearest_neighbours",
        "multiclass",
        preprocessing={"missing": "most_frequent", "categories": "ordinal"},
    ),
    "random": spec_for("decision_tree", "binary", search=SEARCH),
    "grid": spec_for("ridge", "regression", search=SEARCH | {"method": "grid"}),
    "halving": spec_for(
        "random_forest",
        "binary",
        search={"trials": 9, "folds": 2, "method": "halving"},
        objective="mission_cost",
    ),
    "tpe": spec_for(
        "logistic_regression",
        "multiclass",
        search=SEARCH | {"method": "tpe"},
        objective="macro_f1",
    ),
}


def illustrated(rows: int = 300) -> pd.DataFrame:
    """`strikes` with a remark and a picture, some of them missing."""
    frame = strikes(rows)
    rng = np.random.default_rng(3)
    words = rng.choice(["loud", "quiet", "bird", "Möwe", "engine"], (rows, 3))
    remarks = [" ".join(line) for line in words]
    is_damaged = (frame["damaged"] == "yes").to_numpy()
    frame["remark"] = [
        None if rng.random() < 0.1 else f"{text} smoke" if damaged else text
        for text, damaged in zip(remarks, is_damaged, strict=True)
    ]
    frame["picture"] = [
        None if rng.random() < 0.1 else picture(rng, damaged) for damaged in is_damaged
    ]
    return frame


def picture(rng: np.random.Generator, is_bright: bool) -> bytes:
    """Return a small PNG, bright or dark."""
    pixels = rng.integers(0, 120, (12, 10, 3)) + 120 * is_bright
    written = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(written, "PNG")
    return written.getvalue()


def run_twice(parent: Path) -> list[dict[str, Json]]:
    """Run all `KINDS` in two processes at once; return both sets of results."""
    put_table(parent / "data.parquet", illustrated())
    processes = []
    for turn in ("1", "2"):
        folders = [_folder(parent / turn / name, name) for name in KINDS]
        if turn == "2":
            folders.reverse()
        command = [sys.executable, "-W", "error::FutureWarning", "-c", _PROGRAM]
        processes.append(
            subprocess.Popen(
                [*command, *folders], env=os.environ | {"PYTHONHASHSEED": turn}
            )
        )
    for process in processes:
        process.wait(timeout=180)
    return [
        {
            name: json.loads((parent / turn / name / "result.json").read_text())
            for name in KINDS
        }
        for turn in ("1", "2")
    ]


def _folder(path: Path, name: str) -> str:
    (path / "inputs").mkdir(parents=True)
    shutil.copy(path.parent.parent / "data.parquet", path / "inputs")
    (path / "spec.json").write_text(json.dumps(KINDS[name]))
    return str(path)
