"""What there is to say about one kind of model and its settings."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from engine.spec.decode import SpecError, require, require_between

Task = Literal["binary", "multiclass", "regression"]
Scalar = int | float | str


@dataclass(frozen=True)
class Parameter:
    """One setting of an estimator.

    Attributes:
        kind: `choice` takes one of `choices`; the others lie in
            `minimum`..`maximum`, both included.
        is_searched: a search draws values for it, evenly on a logarithmic scale
            when `is_log`.
        docs: where the library describes it; empty where its estimator's page does.
    """

    name: str
    title: str
    help: str
    kind: Literal["integer", "number", "choice"]
    default: Scalar
    minimum: float = 0.0
    maximum: float = 0.0
    choices: tuple[str, ...] = ()
    is_searched: bool = True
    is_log: bool = False
    docs: str = ""

    def check(self, value: Scalar, where: str = "parameters") -> Scalar:
        """Return `value` in this parameter's own type.

        Raises:
            SpecError: wrong type, out of range, or not among the choices.
        """
        field = f"{where}.{self.name}"
        if self.kind == "choice":
            problem = f"must be one of {', '.join(self.choices)}."
            require(value in self.choices, field, problem)
            return value
        kinds = (int,) if self.kind == "integer" else (int, float)
        problem = f"must be a {'whole ' * (self.kind == 'integer')}number."
        if isinstance(value, str) or type(value) not in kinds:
            raise SpecError(field, problem)
        require_between(value, self.minimum, self.maximum, field)
        return value if self.kind == "integer" else float(value)


@dataclass(frozen=True)
class Estimator:
    """One kind of model.

    Attributes:
        tasks: the tasks it can learn.
        docs: where the library describes it.
        has_class_weight: it can weigh rare classes up.
        needs_calibration: it scores without probabilities, so that they are always
            made by calibration.
        most_rows: with more rows to learn from it would take hours; null is no limit.
    """

    slug: str
    title: str
    help: str
    tasks: tuple[Task, ...]
    docs: str
    parameters: tuple[Parameter, ...] = ()
    has_class_weight: bool = False
    needs_calibration: bool = False
    most_rows: int | None = None

    def searched(self) -> Iterator[Parameter]:
        """Yield the parameters that a search draws values for."""
        return (parameter for parameter in self.parameters if parameter.is_searched)


CLASSIFICATION: tuple[Task, ...] = ("binary", "multiclass")
REGRESSION: tuple[Task, ...] = ("regression",)
ALL_TASKS: tuple[Task, ...] = (*CLASSIFICATION, *REGRESSION)
