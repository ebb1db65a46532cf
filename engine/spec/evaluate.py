"""What the verb `evaluate` is told."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from engine.spec.common import LARGEST_SEED, Cost, Spec, check_positive
from engine.spec.decode import require, require_between
from engine.spec.estimator import Task


@dataclass(frozen=True)
class Criterion:
    """A promise made before results are known: `measure operator threshold`."""

    measure: str
    operator: Literal[">=", "<="]
    threshold: float
    blocking: bool = True


@dataclass(frozen=True)
class Fact:
    """What the portal knew when the report was asked for, judged like any figure.

    Attributes:
        slug: of a check of the family `portal`.
        value: in the unit of the check; `None` is not tested.
        reason: why it was not tested, or what the value rests on.
        source: what was looked at, such as the address of a page.
        digest: SHA-256 of the source, as 64 hexadecimal digits, where it has one.
    """

    slug: str
    value: float | None
    reason: str = ""
    source: str = ""
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class EvaluateSpec(Spec):
    """Judge `inputs/model.skops`, or `model.onnx`, on `inputs/test.parquet`.

    Attributes:
        threshold: probability from which a row counts as positive; `None` takes
            the signature's.
        min_group_size: groups with fewer rows are marked small.
        facts: of the portal.
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
    facts: tuple[Fact, ...] = ()
    confidence: float = 0.95
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self.task, self.positive_label)
        if self.threshold is not None:
            require_between(self.threshold, 0, 1, "threshold")
        require(self.min_group_size >= 1, "min_group_size", "must be at least 1.")
        require_between(self.confidence, 0.5, 0.999, "confidence")
        require_between(self.resamples, 100, 10_000, "resamples")
        require_between(self.seed, 0, LARGEST_SEED, "seed")
