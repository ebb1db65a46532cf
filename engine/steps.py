"""Digests of what each step of a training made: the first that differs is to blame."""

import hashlib
import json
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from engine import tables
from engine.features import Table
from engine.folder import Folder, Json
from engine.measures import Outcomes
from engine.package import dumps

PREDICTIONS = "predictions.parquet"


def write_predictions(
    folder: Folder, rows: NDArray[np.int64], outcomes: Outcomes, classes: list[str]
) -> None:
    """Write what the model answers for the test rows to `outputs/predictions.parquet`.

    Columns: `row`, the place in the dataset from 0; `prediction`; and the scores as
    they were computed: `probability` of the positive class, or `probability_1`, ...
    of each class in the order of the signature; none for regression.

    Args:
        folder: of the job.
        rows: shape (n,), in the order of the outcomes.
        outcomes: of those rows.
        classes: names in the order of the class numbers (binary: 1 is positive).
    """
    scores = outcomes.scores
    columns: dict[str, Any] = {"row": rows}
    if outcomes.task == "regression":
        columns["prediction"] = scores
    else:
        columns["prediction"] = np.array(classes, dtype=object)[outcomes.predicted]
    if outcomes.task == "binary":
        columns["probability"] = scores
    if outcomes.task == "multiclass":
        for number, column in enumerate(scores.T, start=1):
            columns[f"probability_{number}"] = column
    path = tables.text(folder.outputs / PREDICTIONS)
    with tables.connect(folder.path) as database:
        database.register("answers", pd.DataFrame(columns))
        database.execute(f"COPY answers TO {path} (FORMAT parquet, COMPRESSION zstd)")


def digests(
    *, table: Table, split: str, search: Json, pipeline: Pipeline, folder: Folder
) -> list[Json]:
    """Digest the steps of a training in the order in which one builds on another.

    Args:
        table: all rows with a target.
        split: digest of the split.
        search: plain JSON values: what was tried and chosen.
        pipeline: fitted; its steps before the last are the preparation.
        folder: with `model.skops` and `predictions.parquet` among its outputs.

    Returns:
        `step` and `digest`, SHA-256 as 64 hexadecimal digits; those of model and
        predictions are of the files.
    """
    found = {
        "data": _data(table),
        "split": split,
        "preparation": hashlib.sha256(dumps(pipeline[:-1])).hexdigest(),
        "search": hashlib.sha256(_json(search)).hexdigest(),
        "model": file_digest(folder, "outputs/model.skops"),
        "predictions": file_digest(folder, f"outputs/{PREDICTIONS}"),
    }
    return [{"step": step, "digest": digest} for step, digest in found.items()]


def file_digest(folder: Folder, name: str) -> str:
    """Return the SHA-256 of a file of the folder, as 64 hexadecimal digits."""
    with (folder.path / name).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _data(table: Table) -> str:
    digest = hashlib.sha256()
    for values in (table.rows, table.numbers, table.codes, table.target):
        digest.update(f"{values.dtype.str}{values.shape}".encode())
        digest.update(np.ascontiguousarray(values).data)
    for texts in (*table.levels, table.classes):
        digest.update(_json(texts.tolist()))
    return digest.hexdigest()


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, default=str).encode()
