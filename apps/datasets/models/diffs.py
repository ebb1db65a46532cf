"""Comparisons of two versions of a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from apps.audit.event_types import EventType
from apps.datasets.models.datasets import Dataset
from apps.datasets.models.versions import DatasetVersion
from apps.jobs.models import BackgroundJob, JobKind, JobQuerySet, JobStatus
from apps.projects.models import Project

if TYPE_CHECKING:
    from uuid import UUID

    from apps.accounts.models import User


class VersionDiffQuerySet(JobQuerySet["VersionDiff"]):
    """Reads of comparisons."""

    def visible_to(self, user: User) -> Self:
        """Comparisons of the datasets that `user` can see."""
        return self.filter(after__dataset__in=Dataset.objects.visible_to(user))

    def useful(self) -> Self:
        """Those that say something, or will."""
        return self.exclude(status__in=[JobStatus.FAILED, JobStatus.CANCELLED])


class VersionDiff(BackgroundJob):
    """What changed from one version of a dataset to another, row by row."""

    kind = JobKind(
        task="datasets.compare_versions",
        events={
            JobStatus.QUEUED: EventType.DATASET_DIFF_REQUEUED,
            JobStatus.RUNNING: EventType.DATASET_DIFF_STARTED,
            JobStatus.SUCCEEDED: EventType.DATASET_DIFF_READY,
            JobStatus.FAILED: EventType.DATASET_DIFF_FAILED,
            JobStatus.CANCELLED: EventType.DATASET_DIFF_CANCELLED,
        },
        cancel_requested=EventType.DATASET_DIFF_CANCEL_REQUESTED,
        cancel_permission=None,
        lost_message="The worker stopped {attempts} times while it compared. Ask an "
        "operator; the versions may be too large for it.",
    )

    before = models.ForeignKey(
        DatasetVersion, on_delete=models.PROTECT, related_name="+"
    )
    after = models.ForeignKey(
        DatasetVersion, on_delete=models.PROTECT, related_name="diffs"
    )
    # Names of the columns that tell rows apart; empty compares whole rows.
    key = models.JSONField(default=list)
    result = models.JSONField(default=dict)
    asked_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    if TYPE_CHECKING:
        asked_by_id: UUID

    objects = VersionDiffQuerySet.as_manager()

    class Meta(BackgroundJob.Meta):
        constraints = [
            *BackgroundJob.Meta.constraints,
            # One answer for each question; after a failure it may be asked again.
            models.UniqueConstraint(
                fields=["before", "after", "key"],
                condition=~Q(status__in=["failed", "cancelled"]),
                name="one_diff_per_question",
            ),
        ]

    def __str__(self) -> str:
        return (
            f"{self.after.dataset} version {self.before.number} to {self.after.number}"
        )

    def get_absolute_url(self) -> str:
        return reverse("datasets:diff", args=[self.pk])

    @property
    def dataset(self) -> Dataset:
        """The dataset of both versions."""
        return self.after.dataset

    @property
    def project(self) -> Project:
        """The project that owns the dataset."""
        return self.after.dataset.project
