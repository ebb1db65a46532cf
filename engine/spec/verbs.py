"""One spec per verb of the engine: what the portal writes into `spec.json`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal, Self

from engine.spec.decode import decode, require, require_between
from engine.spec.estimator import Scalar, Task
from engine.spec.estimators import ESTIMATORS, complete_parameters

MEBIBYTE = 1024 * 1024
LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class Limits:
    """What a job may use at most; `None` is no limit.

    Attributes:
        memory_bytes: what the process may allocate; a small training needs 400 MiB.
        cpu_seconds: processor time over all threads.
        file_bytes: size of any one file it writes.
        wall_seconds: time until the process group is killed; kept by the portal.
    """

    memory_bytes: int | None = None
    cpu_seconds: int | None = None
    file_bytes: int | None = None
    wall_seconds: int | None = None

    def __post_init__(self) -> None:
        memory, cpu, file = self.memory_bytes, self.cpu_seconds, self.file_bytes
        enough = memory is None or memory >= 512 * MEBIBYTE
        require(
            enough, "memory_bytes", "must be at least 512 MiB; libraries need that."
        )
        require(cpu is None or cpu >= 1, "cpu_seconds", "must be at least 1.")
        enough = file is None or file >= MEBIBYTE
        require(enough, "file_bytes", "must be at least 1 MiB.")
        enough = self.wall_seconds is None or self.wall_seconds >= 1
        require(enough, "wall_seconds", "must be at least 1.")


@dataclass(frozen=True)
class Cost:
    """What each kind of error costs the mission, in the mission's own unit."""

    false_alarm: float
    miss: float

    def __post_init__(self) -> None:
        require(self.false_alarm >= 0, "false_alarm", "must not be negative.")
        require(self.miss >= 0, "miss", "must not be negative.")
        some = self.false_alarm + self.miss > 0
        require(some, "miss", "must be above 0 when a false alarm costs nothing.")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What every verb has in common.

    Attributes:
        threads: how many the numerical libraries may use; part of the spec because
            the last digits of a sum can depend on it.
    """

    verb: ClassVar[str]
    threads: int = 1
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        require_between(self.threads, 1, 256, "threads")

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Build the spec from parsed JSON.

        Raises:
            SpecError: a field is missing, unknown or wrong; names it and the fix.
        """
        spec: Self = decode(cls, data)
        return spec

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; `from_json` of them gives an equal spec."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain


@dataclass(frozen=True, kw_only=True)
class IngestSpec(Spec):
    """Turn `inputs/original` into typed Parquet with a profile."""

    verb: ClassVar[str] = "ingest"
    original_name: str
    format: Literal["csv", "parquet"]
    max_rows: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        enough = self.max_rows is None or self.max_rows >= 1
        require(enough, "max_rows", "must be at least 1.")


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
        _check_positive(self.task, self.positive_label)
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


@dataclass(frozen=True)
class Criterion:
    """A promise made before results are known: `measure operator threshold`."""

    measure: str
    operator: Literal[">=", "<="]
    threshold: float
    blocking: bool = True


@dataclass(frozen=True, kw_only=True)
class EvaluateSpec(Spec):
    """Judge `inputs/model.skops` on `inputs/test.parquet`.

    Attributes:
        threshold: probability from which a row counts as positive; `None` takes
            the signature's.
        min_group_size: groups with fewer rows are marked small.
        baseline_cost_per_1000: what 1,000 cases cost today, in the mission's unit.
        confidence: of the intervals, as a ratio.
        resamples: draws behind an interval.
    """

    verb: ClassVar[str] = "evaluate"
    task: Task
    target: str
    positive_label: str | None = None
    threshold: float | None = None
    subgroup_columns: tuple[str, ...] = ()
    min_group_size: int = 30
    cost: Cost | None = None
    baseline_cost_per_1000: float | None = None
    criteria: tuple[Criterion, ...] = ()
    confidence: float = 0.95
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_positive(self.task, self.positive_label)
        if self.threshold is not None:
            require_between(self.threshold, 0, 1, "threshold")
        require(self.min_group_size >= 1, "min_group_size", "must be at least 1.")
        require_between(self.confidence, 0.5, 0.999, "confidence")
        require_between(self.resamples, 100, 10_000, "resamples")
        require_between(self.seed, 0, LARGEST_SEED, "seed")


def _check_positive(task: Task, label: str | None) -> None:
    if task == "binary":
        named = label is not None
        require(named, "positive_label", "must name the value that counts as positive.")
    else:
        require(
            label is None, "positive_label", "is for binary targets only; use null."
        )


SPECS: Mapping[str, type[Spec]] = {
    spec.verb: spec for spec in (IngestSpec, TrainSpec, EvaluateSpec)
}
