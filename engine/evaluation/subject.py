"""What the families of checks look at."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import duckdb
import numpy as np

from engine.evaluation.shape import NotTested
from engine.features import Table
from engine.folder import EngineError, Folder, Json
from engine.intervals import Interval
from engine.measures import Floats, Outcomes
from engine.objective import USUAL
from engine.package import Signature
from engine.predictions import Model, asking, compared_with, predict
from engine.spec import MEASURES, EvaluateSpec

MOST_ROWS = 20_000
FEWEST_ROWS = 200
MOST_COMPARISONS = 500_000_000  # of rows with rows, in one prediction


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model, the rows it is judged on and what was found so far.

    Attributes:
        path: the file of the rows, in the folder.
        model_file: the file of the model, in the folder.
    """

    spec: EvaluateSpec
    folder: Folder
    database: duckdb.DuckDBPyConnection
    path: Path
    model: Model
    model_file: Path
    signature: Signature
    table: Table
    outcomes: Outcomes
    values: dict[str, float]
    intervals: dict[str, Interval]
    subgroups: list[Json]
    champion: Json | None
    importance: list[Json]

    @property
    def main(self) -> str:
        """The slug of the task's usual measure."""
        return USUAL[self.spec.task]

    @property
    def main_title(self) -> str:
        """The name of the task's usual measure."""
        return MEASURES[self.main].title

    @cached_property
    def sample(self) -> tuple[Table, Outcomes]:
        """At most `MOST_ROWS` rows drawn by the seed, for predicting again."""
        each = max(compared_with(self.model), 1)
        most = max(min(MOST_ROWS, MOST_COMPARISONS // each), FEWEST_ROWS)
        rng = np.random.default_rng(self.spec.seed)
        picked = np.sort(rng.permutation(len(self.table))[:most])
        return self.table.take(picked), self.outcomes.take(picked)

    @property
    def sampled_words(self) -> str:
        """Say on how many rows the model was asked again."""
        drawn, all_rows = len(self.sample[0]), len(self.table)
        if drawn == all_rows:
            return f"on all {all_rows:,} rows"
        return f"on {drawn:,} of {all_rows:,} rows, drawn by seed {self.spec.seed}"

    def scores(self, table: Table) -> Floats:
        """Ask the model again.

        Raises:
            NotTested: it cannot answer such rows.
        """
        try:
            return predict(self.model, table, self.spec.positive_label)
        except (ValueError, EngineError) as error:
            reason = str(error).splitlines()[0][:200]
            raise NotTested(f"The model refuses the changed rows: {reason}") from error

    def asking(self, table: Table) -> Callable[[], object]:
        """Return what asks the model for these rows once more, to be timed."""
        return asking(self.model, table)

    @property
    def takes_columns(self) -> bool:
        """Whether the model takes anything but pictures."""
        return bool(self.table.layout.positions)

    def main_value(self, outcomes: Outcomes, scores: Floats) -> float:
        """Measure other scores for the same rows by the main measure."""
        return replace(outcomes, scores=scores).values()[self.main]
