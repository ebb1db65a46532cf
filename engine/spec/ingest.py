"""What the verb `ingest` is told."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from engine.spec.common import Spec
from engine.spec.decode import require
from engine.spec.seal import Seal


@dataclass(frozen=True, kw_only=True)
class IngestSpec(Spec):
    """Turn `inputs/original` into typed Parquet with a profile.

    Attributes:
        seal: which rows to put aside; they are not profiled.
    """

    verb: ClassVar[str] = "ingest"
    original_name: str
    format: Literal["csv", "parquet"]
    max_rows: int | None = None
    seal: Seal | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        enough = self.max_rows is None or self.max_rows >= 1
        require(enough, "max_rows", "must be at least 1.")
