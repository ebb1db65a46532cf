"""What pages and the API show of datasets, and what a worker needs to read one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.template.defaultfilters import filesizeformat

from apps.core import blobs
from apps.core.errors import Invalid
from apps.datasets.models import Dataset, DatasetContent, DatasetVersion
from engine.spec import IngestSpec, Limits

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from uuid import UUID


LARGEST_FILE_BYTES = 16 * 1024**3
HEAVY_FIELDS = ("log_tail", "columns", "profile", "failure_details")


def prepare_ingest(version: DatasetVersion, folder: Path) -> dict[str, Any]:
    """Put the uploaded file into the job folder and describe the job to the engine."""
    blobs.copy_to(version.original_sha256, folder / "inputs" / "original")
    spec = IngestSpec(
        original_name=version.original_name,
        format=version.format,  # type: ignore[arg-type]  # the field's choices
        threads=settings.JOB_THREADS,
        limits=Limits(
            memory_bytes=settings.JOB_MEMORY_BYTES,
            cpu_seconds=settings.JOB_WALL_SECONDS,
            file_bytes=LARGEST_FILE_BYTES,
        ),
    )
    return spec.to_json()


def latest_versions(datasets: Iterable[Dataset]) -> dict[UUID, DatasetVersion]:
    """Find the newest version of each dataset, in one query."""
    versions = (
        DatasetVersion.objects.filter(dataset__in=[dataset.pk for dataset in datasets])
        .order_by("dataset_id", "-number")
        .distinct("dataset_id")
        .defer(*HEAVY_FIELDS)
    )
    return {version.dataset_id: version for version in versions}


def key_figures(version: DatasetVersion) -> list[dict[str, str]]:
    """Say in four numbers how large a version is, and how complete."""
    profiled = version.profile.get("columns", [])
    cells = (version.row_count or 0) * len(profiled)
    missing = sum(column["missing"] for column in profiled)
    return [
        {"label": "Rows", "value": f"{version.row_count or 0:,}"},
        {"label": "Columns", "value": f"{len(profiled):,}"},
        {
            "label": "Values missing",
            "value": f"{missing / cells:.1%}" if cells else "–",
            "detail": f"{missing:,} of {cells:,}",
        },
        {
            "label": "Size as Parquet",
            "value": filesizeformat(version.parquet_bytes or 0),
            "detail": f"{filesizeformat(version.original_bytes)} as uploaded",
        },
    ]


@dataclass(frozen=True)
class ColumnCard:
    """One column as people look at it.

    Args:
        name: of the column.
        type: boolean, integer, number, text, date or timestamp.
        missing_ratio: share of rows without a value, 0 to 1.
        distinct: how many different values.
        counts: rows per bin of the histogram; empty when it has none.
        top: the commonest values, each with its share of all rows.
        facts: name and value of what else is known.
    """

    name: str
    type: str
    missing_ratio: float
    distinct: int
    counts: list[int]
    top: list[dict[str, Any]]
    facts: list[tuple[str, Any]]


MOST_TOP_VALUES = 5
_FACTS = (
    ("Lowest", "min"),
    ("Highest", "max"),
    ("Mean", "mean"),
    ("Standard deviation", "std"),
)


def column_cards(version: DatasetVersion) -> list[ColumnCard]:
    """Turn the profile of a version into what its page draws."""
    rows = version.row_count or 1
    return [
        ColumnCard(
            name=column["name"],
            type=column["type"],
            missing_ratio=column["missing"] / rows,
            distinct=column["distinct"],
            counts=(column["histogram"] or {}).get("counts", []),
            top=[
                {**value, "ratio": value["count"] / rows}
                for value in column["top"][:MOST_TOP_VALUES]
            ],
            facts=_facts(column),
        )
        for column in version.profile.get("columns", [])
    ]


def _facts(column: dict[str, Any]) -> list[tuple[str, Any]]:
    known = [(label, column[key]) for label, key in _FACTS if column[key] is not None]
    median = (column["quantiles"] or {}).get("0.5")
    return known if median is None else [*known[:1], ("Median", median), *known[1:]]


def content_named(name: str | None) -> DatasetContent:
    """Read which file is asked for; the original when nothing is said.

    Raises:
        Invalid: there is no such file.
    """
    try:
        return DatasetContent(name or DatasetContent.ORIGINAL)
    except ValueError as error:
        sentence = f"format is one of {', '.join(DatasetContent.values)}."
        raise Invalid(sentence, fields={"format": sentence}) from error


def failure_places(version: DatasetVersion) -> list[dict[str, Any]]:
    """List where the file is wrong: row, column, message and text.

    Other details of a failure are for operators and stay on the row.
    """
    return [
        place
        for place in version.failure_details
        if isinstance(place, dict) and "message" in place
    ]
