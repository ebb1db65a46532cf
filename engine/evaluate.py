"""The verb `evaluate`: judge a model on rows it has not seen."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import duckdb
from threadpoolctl import threadpool_limits

from engine import checks, confusion, cost, curves, evaluation, groups, reading, tables
from engine.evaluation.subject import Subject
from engine.features import Reading, Table
from engine.folder import EngineError, Folder, Json
from engine.importance import permutation_importance
from engine.intervals import Interval, Intervals, measure_intervals
from engine.measures import Outcomes
from engine.onnx_model import OnnxModel
from engine.package import (
    MODEL_FILE,
    ONNX_FILE,
    Signature,
    load_model,
    of_pipeline,
    read_signature,
)
from engine.predictions import Model, judge
from engine.spec import EvaluateSpec, measures_for
from engine.subgroups import compare
from engine.tensors import Pictures

DEFAULT_THRESHOLD = 0.5


def run(spec: EvaluateSpec, folder: Folder) -> Json:
    """Judge the model of `inputs/`, beside `inputs/champion/` where there is one."""
    path = folder.require_input("test.parquet")
    with threadpool_limits(spec.threads), tables.connect(folder.path) as database:
        folder.progress(0.05, "Reading the model")
        model, signature = _load(spec, folder, database, "")
        folder.progress(0.1, "Predicting")
        table, outcomes = _judge(spec, database, path, model, signature)
        folder.log(f"{len(table.rows):,} rows to judge the model on.")
        theirs = _champion_outcomes(spec, folder, database, path)
        folder.progress(0.2, "Measuring")
        values, around = outcomes.values(), _intervals(spec, outcomes, theirs)
        intervals = around.own
        champion = _champion(values, theirs, around.gained)
        folder.progress(0.4, "Comparing subgroups")
        subgroups = _subgroups(spec, database, path, signature.reading(), outcomes)
        folder.progress(0.5, "Asking which features matter")
        importance = permutation_importance(
            model,
            table,
            outcomes,
            positive_label=spec.positive_label,
            seed=spec.seed,
        )
        subject = Subject(
            spec=spec,
            folder=folder,
            database=database,
            path=path,
            model=model,
            model_file=_model_file(folder, ""),
            signature=signature,
            table=table,
            outcomes=outcomes,
            values=values,
            intervals=intervals,
            subgroups=subgroups,
            champion=champion,
            importance=importance,
        )
        families = evaluation.families(subject, 0.6, 1.0)
    found = checks.judge(spec, families)
    is_binary = spec.task == "binary"
    return {
        "rows": len(table.rows),
        "positives": int(outcomes.actual.sum()) if is_binary else None,
        "threshold": outcomes.threshold if is_binary else None,
        "measures": _measures(spec, values, intervals),
        "confusion": confusion.table(
            outcomes, signature.classes, signature.positive_label
        ),
        "curves": _curves(spec, outcomes) if is_binary else None,
        "mission": _mission(spec, outcomes, values, intervals),
        "subgroups": subgroups,
        "importance": importance,
        "champion": champion,
        "families": [family.to_json() for family in families],
        "checks": found,
        "verdict": checks.overall(found),
    }


def _load(
    spec: EvaluateSpec,
    folder: Folder,
    database: duckdb.DuckDBPyConnection,
    place: str,
) -> tuple[Model, Signature]:
    signature = read_signature(folder.require_input(f"{place}signature.json"))
    asked = (spec.task, spec.target, spec.positive_label)
    if asked != (signature.task, signature.target, signature.positive_label):
        raise EngineError(
            f'The model predicts "{signature.target}" ({signature.task}), which is not '
            "what the evaluation asks for; choose a model of the same target."
        )
    path = _model_file(folder, place)
    if path.name != ONNX_FILE:
        return load_model(path), of_pipeline(signature)

    rows = folder.require_input("test.parquet")
    model = OnnxModel(
        path,
        signature,
        threads=spec.threads,
        pictures=partial(Pictures, database, rows),
    )
    return model, signature


def _model_file(folder: Folder, place: str) -> Path:
    """Return the pipeline's file, or where there is none the ONNX file."""
    onnx = folder.inputs / f"{place}{ONNX_FILE}"
    if onnx.is_file() and not (folder.inputs / f"{place}{MODEL_FILE}").is_file():
        return onnx
    return folder.require_input(f"{place}{MODEL_FILE}")


def _judge(
    spec: EvaluateSpec,
    database: duckdb.DuckDBPyConnection,
    path: Path,
    model: Model,
    signature: Signature,
) -> tuple[Table, Outcomes]:
    table = reading.read(database, path, signature.reading())
    if not len(table.rows):
        raise EngineError(f'No row has a value in "{spec.target}"; add test data.')
    threshold = signature.threshold if spec.threshold is None else spec.threshold
    outcomes = judge(
        model,
        table,
        spec.task,
        spec.positive_label,
        threshold=DEFAULT_THRESHOLD if threshold is None else threshold,
        cost=spec.cost,
    )
    return table, outcomes


def _intervals(
    spec: EvaluateSpec, outcomes: Outcomes, champion: Outcomes | None
) -> Intervals:
    return measure_intervals(
        outcomes,
        champion,
        resamples=spec.resamples,
        confidence=spec.confidence,
        seed=spec.seed,
    )


def _measures(
    spec: EvaluateSpec, values: dict[str, float], intervals: dict[str, Interval]
) -> list[Json]:
    return [
        {
            "measure": measure.slug,
            "title": measure.title,
            "value": values[measure.slug],
            "low": intervals[measure.slug][0],
            "high": intervals[measure.slug][1],
            "unit": measure.unit,
        }
        for measure in measures_for(spec.task)
        if measure.slug in values
    ]


def _curves(spec: EvaluateSpec, outcomes: Outcomes) -> Json:
    pair = (outcomes.actual, outcomes.scores)
    return {
        "roc": curves.roc(*pair),
        "precision_recall": curves.precision_recall(*pair),
        "calibration": curves.calibration(*pair),
        "cost": None if spec.cost is None else curves.cost_points(*pair, spec.cost),
    }


def _mission(
    spec: EvaluateSpec,
    outcomes: Outcomes,
    values: dict[str, float],
    intervals: dict[str, Interval],
) -> Json | None:
    if spec.cost is None or outcomes.task != "binary":
        return None
    low, high = intervals["mission_cost_per_1000"]
    return {
        "low": low,
        "high": high,
        **cost.mission(
            outcomes.actual,
            outcomes.scores,
            spec.cost,
            values["mission_cost_per_1000"],
            spec.baseline_cost_per_1000,
        ),
    }


def _subgroups(
    spec: EvaluateSpec,
    database: duckdb.DuckDBPyConnection,
    path: Path,
    asked: Reading,
    outcomes: Outcomes,
) -> list[Json]:
    types = reading.column_types(database, path)
    found = []
    for column in spec.subgroup_columns:
        if column not in types:
            raise EngineError(
                f'The subgroup column "{column}" is not in the test data.'
            )
        compared = compare(
            outcomes,
            groups.read(database, path, asked, column, types[column]),
            confidence=spec.confidence,
            smallest=spec.min_group_size,
        )
        found.append({"column": column, "groups": compared})
    return found


def _champion_outcomes(
    spec: EvaluateSpec,
    folder: Folder,
    database: duckdb.DuckDBPyConnection,
    path: Path,
) -> Outcomes | None:
    """Judge the champion at its own threshold, which is how it is used."""
    if not (folder.inputs / "champion").is_dir():
        return None
    model, signature = _load(spec, folder, database, "champion/")
    own = replace(spec, threshold=None)
    return _judge(own, database, path, model, signature)[1]


def _champion(
    ours: dict[str, float], champion: Outcomes | None, gained: dict[str, Interval]
) -> Json | None:
    if champion is None:
        return None
    others = champion.values()
    return {
        "measures": [
            _difference(slug, ours[slug], others[slug], gained[slug]) for slug in ours
        ]
    }


def _difference(slug: str, ours: float, others: float, interval: Interval) -> Json:
    return {
        "measure": slug,
        "value": ours,
        "champion_value": others,
        "difference": ours - others,
        "low": interval[0],
        "high": interval[1],
    }
