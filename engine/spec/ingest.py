"""What the verb `ingest` is told."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal

from engine.spec.common import Spec
from engine.spec.contract import Contract
from engine.spec.decode import SpecError, require
from engine.spec.seal import Seal

# What the end of a file's name says about its content.
FORMAT_ENDINGS = {
    "csv": "csv",
    "tsv": "tsv",
    "tab": "tsv",
    "parquet": "parquet",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "arrow": "arrow",
    "arrows": "arrow",
    "feather": "arrow",
    "zip": "images",
}
COMPRESSION_ENDINGS = {"gz": "gzip", "zst": "zstd", "bz2": "bzip2", "xz": "xz"}
_TEXT_FORMATS = ("csv", "tsv", "jsonl")
GIBIBYTE = 1024**3


@dataclass(frozen=True, kw_only=True)
class IngestSpec(Spec):
    """Turn `inputs/original` into typed Parquet with a profile.

    Attributes:
        original_name: as the sender called the file; errors name it.
        compression: what csv, tsv and jsonl are packed with.
        max_rows: refuse more.
        max_unpacked_bytes: refuse an archive or packed file that holds more.
        largest_side: pixels; a larger image is scaled down to it.
        seal: which rows to put aside; they are not profiled.
        contract: what the table is held against; a broken expectation that blocks
            fails the job.
        uploaded_on: ISO date from which the contract counts how fresh the data is.
    """

    verb: ClassVar[str] = "ingest"
    original_name: str
    format: Literal["csv", "tsv", "parquet", "jsonl", "arrow", "images"]
    compression: Literal["none", "gzip", "zstd", "bzip2", "xz"] = "none"
    max_rows: int | None = None
    max_unpacked_bytes: int = 16 * GIBIBYTE
    largest_side: int = 512
    seal: Seal | None = None
    contract: Contract | None = None
    uploaded_on: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        enough = self.max_rows is None or self.max_rows >= 1
        require(enough, "max_rows", "must be at least 1.")
        plain = self.compression == "none" or self.format in _TEXT_FORMATS
        require(plain, "compression", f"is for {', '.join(_TEXT_FORMATS)} only.")
        enough = self.max_unpacked_bytes >= 1
        require(enough, "max_unpacked_bytes", "must be at least 1.")
        require(self.largest_side >= 1, "largest_side", "must be at least 1.")
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

    @property
    def is_packed(self) -> bool:
        """Whether the file is unpacked before it is read."""
        return self.compression != "none"


def format_of(name: str) -> tuple[str, str] | None:
    """Read format and compression from the end of a file's name.

    Returns:
        Such as `("csv", "gzip")` for `strikes.csv.gz`; `None` when it says nothing.
    """
    stem, _, ending = name.lower().rpartition(".")
    compression = COMPRESSION_ENDINGS.get(ending, "none")
    if compression != "none":
        stem, _, ending = stem.rpartition(".")
    kind = FORMAT_ENDINGS.get(ending, "")
    packable = compression == "none" or kind in _TEXT_FORMATS
    return (kind, compression) if stem and kind and packable else None
