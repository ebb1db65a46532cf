"""Which settings of an estimator a search tries."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from engine import objective
from engine.estimators import Parameters
from engine.folder import EngineError
from engine.spec import ESTIMATORS, MEASURES, Parameter, Scalar, Search, TrainSpec


@dataclass(frozen=True)
class Dimension:
    """One parameter that is searched: among `values`, or over its range."""

    parameter: Parameter
    values: tuple[Scalar, ...]

    def draw(self, rng: np.random.Generator) -> Scalar:
        """Draw one value."""
        if self.values:
            return self.values[rng.integers(len(self.values))]
        return self.at(rng.uniform())

    def at(self, ratio: float) -> Scalar:
        """Return the value at a place of the range, 0 to 1."""
        low, high = self.parameter.minimum, self.parameter.maximum
        if self.parameter.is_log:
            value = math.exp(math.log(low) + ratio * math.log(high / low))
        else:
            value = low + ratio * (high - low)
        return self.plain(min(max(value, low), high))

    def plain(self, value: float) -> Scalar:
        """Round to what people read: whole, or four digits."""
        is_whole = self.parameter.kind == "integer"
        return round(value) if is_whole else float(f"{value:.4g}")

    def points(self, count: int) -> list[Scalar]:
        """Return all values, or `count` of the range, evenly spaced."""
        if self.values:
            return list(self.values)
        places = np.linspace(0, 1, count + 2)[1:-1]  # the ends are rarely good
        return list(dict.fromkeys(self.at(float(place)) for place in places))


def dimensions(
    slug: str, values: Mapping[str, tuple[Scalar, ...]]
) -> tuple[Dimension, ...]:
    """Return what is searched: the parameters named, else all that are searched."""
    found = []
    for parameter in ESTIMATORS[slug].parameters:
        if parameter.name in values:
            listed = tuple(parameter.check(value) for value in values[parameter.name])
            found.append(Dimension(parameter, listed))
        elif not values and parameter.is_searched:
            found.append(Dimension(parameter, parameter.choices))
    return tuple(found)


def settings(spec: TrainSpec, asked: Search, given: Parameters) -> list[Parameters]:
    """List the settings to try, `given` first."""
    space = dimensions(spec.estimator, asked.values)
    rng = np.random.default_rng(spec.seed)
    if asked.method == "grid":
        others = _grid(space, asked.trials, rng)
    else:
        others = [
            {found.parameter.name: found.draw(rng) for found in space}
            for _ in range(asked.trials - 1)
        ]
    merged = [given | other for other in others]
    if asked.method == "grid":
        merged = [other for other in merged if other != given]
    return [given, *merged][: asked.trials]


def _grid(
    space: Sequence[Dimension], most: int, rng: np.random.Generator
) -> list[Parameters]:
    """Return all combinations of evenly spaced values, or `most` of them drawn."""
    fixed = math.prod(len(found.values) for found in space if found.values)
    ranges = sum(1 for found in space if not found.values)
    count = int((most / fixed) ** (1 / ranges) + 1e-9) if ranges else 0
    axes = [found.points(max(count, 2)) for found in space]
    names = [found.parameter.name for found in space]
    every = [dict(zip(names, point, strict=True)) for point in itertools.product(*axes)]
    if len(every) <= most:
        return every
    return [every[place] for place in np.sort(rng.permutation(len(every))[:most])]


class Optimiser:
    """Learns from the trials before where to look next.

    The study is held in memory and draws by the spec's seed.

    Raises:
        EngineError: the optional library is not installed.
    """

    def __init__(self, spec: TrainSpec, asked: Search, given: Parameters) -> None:
        try:
            optuna = import_module("optuna")
        except ImportError as error:
            raise EngineError(
                "The search method tpe needs optuna, which is not installed here; ask "
                'an administrator for the extra "tune", or use another method.'
            ) from error
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        better = MEASURES[objective.measure(spec)].better
        self._study = optuna.create_study(
            direction="maximize" if better == "higher" else "minimize",
            sampler=optuna.samplers.TPESampler(seed=spec.seed),
        )
        self._failed = optuna.trial.TrialState.FAIL
        self._given = given
        self._space = dimensions(spec.estimator, asked.values)
        self._trial: Any = None

    def ask(self) -> Parameters:
        """Return the settings to try next."""
        self._trial = self._study.ask()
        return self._given | dict(self._suggested())

    def tell(self, score: float) -> None:
        """Take in how the settings last asked for did."""
        if math.isfinite(score):
            self._study.tell(self._trial, score)
        else:
            self._study.tell(self._trial, state=self._failed)

    def _suggested(self) -> Iterator[tuple[str, Scalar]]:
        for found in self._space:
            parameter = found.parameter
            span = (parameter.name, parameter.minimum, parameter.maximum)
            if found.values:
                chosen = self._trial.suggest_categorical(parameter.name, found.values)
            elif parameter.kind == "integer":
                low, high = int(parameter.minimum), int(parameter.maximum)
                chosen = self._trial.suggest_int(
                    parameter.name, low, high, log=parameter.is_log
                )
            else:
                drawn = self._trial.suggest_float(*span, log=parameter.is_log)
                chosen = found.plain(drawn)
            yield parameter.name, chosen
