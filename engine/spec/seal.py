"""Which rows of a table are put aside, for evaluation by workers only."""

from dataclasses import dataclass
from typing import Literal

from engine.spec.common import LARGEST_SEED
from engine.spec.decode import require, require_between

LOWEST_RATIO, HIGHEST_RATIO = 0.01, 0.5


@dataclass(frozen=True, kw_only=True)
class Seal:
    """How rows are chosen; the same table and seal always choose the same rows.

    Attributes:
        method: random rows; the same share of each value of a column; the latest rows
            by a column of dates, times or numbers; or whole groups of a column.
        ratio: share of the rows to put aside. With `time` and `group`, values of the
            column are never parted, so the share is met as nearly as they allow.
        column: whose values count; none for `random`.
        seed: of the choice; `time` needs none and takes no notice of it.
    """

    method: Literal["random", "stratified", "time", "group"]
    ratio: float
    column: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        require_between(self.ratio, LOWEST_RATIO, HIGHEST_RATIO, "ratio")
        require_between(self.seed, 0, LARGEST_SEED, "seed")
        if self.method == "random":
            require(self.column is None, "column", "is not for the method random.")
        else:
            named = bool(self.column)
            require(named, "column", f"must name a column for {self.method}.")
