"""Jobs that run somebody's own code, and end in a run like others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from apps.access.permissions import Permission
from apps.audit.event_types import EventType
from apps.datasets.models import DatasetVersion
from apps.experiments.models import Experiment
from apps.jobs.models import BackgroundJob, JobKind, JobQuerySet, JobStatus
from apps.projects.models import Project

if TYPE_CHECKING:
    from apps.accounts.models import User


class CodeJobQuerySet(JobQuerySet["CodeJob"]):
    """Reads of jobs with people's own code."""

    def visible_to(self, user: User) -> Self:
        """Jobs of the projects that `user` can see."""
        return self.filter(experiment__project__in=Project.objects.visible_to(user))


class CodeJob(BackgroundJob):
    """Somebody's wish to run their own code on one dataset version."""

    kind = JobKind(
        task="training.run_code",
        events={
            JobStatus.QUEUED: EventType.CODE_REQUEUED,
            JobStatus.RUNNING: EventType.CODE_STARTED,
            JobStatus.SUCCEEDED: EventType.CODE_FINISHED,
            JobStatus.FAILED: EventType.CODE_FAILED,
            JobStatus.CANCELLED: EventType.CODE_CANCELLED,
        },
        cancel_requested=EventType.CODE_CANCEL_REQUESTED,
        cancel_permission=Permission.TRAINING_LAUNCH,
        lost_message="The worker stopped {attempts} times while this code ran. Use "
        "less data or memory, or ask an operator.",
    )

    experiment = models.ForeignKey(
        Experiment, on_delete=models.PROTECT, related_name="code_jobs"
    )
    dataset_version = models.ForeignKey(
        DatasetVersion, on_delete=models.PROTECT, related_name="code_jobs"
    )
    name = models.CharField(max_length=120)
    # The zip that was sent or made of a git bundle, and a digest of what is in it
    # however it was packed.
    code_sha256 = models.CharField(max_length=64)
    code_bytes = models.BigIntegerField()
    tree_digest = models.CharField(max_length=64)
    # Of the git bundle; "" for a zip.
    commit_id = models.CharField(max_length=64, blank=True, default="")
    # What the engine gets: engine.spec.RunCodeSpec as JSON.
    spec = models.JSONField()
    launched_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    run = models.OneToOneField(
        "experiments.Run",
        on_delete=models.PROTECT,
        null=True,
        related_name="code_job",
    )
    # The same form sent twice launches one job.
    submission_key = models.UUIDField(null=True, unique=True)

    objects = CodeJobQuerySet.as_manager()

    class Meta(BackgroundJob.Meta):
        constraints = [
            *BackgroundJob.Meta.constraints,
            models.CheckConstraint(
                name="code_job_succeeded_has_run",
                condition=Q(status="succeeded", run__isnull=False)
                | (~Q(status="succeeded") & Q(run__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"code {self.name}"

    def get_absolute_url(self) -> str:
        return reverse("training:code_job", args=[self.pk])

    @property
    def project(self) -> Project:
        """The project of the experiment."""
        return self.experiment.project
