"""What the verb `compare` is told."""

from dataclasses import dataclass
from typing import ClassVar

from engine.spec.common import Spec
from engine.spec.decode import require, require_between


@dataclass(frozen=True, kw_only=True)
class CompareSpec(Spec):
    """Say what changed from `inputs/before.parquet` to `inputs/after.parquet`.

    Attributes:
        key: columns that tell rows apart; none compares whole rows.
        examples: how many changed rows to show.
        same_groups: positions of row groups whose fingerprints are the same in both;
            their rows need no comparing.
    """

    verb: ClassVar[str] = "compare"
    most_examples: ClassVar[int] = 1000
    key: tuple[str, ...] = ()
    examples: int = 100
    same_groups: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        differ = len(set(self.key)) == len(self.key)
        require(differ, "key", "must not name a column twice.")
        require_between(self.examples, 0, self.most_examples, "examples")
