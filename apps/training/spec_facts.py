"""A training spec in words, for people who did not write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.core.templatetags.portal import ratio
from engine.spec import ESTIMATORS, MEASURES, MISSION_COST, Preprocessing

if TYPE_CHECKING:
    from engine.spec import TrainSpec

SECONDS_PER_MINUTE = 60
MOST_COLUMNS = 12
BYTES_PER_GIBIBYTE = 1024**3
SEARCHES = {
    "random": "drawn at random",
    "grid": "over a grid",
    "halving": "with successive halving",
    "tpe": "guided by those before (TPE)",
}


def spec_facts(spec: TrainSpec) -> list[dict[str, Any]]:
    """List what a training is told, as names and values."""
    estimator = ESTIMATORS[spec.estimator]
    told = [
        ("Target", _target(spec)),
        ("Columns used", _columns(spec)),
        ("Objective", _objective(spec)),
        ("Kind of model", estimator.title),
        *(
            (parameter.title, spec.parameters.get(parameter.name, parameter.default))
            for parameter in estimator.parameters
        ),
        ("Search", _search(spec)),
        ("Threshold", _threshold(spec)),
        ("Rows", _rows(spec)),
        ("Rare classes", "given more weight" if spec.class_weight else ""),
        ("Probabilities", _calibration(spec)),
        ("Preparation", _preparation(spec.preprocessing)),
        ("Seed", str(spec.seed)),
        ("Limits", _limits(spec)),
    ]
    return [{"term": term, "value": value} for term, value in told if value != ""]


def _columns(spec: TrainSpec) -> str:
    """Name the first columns; the spec as a file names all."""
    names = [feature.name for feature in spec.features]
    more = len(names) - MOST_COLUMNS
    rest = f" and {more:,} more" if more > 0 else ""
    return ", ".join(names[:MOST_COLUMNS]) + rest


def _target(spec: TrainSpec) -> str:
    if spec.positive_label is None:
        return spec.target
    return f"{spec.target} (a case is “{spec.positive_label}”)"


def _objective(spec: TrainSpec) -> str:
    if spec.objective is None:
        return "the usual measure"
    if spec.objective == MISSION_COST:
        return "mission cost"
    return MEASURES[spec.objective].title


def _search(spec: TrainSpec) -> str:
    search = spec.search
    if search is None:
        return "none, settings as given"
    within = "" if search.minutes is None else f", within {search.minutes:g} minutes"
    return (
        f"up to {search.trials} settings {SEARCHES[search.method]}, "
        f"{search.folds} folds each{within}"
    )


def _threshold(spec: TrainSpec) -> str:
    if spec.task != "binary":
        return "does not apply"
    if spec.cost is None:
        return "0.5"
    return (
        "least mission cost, with a false alarm at "
        f"{spec.cost.false_alarm:g} and a miss at {spec.cost.miss:g}"
    )


def _rows(spec: TrainSpec) -> str:
    split = spec.split
    how = (
        "at random"
        if split.method == "random"
        else f"by {split.method}: {split.column}"
    )
    of = "" if spec.max_rows is None else f" of a sample of {spec.max_rows:,}"
    return (
        f"{ratio(spec.test_ratio, 0)}{of} held out for the test, "
        f"{ratio(split.validation_ratio, 0)} of the rest for validation, {how}"
    )


def _calibration(spec: TrainSpec) -> str:
    return "" if spec.calibration == "none" else f"corrected ({spec.calibration})"


def _preparation(preprocessing: Preprocessing) -> str:
    usual = Preprocessing()
    changed = [
        f"{name.replace('_', ' ')}: {value}"
        for name, value in vars(preprocessing).items()
        if value != getattr(usual, name)
    ]
    return ", ".join(changed)


def _limits(spec: TrainSpec) -> str:
    minutes = (spec.limits.wall_seconds or 0) / SECONDS_PER_MINUTE
    memory = (spec.limits.memory_bytes or 0) / BYTES_PER_GIBIBYTE
    return f"{minutes:g} minutes, {memory:.3g} GiB of memory"
