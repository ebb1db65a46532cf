"""Try several settings by cross-validation on the training rows, keep the best.

The first trial is always the settings as given, so that the best is never worse than
they are. Categories are listed anew in every fold, from its own training rows.
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine import objective, split
from engine.crew import Crew, Task, hire
from engine.estimators import Parameters
from engine.features import Table
from engine.folder import Folder, Json
from engine.settings import Optimiser, settings
from engine.spec import Search, TrainSpec

KEPT = 3  # of so many settings one is kept after a round, with so many times the rows
FEWEST_ROWS_PER_FOLD = 20


@dataclass(frozen=True)
class Trial:
    """One tried setting and its mean score over the folds.

    Attributes:
        rows: of training data that were looked at; in a search by halving not all.
        workers: of the cluster that scored its folds.
    """

    parameters: Parameters
    score: float
    rows: int
    workers: tuple[str, ...] = ()


@dataclass
class Found:
    """What a search came to.

    Attributes:
        planned: how many trials it would have made without a limit in time.
    """

    planned: int
    trials: list[Trial] = field(default_factory=list)

    def best(self, spec: TrainSpec) -> Trial:
        """Return the best of the trials that saw the most rows, the first of equals."""
        most = max(trial.rows for trial in self.trials)
        return _ordered(spec, [t for t in self.trials if t.rows == most])[0]

    def to_json(self, spec: TrainSpec) -> Json:
        """Return plain JSON values: trials in the order begun, the best by number."""
        trials = [
            {
                "parameters": trial.parameters,
                "score": trial.score,
                "rows": trial.rows,
                "workers": list(trial.workers),
            }
            for trial in self.trials
        ]
        best = self.trials.index(self.best(spec)) + 1
        return {"planned": self.planned, "trials": trials, "best": best}


def search(
    spec: TrainSpec, asked: Search, given: Parameters, table: Table, folder: Folder
) -> Found:
    """Score `given` and then other settings on the rows of `table`."""
    with hire(folder) as crew:
        runner = _Runner(spec, asked, folder, crew)
        match asked.method:
            case "tpe":
                runner.ask(given, Optimiser(spec, asked, given), table)
            case "halving":
                runner.halve(settings(spec, asked, given), table)
            case _:
                runner.try_all(settings(spec, asked, given), table)
    found = runner.found
    if len(found.trials) < found.planned:
        folder.log(
            f"Stopped after {len(found.trials)} of {found.planned} trials: the time "
            "of the search was up."
        )
    return found


class _Runner:
    """Makes trials in order, as many at once as the crew has hands for."""

    def __init__(
        self, spec: TrainSpec, asked: Search, folder: Folder, crew: Crew
    ) -> None:
        self._spec, self._asked, self._folder, self._crew = spec, asked, folder, crew
        self._slug = objective.measure(spec)
        self._deadline = math.inf
        if asked.minutes is not None:
            self._deadline = time.monotonic() + asked.minutes * 60
        self.found = Found(asked.trials)

    def try_all(self, wanted: Sequence[Parameters], table: Table) -> None:
        self.found.planned = len(wanted)
        self._take_up(table)
        self._score(wanted, table)

    def halve(self, wanted: Sequence[Parameters], table: Table) -> None:
        sizes = _rounds(len(wanted), len(table), self._asked.folds)
        self.found.planned = sum(sizes)
        for place, size in enumerate(sizes):
            rows = len(table) // KEPT ** (len(sizes) - 1 - place)
            part = table.take(split.sample(table, self._spec, rows))
            self._take_up(part)
            trials = self._score(wanted[:size], part)
            if len(trials) < size:
                break
            wanted = [t.parameters for t in _ordered(self._spec, trials)]

    def ask(self, given: Parameters, optimiser: Optimiser, table: Table) -> None:
        self._take_up(table)
        self._score([given], table)
        for _ in range(self._asked.trials - 1):
            trials = self._score([optimiser.ask()], table)
            if not trials:
                break
            optimiser.tell(trials[0].score)

    def _take_up(self, table: Table) -> None:
        folds = split.folds(table, self._spec, self._asked.folds)
        self._crew.take_up(Task(self._spec, table, folds))

    def _score(self, wanted: Sequence[Parameters], table: Table) -> list[Trial]:
        """Make trials until all are made or the time is up; return those made."""
        made: list[Trial] = []
        while len(made) < len(wanted) and (room := self._room()):
            batch = wanted[len(made) :][: min(room, self._crew.width)]
            for parameters, folds in zip(batch, self._crew.score(batch), strict=True):
                trial = Trial(
                    parameters,
                    _mean([fold.value for fold in folds]),
                    len(table),
                    tuple(fold.worker for fold in folds if fold.worker),
                )
                made.append(trial)
                self._keep(trial)
        return made

    def _room(self) -> int:
        """Return how many trials may still begin now."""
        done = len(self.found.trials)
        if done and time.monotonic() >= self._deadline:
            return 0
        return max((self._asked.stop_after or self.found.planned) - done, 0)

    def _keep(self, trial: Trial) -> None:
        self.found.trials.append(trial)
        number, total = len(self.found.trials), self.found.planned
        self._folder.progress(0.1 + 0.5 * number / total, f"Trial {number} of {total}")
        self._folder.metric(f"search.{self._slug}", number, trial.score)
        tried = ", ".join(f"{key} {value}" for key, value in trial.parameters.items())
        by = f" by {', '.join(sorted(set(trial.workers)))}" if trial.workers else ""
        self._folder.log(
            f"Trial {number}{by}: {self._slug} {trial.score:.4f} with {tried}."
        )


def _mean(scores: Sequence[float]) -> float:
    """Average what could be scored; the same folds cannot be in every trial."""
    known = [score for score in scores if not math.isnan(score)]
    return float(np.mean(known)) if known else math.nan


def _ordered(spec: TrainSpec, trials: Sequence[Trial]) -> list[Trial]:
    """Put the best first; equals stay in the order they were made."""
    return sorted(trials, key=lambda trial: objective.rank(spec, trial.score))


def _rounds(settings: int, rows: int, folds: int) -> list[int]:
    """Return how many settings each round of a search by halving tries."""
    by_settings = math.log(settings, KEPT)
    by_rows = math.log(max(rows / (folds * FEWEST_ROWS_PER_FOLD), 1), KEPT)
    count = 1 + int(min(by_settings, by_rows) + 1e-9)
    return [max(settings // KEPT**place, 1) for place in range(count)]


def history(spec: TrainSpec, found: Found) -> Iterator[Json]:
    """Yield the scores of the trials as points of a chart."""
    for step, trial in enumerate(found.trials, start=1):
        yield {
            "key": f"search.{objective.measure(spec)}",
            "step": step,
            "value": trial.score,
        }
