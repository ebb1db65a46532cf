"""How a training looks for good settings."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from engine.spec.decode import Ranges, require, require_ranges
from engine.spec.estimator import Scalar


@dataclass(frozen=True)
class Search:
    """Try several settings by cross-validation on the training rows, keep the best.

    Attributes:
        trials: settings to try at most.
        folds: parts of the training rows, each held out once per trial.
        method: `random` draws settings, `grid` walks over evenly spaced ones,
            `halving` drops the worse two thirds after each round and gives the rest
            three times the rows, `tpe` learns from the trials before where to look.
        minutes: no trial begins later than this after the first; null for no limit.
            How many were tried then depends on the machine, and is in the result.
        values: the values to try of the parameters named here; the others stay as
            given. When none is named, every searched parameter is drawn from its range.
        stop_after: stop when so many trials are done, whatever was planned: repeats a
            search that ran out of time.
    """

    RANGES: ClassVar[Ranges] = {
        "trials": (2, 500),
        "folds": (2, 10),
        "minutes": (0.01, 10_080),
        "stop_after": (1, None),
    }
    trials: int = 10
    folds: int = 3
    method: Literal["random", "grid", "halving", "tpe"] = "random"
    minutes: float | None = None
    values: dict[str, tuple[Scalar, ...]] = field(default_factory=dict)
    stop_after: int | None = None

    def __post_init__(self) -> None:
        require_ranges(self)
        for name, values in self.values.items():
            require(bool(values), f"values.{name}", "must list at least one value.")
