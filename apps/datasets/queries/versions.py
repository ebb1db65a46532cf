"""What pages and the API show of versions, and what a worker needs to read one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models.fields.json import KT
from django.template.defaultfilters import filesizeformat

from apps.core.errors import Invalid
from apps.core.templatetags.portal import ratio
from apps.datasets.models import Dataset, DatasetContent, DatasetVersion
from apps.datasets.queries.contracts import newest_revision
from engine.spec import IngestSpec, Limits, Seal, format_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from uuid import UUID

    from django.db.models import QuerySet

    from apps.datasets.models import SealedPart
    from engine.spec import Contract


LARGEST_FILE_BYTES = 16 * 1024**3
HEAVY_FIELDS = (
    "log_tail",
    "columns",
    "profile",
    "fingerprint",
    "contract_check",
    "failure_details",
)


def listed_versions(versions: QuerySet[DatasetVersion]) -> QuerySet[DatasetVersion]:
    """Read what a list shows of each, with `contract_verdict`, None without one."""
    return (
        versions.select_related("uploaded_by")
        .annotate(contract_verdict=KT("contract_check__verdict"))
        .defer(*HEAVY_FIELDS)
    )


def prepare_ingest(version: DatasetVersion, folder: Path) -> dict[str, Any]:
    """Describe the job to the engine; the file is in its folder already."""
    revision = newest_revision(version.dataset)
    return reading_of(
        version,
        seal=Seal(**version.seal) if version.seal else None,
        contract=revision.contract() if revision else None,
    )


def reading_of(
    file: DatasetVersion | SealedPart,
    *,
    seal: Seal | None = None,
    contract: Contract | None = None,
) -> dict[str, Any]:
    """Describe to the engine how an uploaded file is read.

    Args:
        file: what was uploaded, by name and format.
        seal: which rows are put aside.
        contract: what the table is held against.
    """
    _, compression = format_of(file.original_name) or ("", "none")
    spec = IngestSpec(
        original_name=file.original_name,
        format=file.format,  # type: ignore[arg-type]  # the field's choices
        compression=compression,  # type: ignore[arg-type]  # as the engine names it
        seal=seal,
        contract=contract,
        uploaded_on=file.created_at.date().isoformat(),
        max_unpacked_bytes=settings.UNPACKED_LIMIT_BYTES,
        threads=settings.JOB_THREADS,
        limits=Limits(
            memory_bytes=settings.JOB_MEMORY_BYTES,
            cpu_seconds=settings.JOB_WALL_SECONDS * settings.JOB_THREADS,
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
            "value": ratio(missing / cells) if cells else "–",
            "detail": f"{missing:,} of {cells:,}",
        },
        {
            "label": "Size as Parquet",
            "value": filesizeformat(version.parquet_bytes or 0),
            "detail": f"{filesizeformat(version.original_bytes)} as uploaded",
        },
    ]


def rows_so_far(version: DatasetVersion) -> str:
    """Say how many rows the worker has told of last, such as "1,200,000 rows checked".

    Returns:
        Empty until it has told of rows.
    """
    told = f"{version.log_tail}\n{version.stage}"
    found = re.findall(r"[\d,]*\d (?:rows|lines|images)\b[^\n.;]*", told)
    return found[-1] if found else ""


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
