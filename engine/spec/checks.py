"""What a plan may promise beside the measures: checks, by family."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engine.spec.estimator import CLASSIFICATION, Task
from engine.spec.measures import MEASURES, Measure

Unit = Literal[
    "ratio",
    "difference",
    "cost",
    "target",
    "index",
    "count",
    "milliseconds",
    "bytes",
    "yes_no",
]
_BINARY: tuple[Task, ...] = ("binary",)
_ALL: tuple[Task, ...] = (*CLASSIFICATION, "regression")

# In the order in which a report shows them.
FAMILIES: Mapping[str, str] = {
    "performance": "Performance",
    "champion": "Against the champion",
    "fairness": "Fairness between groups",
    "calibration": "Calibration",
    "mission": "Mission",
    "robustness": "Robustness",
    "drift": "Drift against the training data",
    "leakage": "Leakage and duplicates",
    "explanation": "Explanation",
    "runtime": "Speed and size",
    "portal": "What the portal knows",
}
MEASURE_FAMILIES: Mapping[str, str] = {
    "mission_cost_per_1000": "mission",
    "brier": "calibration",
    "calibration_error": "calibration",
}
MISSING_RATES = (5, 10, 20)  # percent


@dataclass(frozen=True)
class CheckKind:
    """One figure that a criterion may name.

    Attributes:
        unit: `ratio` (0 to 1), `difference` (may be negative), `cost` and `target` as
            for measures, `index` and `count` (from 0), `milliseconds`, `bytes`, or
            `yes_no` (1 or 0).
        better: which direction is an improvement.
        sentence: what the figure says, for people.
        column: whether the figure is the worst one over several columns of the data.
    """

    slug: str
    title: str
    family: str
    unit: Unit
    better: Literal["higher", "lower"]
    tasks: tuple[Task, ...]
    sentence: str
    column: bool = False


def _gain(measure: Measure) -> CheckKind:
    return CheckKind(
        f"champion_{measure.slug}",
        f"Gain over the champion: {measure.title}",
        "champion",
        "difference",
        "higher",
        measure.tasks,
        "The least gain that the interval leaves possible, on the same rows; below 0 "
        "the model may be worse.",
    )


def _missing(percent: int) -> CheckKind:
    return CheckKind(
        f"loss_missing_{percent}",
        f"Loss with {percent} % missing values",
        "robustness",
        "difference",
        "lower",
        _ALL,
        f"What the main measure loses when {percent} % of all values are missing.",
    )


_FAIRNESS = (
    CheckKind(
        "selection_rate_ratio",
        "Smallest ratio of selection rates",
        "fairness",
        "ratio",
        "higher",
        _BINARY,
        "The least flagged group's rate over the most flagged one's; the four-fifths "
        "rule asks for 0.8.",
        column=True,
    ),
    CheckKind(
        "selection_rate_difference",
        "Largest difference of selection rates",
        "fairness",
        "ratio",
        "lower",
        _BINARY,
        "How much more often one group is flagged than another.",
        column=True,
    ),
    CheckKind(
        "recall_difference",
        "Largest difference of recall",
        "fairness",
        "ratio",
        "lower",
        _BINARY,
        "How much more often positive rows are found in one group than in another.",
        column=True,
    ),
    CheckKind(
        "false_alarm_difference",
        "Largest difference of false alarm rates",
        "fairness",
        "ratio",
        "lower",
        _BINARY,
        "How much more often negative rows are flagged in one group than in another.",
        column=True,
    ),
    CheckKind(
        "accuracy_difference",
        "Largest difference of accuracy",
        "fairness",
        "ratio",
        "lower",
        CLASSIFICATION,
        "How much more often one group is answered correctly than another.",
        column=True,
    ),
    CheckKind(
        "mae_difference",
        "Largest difference of mean absolute errors",
        "fairness",
        "target",
        "lower",
        ("regression",),
        "How much larger errors are in one group than in another.",
        column=True,
    ),
)
_CALIBRATION = (
    CheckKind(
        "calibration_slope_gap",
        "Calibration slope, distance from 1",
        "calibration",
        "index",
        "lower",
        _BINARY,
        "Probabilities are too extreme (slope below 1) or too timid (above 1).",
    ),
    CheckKind(
        "calibration_intercept_gap",
        "Calibration intercept, distance from 0",
        "calibration",
        "index",
        "lower",
        _BINARY,
        "Probabilities are too high or too low as a whole, in log odds.",
    ),
)
_MISSION = (
    CheckKind(
        "mission_share_of_best",
        "Share of the best threshold's value",
        "mission",
        "ratio",
        "higher",
        _BINARY,
        "The least cost of any threshold over the cost of the chosen one; 1 means that "
        "no other threshold would have been cheaper on these rows.",
    ),
    CheckKind(
        "mission_saving",
        "Saving against doing nothing",
        "mission",
        "difference",
        "higher",
        _BINARY,
        "The share of the cost of flagging nothing that the model saves.",
    ),
)
_ROBUSTNESS = (
    *map(_missing, MISSING_RATES),
    CheckKind(
        "loss_noise",
        "Loss with noise",
        "robustness",
        "difference",
        "lower",
        _ALL,
        "What the main measure loses when a tenth of its spread is added to every "
        "number as noise.",
    ),
    CheckKind(
        "loss_unseen",
        "Loss with unseen categories",
        "robustness",
        "difference",
        "lower",
        _ALL,
        "What the main measure loses when 10 % of all categories are ones the model "
        "has never met.",
    ),
)
_DRIFT = (
    CheckKind(
        "largest_psi",
        "Largest population stability index",
        "drift",
        "index",
        "lower",
        _ALL,
        "How far the most changed column has moved from the training data; from 0.2 "
        "it is commonly called a drift.",
        column=True,
    ),
    CheckKind(
        "largest_ks",
        "Largest Kolmogorov-Smirnov distance",
        "drift",
        "ratio",
        "lower",
        _ALL,
        "The widest gap between the distributions of a number then and now.",
        column=True,
    ),
    CheckKind(
        "drifted_columns",
        "Drifted columns",
        "drift",
        "count",
        "lower",
        _ALL,
        "How many columns have a population stability index of 0.2 or more.",
    ),
)
_LEAKAGE = (
    CheckKind(
        "duplicate_share",
        "Share of rows also in the training data",
        "leakage",
        "ratio",
        "lower",
        _ALL,
        "Evaluated rows whose features and target equal those of a training row.",
    ),
    CheckKind(
        "repeated_share",
        "Share of repeated rows",
        "leakage",
        "ratio",
        "lower",
        _ALL,
        "Evaluated rows that equal an earlier evaluated row.",
    ),
    CheckKind(
        "single_feature_power",
        "Power of the strongest single feature",
        "leakage",
        "ratio",
        "lower",
        _ALL,
        "How well one feature alone ranks the target; above 0.98 it probably knows "
        "the answer.",
        column=True,
    ),
)
_OTHERS = (
    CheckKind(
        "top_feature_share",
        "Share of the most important feature",
        "explanation",
        "ratio",
        "lower",
        _ALL,
        "How much of all importance lies in one feature.",
    ),
    CheckKind(
        "latency_row_ms",
        "Time for one row",
        "runtime",
        "milliseconds",
        "lower",
        _ALL,
        "Median time to answer one row on the worker.",
    ),
    CheckKind(
        "latency_1000_ms",
        "Time for 1,000 rows",
        "runtime",
        "milliseconds",
        "lower",
        _ALL,
        "Median time to answer 1,000 rows at once on the worker.",
    ),
    CheckKind(
        "model_bytes",
        "Size of the model",
        "runtime",
        "bytes",
        "lower",
        _ALL,
        "Size of the model's file.",
    ),
)
_PORTAL = (
    CheckKind(
        "data_contract",
        "Data contract fulfilled",
        "portal",
        "yes_no",
        "higher",
        _ALL,
        "1 when the training data fulfilled its contract.",
    ),
    CheckKind(
        "regeneration",
        "Regenerated alike",
        "portal",
        "yes_no",
        "higher",
        _ALL,
        "1 when the model was made again, identical or within tolerance.",
    ),
    CheckKind(
        "file_safety",
        "Files of safe kinds only",
        "portal",
        "yes_no",
        "higher",
        _ALL,
        "1 when no file of the run is of a kind that can run code when it is opened.",
    ),
    CheckKind(
        "files_bytes",
        "Size of all files",
        "portal",
        "bytes",
        "lower",
        _ALL,
        "Size of all files of the run.",
    ),
)
CHECKS: Mapping[str, CheckKind] = {
    kind.slug: kind
    for kind in (
        *map(_gain, MEASURES.values()),
        *_FAIRNESS,
        *_CALIBRATION,
        *_MISSION,
        *_ROBUSTNESS,
        *_DRIFT,
        *_LEAKAGE,
        *_OTHERS,
        *_PORTAL,
    )
}
PROMISES: Mapping[str, Measure | CheckKind] = {**MEASURES, **CHECKS}


def family_of(slug: str) -> str:
    """Name the family of a measure or check; unknown ones are performance."""
    if slug in CHECKS:
        return CHECKS[slug].family
    return MEASURE_FAMILIES.get(slug, "performance")


def promises_for(task: Task) -> tuple[Measure | CheckKind, ...]:
    """List what may be promised of a model of `task`, in the order to show it."""
    return tuple(found for found in PROMISES.values() if task in found.tasks)
