"""What the verb `ingest` is told."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal

from engine.spec.common import Spec
from engine.spec.contract import Contract
from engine.spec.decode import SpecError, require
from engine.spec.seal import Seal


@dataclass(frozen=True, kw_only=True)
class IngestSpec(Spec):
    """Turn `inputs/original` into typed Parquet with a profile.

    Attributes:
        seal: which rows to put aside; they are not profiled.
        contract: what the table is held against; a broken expectation that blocks
            fails the job.
        uploaded_on: ISO date from which the contract counts how fresh the data is.
    """

    verb: ClassVar[str] = "ingest"
    original_name: str
    format: Literal["csv", "parquet"]
    max_rows: int | None = None
    seal: Seal | None = None
    contract: Contract | None = None
    uploaded_on: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        enough = self.max_rows is None or self.max_rows >= 1
        require(enough, "max_rows", "must be at least 1.")
        if self.contract:
            self.upload_day()

    def upload_day(self) -> date:
        """Return the day of the upload.

        Raises:
            SpecError: it is not given, or not a date.
        """
        try:
            return date.fromisoformat(self.uploaded_on or "")
        except ValueError:
            problem = "must be a date such as 2024-01-31 when there is a contract."
            raise SpecError("uploaded_on", problem) from None
