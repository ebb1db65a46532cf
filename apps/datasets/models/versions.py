"""Versions of a dataset, which never change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from apps.access.permissions import Permission
from apps.audit.event_types import EventType
from apps.datasets.models.datasets import Dataset
from apps.jobs.models import BackgroundJob, JobKind, JobQuerySet, JobStatus
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User


class DatasetFormat(models.TextChoices):
    """What may be uploaded."""

    CSV = "csv", "CSV"
    TSV = "tsv", "TSV"
    PARQUET = "parquet", "Parquet"
    JSONL = "jsonl", "JSON Lines"
    ARROW = "arrow", "Arrow"
    IMAGES = "images", "Images in a zip archive"


class DatasetContent(models.TextChoices):
    """Which of its files a version is downloaded as."""

    ORIGINAL = "original", "As uploaded"
    PARQUET = "parquet", "Parquet"


class ErrorListFormat(models.TextChoices):
    """In which form the errors of a failed version are downloaded."""

    CSV = "csv", "CSV"
    JSON = "json", "JSON"


class DatasetVersionQuerySet(JobQuerySet["DatasetVersion"]):
    """Reads of dataset versions."""

    def visible_to(self, user: User) -> Self:
        """Versions of the datasets that `user` can see."""
        return self.filter(dataset__in=Dataset.objects.visible_to(user))

    def ready(self) -> Self:
        """Versions that can be used."""
        return self.filter(status=JobStatus.SUCCEEDED)


class DatasetVersion(BackgroundJob):
    """One upload, read by a worker into typed Parquet with a profile."""

    kind = JobKind(
        task="datasets.ingest_version",
        events={
            JobStatus.QUEUED: EventType.DATASET_VERSION_REQUEUED,
            JobStatus.RUNNING: EventType.DATASET_VERSION_STARTED,
            JobStatus.SUCCEEDED: EventType.DATASET_VERSION_READY,
            JobStatus.FAILED: EventType.DATASET_VERSION_FAILED,
            JobStatus.CANCELLED: EventType.DATASET_VERSION_CANCELLED,
        },
        cancel_requested=EventType.DATASET_VERSION_CANCEL_REQUESTED,
        cancel_permission=Permission.DATASET_UPLOAD,
        lost_message="The worker stopped {attempts} times while it read the file. Ask "
        "an operator, or upload a smaller part of it.",
    )

    dataset = models.ForeignKey(
        Dataset, on_delete=models.PROTECT, related_name="versions"
    )
    number = models.PositiveIntegerField()
    original_name = models.CharField(max_length=255)
    format = models.CharField(max_length=16, choices=DatasetFormat.choices)
    # Where a worker finds the file, when it is brought in from a source.
    source_name = models.CharField(max_length=60, blank=True)
    source_path = models.CharField(max_length=1000, blank=True)
    # Empty until a worker has brought the file in.
    original_sha256 = models.CharField(max_length=64, blank=True)
    original_bytes = models.BigIntegerField()
    parquet_sha256 = models.CharField(max_length=64, blank=True)
    parquet_bytes = models.BigIntegerField(null=True)
    row_count = models.BigIntegerField(null=True)
    columns = models.JSONField(default=list)
    profile = models.JSONField(default=dict)
    # Which rows reading puts aside: engine.spec.Seal as JSON; None for none.
    seal = models.JSONField(null=True)
    # What engine.fingerprint and engine.contract found; None for versions read before
    # there were fingerprints, and for those without a contract.
    fingerprint = models.JSONField(null=True)
    contract_check = models.JSONField(null=True)
    uploaded_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = DatasetVersionQuerySet.as_manager()

    class Meta(BackgroundJob.Meta):
        constraints = [
            *BackgroundJob.Meta.constraints,
            models.UniqueConstraint(
                fields=["dataset", "number"], name="one_dataset_version_per_number"
            ),
            models.CheckConstraint(
                name="dataset_version_ready_has_content",
                condition=~Q(status="succeeded")
                | (~Q(parquet_sha256="") & Q(row_count__isnull=False)),
            ),
            models.CheckConstraint(
                name="dataset_version_has_file_or_source",
                condition=~Q(original_sha256="")
                | (~Q(source_name="") & ~Q(source_path="") & ~Q(status="succeeded")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} version {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("datasets:version", args=[self.pk])

    @property
    def project(self) -> Project:
        """The project that owns the dataset."""
        return self.dataset.project

    @property
    def column_names(self) -> list[str]:
        """Names of the columns, in order."""
        return [column["name"] for column in self.columns]

    def column_profile(self, name: str) -> dict[str, Any] | None:
        """Return the profile of one column, if it is there."""
        found: list[dict[str, Any]] = self.profile.get("columns", [])
        return next((column for column in found if column["name"] == name), None)
