"""What the verb `train` is told."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from engine.spec.common import LARGEST_SEED, Cost, Spec, check_positive
from engine.spec.decode import require, require_between
from engine.spec.estimator import Scalar, Task
from engine.spec.estimators import ESTIMATORS, complete_parameters


@dataclass(frozen=True)
class Feature:
    """A column the model may look at, and how.

    Attributes:
        kind: `number` keeps magnitudes; `category` compares for equality;
            `date` becomes year, month and day of the week.
    """

    name: str
    kind: Literal["number", "category", "date"]


@dataclass(frozen=True)
class Search:
    """Try several settings by cross-validation and keep the best."""

    trials: int
    folds: int
    method: Literal["random"] = "random"

    def __post_init__(self) -> None:
        require_between(self.trials, 2, 50, "trials")
        require_between(self.folds, 2, 5, "folds")


@dataclass(frozen=True, kw_only=True)
class TrainSpec(Spec):
    """Train one model on `inputs/data.parquet`.

    Attributes:
        positive_label: for a binary target, the value (as text) that counts as
            positive; `None` for other tasks.
        test_ratio: share of rows held out for the final measures.
        cost: chooses the threshold of a binary model; `None` keeps 0.5.
    """

    verb: ClassVar[str] = "train"
    task: Task
    target: str
    features: tuple[Feature, ...]
    estimator: str
    positive_label: str | None = None
    parameters: dict[str, Scalar] = field(default_factory=dict)
    search: Search | None = None
    class_weight: Literal["balanced"] | None = None
    test_ratio: float = 0.2
    seed: int = 0
    cost: Cost | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_features()
        self._check_estimator()
        check_positive(self.task, self.positive_label)
        require_between(self.test_ratio, 0.05, 0.5, "test_ratio")
        require_between(self.seed, 0, LARGEST_SEED, "seed")

    def _check_features(self) -> None:
        names = [feature.name for feature in self.features]
        require(bool(names), "features", "must name at least one column.")
        require(len(names) == len(set(names)), "features", "names a column twice.")
        not_target = self.target not in names
        require(not_target, "features", "must not contain the target; remove it.")

    def _check_estimator(self) -> None:
        complete_parameters(self.estimator, self.parameters)
        estimator = ESTIMATORS[self.estimator]
        fits = self.task in estimator.tasks
        problem = f"{self.estimator} cannot learn a {self.task} target; choose another."
        require(fits, "estimator", problem)
        searchable = self.search is None or any(estimator.searched())
        require(searchable, "search", f"{self.estimator} has nothing to search.")
        weighs = self.class_weight is None or (
            estimator.has_class_weight and self.task != "regression"
        )
        require(weighs, "class_weight", f"{self.estimator} cannot weigh; use null.")
