"""What the verb `train` is told."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, Self

from engine.spec.common import LARGEST_SEED, Cost, Spec, check_positive
from engine.spec.data import Feature, Images, Preprocessing, Split
from engine.spec.decode import Ranges, require, require_ranges
from engine.spec.estimator import Scalar, Task
from engine.spec.estimators import ESTIMATORS, complete_parameters
from engine.spec.measures import measures_for
from engine.spec.search import Search

FEWEST_ROWS = 50
MISSION_COST = "mission_cost"


@dataclass(frozen=True, kw_only=True)
class TrainSpec(Spec):
    """Train one model on `inputs/data.parquet`.

    Attributes:
        task: what kind of target there is to learn.
        target: the column to learn.
        features: the columns to learn from.
        estimator: slug of the kind of model.
        positive_label: for a binary target, the value (as text) that counts as
            positive; null for other tasks.
        parameters: settings of the estimator; what is not named keeps its default.
        search: how to look for better settings; null to take them as they are.
        class_weight: `balanced` gives rare classes more weight; or a weight per class.
        calibration: whether probabilities are corrected, by cross-validation on the
            training rows, to be as frequent as they say.
        objective: the measure by which settings are compared, or `mission_cost`;
            null is the usual one of the task.
        cost: of errors; chooses the threshold of a binary model on the validation
            rows. Null keeps 0.5, or the best by the objective where it depends on it.
        split: how rows are divided.
        test_ratio: share of rows held out for the final measures.
        preprocessing: how columns are prepared.
        images: how pictures become numbers.
        refit: learn once more from training and validation rows together after the
            threshold is chosen; otherwise the model is the one it was chosen for.
        max_rows: rows to read at most; of a larger dataset a sample is drawn by the
            seed, so that data need not fit into memory. Null reads all.
        seed: of everything that is drawn.
    """

    verb: ClassVar[str] = "train"
    RANGES: ClassVar[Ranges] = {
        "threads": (1, 256),
        "test_ratio": (0.05, 0.5),
        "seed": (0, LARGEST_SEED),
        "max_rows": (FEWEST_ROWS, None),
    }
    task: Task
    target: str
    features: tuple[Feature, ...]
    estimator: str
    positive_label: str | None = None
    parameters: dict[str, Scalar] = field(default_factory=dict)
    search: Search | None = None
    class_weight: Literal["balanced"] | dict[str, float] | None = None
    calibration: Literal["none", "sigmoid", "isotonic"] = "none"
    objective: str | None = None
    cost: Cost | None = None
    split: Split = field(default_factory=Split)
    test_ratio: float = 0.2
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    images: Images = field(default_factory=Images)
    refit: bool = False
    max_rows: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_features()
        self._check_estimator()
        self._check_search()
        self._check_classes()
        self._check_objective()
        check_positive(self.task, self.positive_label)
        require_ranges(self)

    def repeating(self, trials_done: int | None) -> Self:
        """Return the spec that repeats a run of this one exactly.

        Args:
            trials_done: what the run's result says; a search with a limit in minutes
                is stopped after as many trials instead.
        """
        if self.search is None or self.search.minutes is None:
            return self
        search = replace(self.search, minutes=None, stop_after=trials_done)
        return replace(self, search=search)

    def _check_features(self) -> None:
        names = [feature.name for feature in self.features]
        require(bool(names), "features", "must name at least one column.")
        require(len(names) == len(set(names)), "features", "names a column twice.")
        not_target = self.target not in names
        require(not_target, "features", "must not contain the target; remove it.")
        by_target = self.split.column == self.target
        require(not by_target, "split.column", "must not be the target.")

    def _check_estimator(self) -> None:
        complete_parameters(self.estimator, self.parameters)
        fits = self.task in ESTIMATORS[self.estimator].tasks
        problem = f"{self.estimator} cannot learn a {self.task} target; choose another."
        require(fits, "estimator", problem)

    def _check_search(self) -> None:
        if self.search is None:
            return
        searchable = any(ESTIMATORS[self.estimator].searched())
        require(searchable, "search", f"{self.estimator} has nothing to search.")
        known = {found.name: found for found in ESTIMATORS[self.estimator].parameters}
        for name, values in self.search.values.items():
            problem = f"is unknown to {self.estimator}; remove it."
            require(name in known, f"search.values.{name}", problem)
            for value in values:
                known[name].check(value, "search.values")

    def _check_classes(self) -> None:
        classifies = self.task != "regression"
        calibrates = self.calibration == "none" or classifies
        require(calibrates, "calibration", "is for classes only; use none.")
        if self.class_weight is None:
            return
        weighs = classifies and ESTIMATORS[self.estimator].has_class_weight
        require(weighs, "class_weight", f"{self.estimator} cannot weigh; use null.")
        if isinstance(self.class_weight, dict):
            positive = all(weight > 0 for weight in self.class_weight.values())
            require(positive, "class_weight", "must hold weights above 0.")
            require(bool(self.class_weight), "class_weight", "must name a class.")

    def _check_objective(self) -> None:
        if self.objective is None:
            return
        known = objectives(self.task)
        problem = f"must be one of {', '.join(known)}."
        require(self.objective in known, "objective", problem)
        costs = self.objective.startswith(MISSION_COST)
        problem = "needs the cost of errors; give cost."
        require(not costs or self.cost is not None, "objective", problem)


def objectives(task: Task) -> list[str]:
    """List what settings can be compared by for `task`."""
    found = [measure.slug for measure in measures_for(task)]
    return [MISSION_COST, *found] if task == "binary" else found
