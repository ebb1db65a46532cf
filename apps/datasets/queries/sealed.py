"""What may be known of sealed rows: that they are there, how many, and how chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.core import blobs
from apps.datasets.models import (
    DEFAULT_LOOKS,
    DatasetVersion,
    SealedBudget,
    SealedPart,
)
from apps.datasets.queries.versions import reading_of
from apps.jobs.models import JobStatus

if TYPE_CHECKING:
    from pathlib import Path

    from django.db.models import QuerySet

    from apps.datasets.models import Dataset
    from apps.projects.models import Project


def prepare_sealed_part(part: SealedPart, folder: Path) -> dict[str, Any]:
    """Put the sealed file into the job folder and describe the job to the engine."""
    blobs.copy_to(part.original_sha256, folder / "inputs" / "original")
    return reading_of(part)


def sealed_part_of(version: DatasetVersion) -> SealedPart | None:
    """Return the sealed part of a version that is there or on its way."""
    parts = SealedPart.objects.standing().filter(version=version)
    return parts.select_related("added_by").first()


def sealed_parts_of(dataset: Dataset) -> QuerySet[SealedPart]:
    """List the sealed parts of all versions of a dataset, whatever became of them."""
    parts = SealedPart.objects.filter(version__dataset=dataset)
    return parts.select_related("version__dataset__project", "added_by")


def budget_of(project: Project) -> SealedBudget | None:
    """Return what the program manager set; None while the default counts."""
    found = SealedBudget.objects.filter(project=project).select_related("set_by")
    return found.first()


def looks_allowed(project: Project) -> int:
    """Say how many looks each model family has at the sealed data of a dataset."""
    budget = budget_of(project)
    return budget.looks if budget else DEFAULT_LOOKS


def is_open_file(project: Project, sha256: str) -> bool:
    """Say whether a file is one whose rows people of the project can read."""
    versions = DatasetVersion.objects.filter(dataset__project=project)
    return versions.filter(original_sha256=sha256, seal__isnull=True).exists()


def opens_sealed_rows(
    project: Project, sha256: str, seal: dict[str, Any] | None
) -> bool:
    """Say whether a version of this file would open rows that are sealed here.

    Args:
        project: where rows may be sealed.
        sha256: of the file.
        seal: how rows of the new version would be put aside.
    """
    ended_badly = [JobStatus.FAILED, JobStatus.CANCELLED]
    versions = DatasetVersion.objects.filter(
        dataset__project=project, original_sha256=sha256, seal__isnull=False
    ).exclude(status__in=ended_badly)
    parts = SealedPart.objects.standing().filter(
        version__dataset__project=project, original_sha256=sha256
    )
    seals = versions.values_list("seal", flat=True)
    return any(other != seal for other in seals) or parts.exists()
