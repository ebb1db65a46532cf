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

    def check(self, value: Scalar) -> Scalar:
        """Return `value` in this parameter's own type.

        Raises:
            SpecError: wrong type, out of range, or not among the choices.
        """
        field = f"parameters.{self.name}"
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
        has_class_weight: it can weigh rare classes up.
    """

    slug: str
    title: str
    help: str
    tasks: tuple[Task, ...]
    parameters: tuple[Parameter, ...] = ()
    has_class_weight: bool = False

    def searched(self) -> Iterator[Parameter]:
        """Yield the parameters that a search draws values for."""
        return (parameter for parameter in self.parameters if parameter.is_searched)


CLASSIFICATION: tuple[Task, ...] = ("binary", "multiclass")
ALL_TASKS: tuple[Task, ...] = (*CLASSIFICATION, "regression")
