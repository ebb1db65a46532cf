"""Rows that only workers read, and how often models may be measured on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from apps.access.permissions import Permission
from apps.audit.event_types import EventType
from apps.datasets.models.datasets import Dataset
from apps.datasets.models.versions import DatasetVersion
from apps.jobs.models import BackgroundJob, JobKind, JobQuerySet, JobStatus
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User

# Looks of each model family at the sealed data of one dataset, until the program
# manager sets another number; few, since each one teaches a little about the rows.
DEFAULT_LOOKS: Final = 10
MOST_LOOKS: Final = 1000


class SealedPartQuerySet(JobQuerySet["SealedPart"]):
    """Reads of sealed parts: what is known of them, never their rows."""

    def visible_to(self, user: User) -> Self:
        """Parts of the datasets that `user` can see."""
        return self.filter(version__dataset__in=Dataset.objects.visible_to(user))

    def ready(self) -> Self:
        """Parts that a model can be measured on."""
        return self.filter(status=JobStatus.SUCCEEDED)

    def standing(self) -> Self:
        """Parts that are there, or on their way."""
        return self.exclude(status__in=[JobStatus.FAILED, JobStatus.CANCELLED])


class SealedPart(BackgroundJob):
    """Rows of a dataset version that nobody sees: workers measure models on them.

    Either split off when the version was read, and then there from the beginning, or
    uploaded in a file of their own, which a worker reads first.
    """

    kind = JobKind(
        task="datasets.read_sealed_part",
        events={
            JobStatus.QUEUED: EventType.SEALED_PART_REQUEUED,
            JobStatus.RUNNING: EventType.SEALED_PART_STARTED,
            JobStatus.SUCCEEDED: EventType.SEALED_PART_READY,
            JobStatus.FAILED: EventType.SEALED_PART_FAILED,
            JobStatus.CANCELLED: EventType.SEALED_PART_CANCELLED,
        },
        cancel_requested=EventType.SEALED_PART_CANCEL_REQUESTED,
        cancel_permission=Permission.DATASET_UPLOAD,
        lost_message="The worker stopped {attempts} times while it read the sealed "
        "rows. Ask an operator, or upload fewer of them.",
    )

    version = models.ForeignKey(
        DatasetVersion, on_delete=models.PROTECT, related_name="sealed_parts"
    )
    # How its rows were chosen: engine.spec.Seal as JSON; None for a file of its own.
    seal = models.JSONField(null=True)
    original_name = models.CharField(max_length=255, blank=True)
    format = models.CharField(max_length=16, blank=True)
    original_sha256 = models.CharField(max_length=64, blank=True)
    original_bytes = models.BigIntegerField(null=True)
    parquet_sha256 = models.CharField(max_length=64, blank=True)
    parquet_bytes = models.BigIntegerField(null=True)
    row_count = models.BigIntegerField(null=True)
    # Rows that stand in the open part of the version, too; None when nobody counted.
    repeated_count = models.BigIntegerField(null=True)
    added_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = SealedPartQuerySet.as_manager()

    class Meta(BackgroundJob.Meta):
        constraints = [
            *BackgroundJob.Meta.constraints,
            models.UniqueConstraint(
                fields=["version"],
                name="one_sealed_part_per_version",
                condition=Q(status__in=["queued", "running", "succeeded"]),
            ),
            models.CheckConstraint(
                name="sealed_part_ready_has_rows",
                condition=~Q(status="succeeded")
                | (~Q(parquet_sha256="") & Q(row_count__gt=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"sealed part of {self.version}"

    def get_absolute_url(self) -> str:
        return reverse("home:sealed_data", args=[self.version.dataset_id])

    @property
    def project(self) -> Project:
        """The project of the dataset."""
        return self.version.project

    @property
    def how(self) -> str:
        """How its rows were chosen, in words."""
        return seal_in_words(self.seal) if self.seal else "uploaded in a file"


def seal_in_words(seal: dict[str, Any]) -> str:
    """Say how rows are chosen, as the end of a sentence."""
    share, column = f"{seal['ratio']:.0%} of the rows", seal.get("column")
    return {
        "random": f"{share} at random, seed {seal['seed']}",
        "stratified": f"{share}, in proportion to {column}, seed {seal['seed']}",
        "group": f"whole groups of {column}, about {share}, seed {seal['seed']}",
        "time": f"the latest by {column}, about {share}",
    }[seal["method"]]


class SealedBudget(models.Model):
    """How often each model family of a project may be measured on sealed data.

    The looks of all versions of a model at all versions of one dataset count together,
    because both overlap as a rule.
    """

    project = models.OneToOneField(
        Project, on_delete=models.PROTECT, related_name="sealed_budget"
    )
    looks = models.PositiveIntegerField(
        validators=[MinValueValidator(0), MaxValueValidator(MOST_LOOKS)]
    )
    reason = models.TextField()
    set_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    set_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"budget of looks of {self.project}"
