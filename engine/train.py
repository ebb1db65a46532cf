"""The verb `train`: learn a model, measure it on rows it has not seen, package it.

Settings are searched for and the model is fitted on training rows. The threshold is
chosen on validation rows, which the model has not learned from; with `refit` the model
then learns again from both. The test rows are used once, at the end, to measure it.
"""

# ruff: noqa: S608 - names and literals are quoted by `tables`
import math
from pathlib import Path

import duckdb
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from engine import curves, estimators, onnx_export, reading, tables
from engine.features import Layout, Positions, Reading, Table
from engine.folder import Folder, Json
from engine.importance import permutation_importance
from engine.learning import Learned, baseline, learn, measured
from engine.measures import Outcomes
from engine.package import Input, Signature, manifest, save_model
from engine.record import write_record
from engine.spec import Scalar, TrainSpec
from engine.split import Split, split
from engine.steps import digests, write_predictions


def run(spec: TrainSpec, folder: Folder) -> Json:
    """Train on `inputs/data.parquet`; see the module for the order of things."""
    path = folder.require_input("data.parquet")
    with threadpool_limits(spec.threads), tables.connect(folder.path) as database:
        folder.progress(0.02, "Reading data")
        types = reading.column_types(database, path)
        table = reading.read(database, path, _reading(spec))
        parts = split(table, spec)
        _write_rows(database, path, table.rows[parts.test], folder)
    rows = _rows(table, parts)
    folder.log(
        f"{rows['train']:,} rows to learn from, {rows['validation']:,} to choose the "
        f"threshold, {rows['test']:,} held out, {rows['dropped']:,} without a target."
    )
    with threadpool_limits(spec.threads):
        learned = learn(spec, folder, table, parts)
        folder.progress(0.8, "Measuring on held-out rows")
        held_out = table.take(parts.test)
        outcomes = measured(spec, learned.pipeline, held_out, learned.threshold)
        metrics = {
            **_prefixed("validation", learned.validation),
            **_prefixed("test", outcomes),
            **_prefixed("baseline", baseline(spec, table, parts)),
        }
        figures = _figures(spec, learned.pipeline, held_out, outcomes)
        folder.progress(0.9, "Packaging the model")
        signature = _signature(spec, types, table.layout, learned)
        exported = _package(spec, folder, learned, signature, held_out)
        write_predictions(folder, held_out.rows, outcomes, _classes(spec, signature))
        folder.write_json("outputs/metrics.json", metrics)
        steps = digests(
            table=table,
            split=parts.digest,
            search=_searched(learned),
            pipeline=learned.pipeline,
            folder=folder,
        )
        # A search that ran out of time is done again by its number of trials.
        trials_done = len(learned.found.trials) if learned.found else None
        write_record(spec.repeating(trials_done), folder, steps, metrics)
    return {
        "steps": steps,
        "parameters": _parameters(spec, learned),
        "metrics": metrics,
        "metric_history": learned.history,
        "files": manifest(folder),
        "signature": signature.to_json(),
        "threshold": learned.threshold,
        "rows": rows,
        "split_digest": parts.digest,
        "search": learned.found and learned.found.to_json(spec),
        "trials_done": trials_done,
        "onnx": exported,
        "figures": figures,
    }


def _classes(spec: TrainSpec, signature: Signature) -> list[str]:
    """Name the classes by number; for a binary target, 1 is the positive one."""
    return sorted(signature.classes, key=lambda name: name == spec.positive_label)


def _searched(learned: Learned) -> Json:
    """Say what the search tried and chose, as plain values to be digested."""
    trials = learned.found.trials if learned.found else []
    tried = [[trial.parameters, trial.score, trial.rows] for trial in trials]
    return {"parameters": learned.parameters, "trials": tried}


def _reading(spec: TrainSpec) -> Reading:
    column, method = spec.split.column, spec.split.method
    return Reading(
        features=spec.features,
        target=spec.target,
        task=spec.task,
        text_buckets=spec.preprocessing.text_buckets,
        images=spec.images,
        division=None if column is None else (column, method),
        most_rows=spec.max_rows,
        seed=spec.seed,
    )


def _rows(table: Table, parts: Split) -> dict[str, int]:
    return {
        "train": len(parts.train),
        "validation": len(parts.validation),
        "test": len(parts.test),
        "dropped": table.dropped,
        "left_out": table.left_out,
    }


def _prefixed(part: str, outcomes: Outcomes) -> dict[str, float]:
    """Name each measure after its part; what cannot be computed is left out."""
    values = outcomes.values().items()
    return {f"{part}.{slug}": value for slug, value in values if math.isfinite(value)}


def _figures(
    spec: TrainSpec, pipeline: Pipeline, table: Table, outcomes: Outcomes
) -> Json:
    is_binary = spec.task == "binary"
    pair = (outcomes.actual, outcomes.scores)
    return {
        "roc": curves.roc(*pair) if is_binary else None,
        "precision_recall": curves.precision_recall(*pair) if is_binary else None,
        "importance": permutation_importance(
            pipeline,
            table,
            outcomes,
            positive_label=spec.positive_label,
            seed=spec.seed,
        ),
    }


def _parameters(spec: TrainSpec, learned: Learned) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {"estimator": spec.estimator, **learned.parameters}
    weight, calibration = spec.class_weight, estimators.calibration(spec)
    if isinstance(weight, dict):
        weights = ", ".join(f"{label}: {value:g}" for label, value in weight.items())
        found["class_weight"] = weights
    elif weight is not None:
        found["class_weight"] = weight
    if calibration != "none":
        found["calibration"] = calibration
    if spec.split.method != "random":
        found["split"] = f"{spec.split.method} by {spec.split.column}"
    return found | {"seed": spec.seed, "test_ratio": spec.test_ratio}


def _signature(
    spec: TrainSpec, types: dict[str, str], layout: Layout, learned: Learned
) -> Signature:
    is_regression = spec.task == "regression"
    return Signature(
        task=spec.task,
        target=spec.target,
        positive_label=spec.positive_label,
        threshold=learned.threshold,
        inputs=tuple(
            Input(feature.name, feature.kind, _type_name(types[feature.name]))
            for feature in spec.features
        ),
        numbers=layout.numbers,
        categories=layout.categories,
        outputs=("value",) if is_regression else ("label", "probabilities"),
        classes=() if is_regression else tuple(map(str, learned.pipeline.classes_)),
        text_buckets=spec.preprocessing.text_buckets,
        images=spec.images,
    )


def _type_name(kind: str) -> str:
    return "image" if kind == "BLOB" else tables.TYPES[kind]


def _package(
    spec: TrainSpec,
    folder: Folder,
    learned: Learned,
    signature: Signature,
    sample: Table,
) -> Json:
    pipeline, outputs = learned.pipeline, folder.outputs
    save_model(pipeline, outputs / "model.skops")
    folder.write_json("outputs/signature.json", signature.to_json())
    exported = onnx_export.export(
        pipeline, sample, outputs / "model.onnx", spec.threads
    )
    if not exported["exported"]:
        folder.log(f"No ONNX file: {exported['reason']}")
    return exported


def _write_rows(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    rows: Positions,
    folder: Folder,
) -> None:
    """Copy the held-out rows, all their columns, to `outputs/test.parquet`."""
    database.register("held_out", pd.DataFrame({"place": rows}))
    database.execute(
        "COPY (SELECT * EXCLUDE (file_row_number, place) FROM "
        f"read_parquet({tables.text(path)}, file_row_number = true) "
        "JOIN held_out ON file_row_number = place ORDER BY place) "
        f"TO {tables.text(folder.outputs / 'test.parquet')} "
        "(FORMAT parquet, COMPRESSION zstd)"
    )
