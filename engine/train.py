"""The verb `train`: learn a model, measure it on rows it has not seen, package it.

The threshold is chosen on validation rows by a model that has not learned from them.
Then the model learns again from training and validation rows together; that model is
kept, and the test rows are used once, at the end, to measure it.
"""

# ruff: noqa: S608 - names and literals are quoted by `tables`
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from engine import curves, features, onnx_export, tables
from engine.cost import best_threshold
from engine.features import Layout, Table
from engine.folder import Folder, Json
from engine.importance import MEASURE, permutation_importance
from engine.measures import Outcomes
from engine.package import Input, Signature, manifest, save_model
from engine.pipeline import fit
from engine.predictions import judge
from engine.record import write_record
from engine.search import Parameters, Trial, search
from engine.spec import TrainSpec, complete_parameters
from engine.split import Split, split
from engine.steps import digests, write_predictions

MOST_STEPS = 100


@dataclass(frozen=True)
class Learned:
    """A model, how it was found, and the threshold that belongs to it.

    Attributes:
        validation: what the model before the last fit did on validation rows.
        history: points `key`, `step` and `value` along the way.
    """

    pipeline: Pipeline
    parameters: Parameters
    threshold: float | None
    validation: Outcomes
    history: list[Json]


def run(spec: TrainSpec, folder: Folder) -> Json:
    """Train on `inputs/data.parquet`; see the module for the order of things."""
    path = folder.require_input("data.parquet")
    with threadpool_limits(spec.threads), tables.connect(folder.path) as database:
        folder.progress(0.02, "Reading data")
        types = features.column_types(database, path)
        table = features.read(database, path, spec.features, spec.target, spec.task)
        parts = split(table, spec)
        _write_rows(database, path, table.rows[parts.test], folder)
    rows = _rows(table, parts)
    folder.log(
        f"{rows['train']:,} rows to learn from, {rows['validation']:,} to choose the "
        f"threshold, {rows['test']:,} held out, {rows['dropped']:,} without a target."
    )
    with threadpool_limits(spec.threads):
        learned = _learn(spec, folder, table, parts)
        folder.progress(0.8, "Measuring on held-out rows")
        held_out = table.take(parts.test)
        outcomes = _judge(spec, learned.pipeline, held_out, learned.threshold)
        metrics = {
            **_prefixed("validation", learned.validation),
            **_prefixed("test", outcomes),
            **_prefixed("baseline", _baseline(spec, table, parts, folder)),
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
        write_record(spec, folder, steps, metrics)
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
        "onnx": exported,
        "figures": figures,
    }


def _classes(spec: TrainSpec, signature: Signature) -> list[str]:
    """Name the classes by number; for a binary target, 1 is the positive one."""
    return sorted(signature.classes, key=lambda name: name == spec.positive_label)


def _searched(learned: Learned) -> Json:
    """Say what the search tried and chose, as plain values to be digested."""
    tried = [point for point in learned.history if point["key"].startswith("search.")]
    return {"parameters": learned.parameters, "trials": tried}


def _rows(table: Table, parts: Split) -> dict[str, int]:
    return {
        "train": len(parts.train),
        "validation": len(parts.validation),
        "test": len(parts.test),
        "dropped": table.dropped,
    }


def _learn(spec: TrainSpec, folder: Folder, table: Table, parts: Split) -> Learned:
    folder.progress(0.1, "Learning")
    training, validating = table.take(parts.train), table.take(parts.validation)
    parameters = complete_parameters(spec.estimator, spec.parameters)
    trials: list[Trial] = []
    if spec.search is not None:
        trials = search(spec, spec.search, parameters, training, folder)
        parameters = max(trials, key=lambda trial: trial.score).parameters
    folder.progress(0.6, "Choosing the threshold")
    first = fit(spec, spec.estimator, parameters, training, folder.log)
    validation = _judge(spec, first, validating, None)
    threshold = _threshold(spec, validation)
    folder.progress(0.7, "Learning from training and validation rows")
    together = table.take(np.union1d(parts.train, parts.validation))
    pipeline = fit(spec, spec.estimator, parameters, together, folder.log)
    return Learned(
        pipeline,
        parameters,
        threshold,
        validation if threshold is None else replace(validation, threshold=threshold),
        [*_trial_history(spec, trials), *_boosting_history(first, validating)],
    )


def _judge(
    spec: TrainSpec, pipeline: Pipeline, table: Table, threshold: float | None
) -> Outcomes:
    return judge(
        pipeline,
        table,
        spec.task,
        spec.positive_label,
        threshold=0.5 if threshold is None else threshold,
        cost=spec.cost,
    )


def _threshold(spec: TrainSpec, outcomes: Outcomes) -> float | None:
    if spec.task != "binary":
        return None
    if spec.cost is None:
        return 0.5
    return best_threshold(outcomes.actual, outcomes.scores, spec.cost)


def _baseline(spec: TrainSpec, table: Table, parts: Split, folder: Folder) -> Outcomes:
    """Judge no model at all, at the threshold that is best for it."""
    together = table.take(np.union1d(parts.train, parts.validation))
    dummy = fit(spec, "dummy", {}, together, folder.log)
    threshold = _threshold(spec, _judge(spec, dummy, together, None))
    return _judge(spec, dummy, table.take(parts.test), threshold)


def _prefixed(part: str, outcomes: Outcomes) -> dict[str, float]:
    """Name each measure after its part; what cannot be computed is left out."""
    values = outcomes.values().items()
    return {f"{part}.{slug}": value for slug, value in values if math.isfinite(value)}


def _trial_history(spec: TrainSpec, trials: list[Trial]) -> Iterator[Json]:
    for step, trial in enumerate(trials, start=1):
        yield {
            "key": f"search.{MEASURE[spec.task]}",
            "step": step,
            "value": trial.score,
        }


def _boosting_history(pipeline: Pipeline, table: Table) -> Iterator[Json]:
    """Follow the validation loss of boosted trees, tree by tree."""
    estimator = pipeline[-1]
    if not hasattr(estimator, "n_iter_") or not hasattr(estimator, "validation_score_"):
        return
    prepared = pipeline[:-1].transform(table.features)
    is_classifier = hasattr(estimator, "predict_proba")
    staged = estimator.staged_predict_proba if is_classifier else None
    stages = (staged or estimator.staged_predict)(prepared)
    every = math.ceil(estimator.n_iter_ / MOST_STEPS)
    for step, answers in enumerate(stages, start=1):
        if step % every == 0:
            if is_classifier:
                loss = log_loss(table.target, answers, labels=estimator.classes_)
            else:
                loss = math.sqrt(mean_squared_error(table.target, answers))
            key = "validation.log_loss" if is_classifier else "validation.rmse"
            yield {"key": key, "step": step, "value": float(loss)}


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


def _parameters(spec: TrainSpec, learned: Learned) -> Parameters:
    found = {"estimator": spec.estimator, **learned.parameters}
    if spec.class_weight is not None:
        found["class_weight"] = spec.class_weight
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
            Input(feature.name, feature.kind, tables.TYPES[types[feature.name]])
            for feature in spec.features
        ),
        numbers=layout.numbers,
        categories=layout.categories,
        outputs=("value",) if is_regression else ("label", "probabilities"),
        classes=() if is_regression else tuple(map(str, learned.pipeline.classes_)),
    )


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
        pipeline, sample.layout, sample.features, outputs / "model.onnx", spec.threads
    )
    if not exported["exported"]:
        folder.log(f"No ONNX file: {exported['reason']}")
    return exported


def _write_rows(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    rows: NDArray[np.int64],
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
