"""Regenerations: a run done again from its record, and what came of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from apps.audit.event_types import EventType
from apps.experiments.models import Run
from apps.jobs.models import BackgroundJob, JobKind, JobQuerySet, JobStatus
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User


class Sameness(models.TextChoices):
    """Whether a run that was done again came out the same."""

    IDENTICAL = "identical", "Identical"
    WITHIN_TOLERANCE = "within_tolerance", "Within tolerance"
    DIFFERENT = "different", "Different"
    DATA_DAMAGED = "data_damaged", "Data damaged"
    DATA_MISSING = "data_missing", "Data missing"


class RegenerationQuerySet(JobQuerySet["Regeneration"]):
    """Reads of regenerations."""

    def visible_to(self, user: User) -> Self:
        """Regenerations of the runs that `user` can see."""
        return self.filter(run__in=Run.objects.visible_to(user))

    def under_way(self) -> Self:
        """Regenerations that a worker has or will take."""
        return self.filter(status__in=[JobStatus.QUEUED, JobStatus.RUNNING])

    def certified(self) -> Self:
        """Regenerations that say something."""
        return self.filter(status=JobStatus.SUCCEEDED)


class Regeneration(BackgroundJob):
    """Somebody's wish to see whether a run comes out the same a second time."""

    kind = JobKind(
        task="training.run_regeneration",
        events={
            JobStatus.QUEUED: EventType.REGENERATION_REQUEUED,
            JobStatus.RUNNING: EventType.REGENERATION_STARTED,
            JobStatus.SUCCEEDED: EventType.REGENERATION_CERTIFIED,
            JobStatus.FAILED: EventType.REGENERATION_FAILED,
            JobStatus.CANCELLED: EventType.REGENERATION_CANCELLED,
        },
        cancel_requested=EventType.REGENERATION_CANCEL_REQUESTED,
        cancel_permission=None,
        lost_message="The worker stopped {attempts} times during this regeneration. "
        "The training may need more memory than it has; ask an operator.",
    )

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="regenerations")
    number = models.PositiveIntegerField()
    # Of the file `record.json` of the run: all that the regeneration starts from.
    record_sha256 = models.CharField(max_length=64)
    # {"predictions": largest difference, "metrics": the same}; None asks for equality.
    tolerance = models.JSONField(null=True)
    verdict = models.CharField(max_length=20, choices=Sameness.choices, blank=True)
    # Canonical JSON (RFC 8785); its SHA-256 is in the sealed event.
    certificate = models.TextField(blank=True)
    certificate_sha256 = models.CharField(max_length=64, blank=True)
    asked_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = RegenerationQuerySet.as_manager()

    class Meta(BackgroundJob.Meta):
        constraints = [
            *BackgroundJob.Meta.constraints,
            models.UniqueConstraint(
                fields=["run", "number"], name="one_regeneration_per_number"
            ),
            models.CheckConstraint(
                name="regeneration_succeeded_has_certificate",
                condition=~Q(status="succeeded")
                | (~Q(verdict="") & ~Q(certificate="") & ~Q(certificate_sha256="")),
            ),
        ]

    def __str__(self) -> str:
        return f"regeneration {self.number} of {self.run}"

    def get_absolute_url(self) -> str:
        return reverse("training:regeneration", args=[self.pk])

    @property
    def project(self) -> Project:
        """The project of the run."""
        return self.run.project

    @property
    def title(self) -> str:
        """Its name beside its run."""
        return f"Regeneration {self.number}"

    @property
    def facts(self) -> dict[str, Any]:
        """What the certificate says; empty before there is one."""
        found: dict[str, Any] = json.loads(self.certificate or "{}")
        return found
