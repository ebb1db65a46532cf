"""The measures a model is judged by, in words fit for a form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engine.spec.estimator import CLASSIFICATION, Task

_BINARY: tuple[Task, ...] = ("binary",)
_MULTICLASS: tuple[Task, ...] = ("multiclass",)
_REGRESSION: tuple[Task, ...] = ("regression",)


@dataclass(frozen=True)
class Measure:
    """One way to say how good predictions are.

    Attributes:
        better: which direction is an improvement.
        unit: `ratio` (0 to 1), `cost` (the mission's own unit) or
            `target` (the unit of the predicted column).
    """

    slug: str
    title: str
    tasks: tuple[Task, ...]
    better: Literal["higher", "lower"]
    unit: Literal["ratio", "cost", "target"]
    help: str

    @property
    def sentence(self) -> str:
        """What it says, under the name that checks have for it."""
        return self.help


# Mission before metric: where measures are listed, this is their order.
_CATALOGUE = (
    Measure(
        "mission_cost_per_1000",
        "Mission cost per 1,000 cases",
        _BINARY,
        "lower",
        "cost",
        "What false alarms and misses cost in 1,000 cases.",
    ),
    Measure(
        "roc_auc",
        "Area under the ROC curve",
        _BINARY,
        "higher",
        "ratio",
        "How often a random positive row scores above a random negative one.",
    ),
    Measure(
        "average_precision",
        "Average precision",
        _BINARY,
        "higher",
        "ratio",
        "Precision averaged over all recall levels; compare with the positive rate.",
    ),
    Measure(
        "accuracy",
        "Accuracy",
        CLASSIFICATION,
        "higher",
        "ratio",
        "The share of rows answered correctly.",
    ),
    Measure(
        "balanced_accuracy",
        "Balanced accuracy",
        CLASSIFICATION,
        "higher",
        "ratio",
        "The share answered correctly, averaged over the classes.",
    ),
    Measure(
        "macro_f1",
        "Macro F1",
        _MULTICLASS,
        "higher",
        "ratio",
        "F1 averaged over the classes, each counting the same.",
    ),
    Measure(
        "precision",
        "Precision",
        _BINARY,
        "higher",
        "ratio",
        "The share of alarms that were right.",
    ),
    Measure(
        "recall",
        "Recall",
        _BINARY,
        "higher",
        "ratio",
        "The share of positive rows that were found.",
    ),
    Measure(
        "specificity",
        "Specificity",
        _BINARY,
        "higher",
        "ratio",
        "The share of negative rows that were left alone.",
    ),
    Measure(
        "f1",
        "F1",
        _BINARY,
        "higher",
        "ratio",
        "The harmonic mean of precision and recall.",
    ),
    Measure(
        "brier",
        "Brier score",
        _BINARY,
        "lower",
        "ratio",
        "The mean squared gap between probability and outcome.",
    ),
    Measure(
        "calibration_error",
        "Expected calibration error",
        _BINARY,
        "lower",
        "ratio",
        "The mean gap between stated probability and observed frequency.",
    ),
    Measure(
        "rmse",
        "Root mean squared error",
        _REGRESSION,
        "lower",
        "target",
        "The typical size of an error; large errors count more.",
    ),
    Measure(
        "mae",
        "Mean absolute error",
        _REGRESSION,
        "lower",
        "target",
        "The average size of an error.",
    ),
    Measure(
        "r2",
        "Explained variance (R²)",
        _REGRESSION,
        "higher",
        "ratio",
        "The share of the target's variation that is predicted; 0 is no better than "
        "the mean.",
    ),
)

MEASURES: Mapping[str, Measure] = {found.slug: found for found in _CATALOGUE}


def measures_for(task: Task) -> tuple[Measure, ...]:
    """List the measures that apply to `task`, in the order to show them."""
    return tuple(found for found in _CATALOGUE if task in found.tasks)
