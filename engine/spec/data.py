"""How a training reads, divides and prepares its rows."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from engine.spec.decode import Ranges, require, require_ranges

Kind = Literal["number", "category", "date", "text", "image"]


@dataclass(frozen=True)
class Feature:
    """A column the model may look at, and how.

    Attributes:
        kind: `number` keeps magnitudes; `category` compares for equality; `date`
            becomes year, month and day of the week; `text` becomes counts of its
            words in numbered buckets; `image` becomes pixels or a summary of them.
    """

    name: str
    kind: Kind


@dataclass(frozen=True)
class Split:
    """How rows are divided into training, validation and test parts.

    Attributes:
        method: `random` keeps the shares of the classes; `time` learns from the past
            and is tested on the future; `group` keeps all rows of a group together.
        column: orders the rows by time, or names their groups; null for `random`.
        validation_ratio: share of the rows that are not test rows.
    """

    RANGES: ClassVar[Ranges] = {"validation_ratio": (0.05, 0.5)}
    method: Literal["random", "time", "group"] = "random"
    column: str | None = None
    validation_ratio: float = 0.2

    def __post_init__(self) -> None:
        if self.method == "random":
            require(self.column is None, "column", "is for time and group; use null.")
        else:
            problem = f"must name the column to divide by {self.method} with."
            require(bool(self.column), "column", problem)
        require_ranges(self)


@dataclass(frozen=True)
class Preprocessing:
    """How columns are prepared for the estimator.

    Attributes:
        missing: what stands in for a missing number, learned from the training rows;
            `auto` is the median, or nothing for boosted trees, which have a branch
            for missing numbers. `constant` is 0. A missing category is a category of
            its own.
        categories: `one_hot` is a column per value, `ordinal` one number per value;
            `auto` is `ordinal` for trees and `one_hot` for others. Values not seen
            in the training rows are treated as unknown.
        scale: `standard` gives each number mean 0 and deviation 1; `auto` does so for
            all but trees.
        text_buckets: into how many numbers a text is counted.
    """

    RANGES: ClassVar[Ranges] = {"text_buckets": (8, 4096)}
    missing: Literal["auto", "median", "mean", "most_frequent", "constant"] = "auto"
    categories: Literal["auto", "one_hot", "ordinal"] = "auto"
    scale: Literal["auto", "none", "standard"] = "auto"
    text_buckets: int = 128

    def __post_init__(self) -> None:
        require_ranges(self)


@dataclass(frozen=True)
class Images:
    """How a picture becomes numbers.

    Attributes:
        method: `pixels` is the picture in grey, shrunk to a square; `summary` is
            brightness and contrast, histograms of the colours and the directions of
            the edges.
        size: width and height in pixels to which pictures are shrunk first.
    """

    RANGES: ClassVar[Ranges] = {"size": (4, 64)}
    method: Literal["pixels", "summary"] = "pixels"
    size: int = 16

    def __post_init__(self) -> None:
        require_ranges(self)
